// zstd by node:zlib (RFC 8878), synchronous. Memory is bounded before anything is decoded.

import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Bytes } from "../core/bytes.ts";
import type { Zstd } from "../engine/platform.ts";

/** Frames of up to 16 MiB need no larger window; a frame that asks for more is refused. */
const MAX_WINDOW_LOG = 24;

export const nodeZstd: Zstd = {
  compress(data, level) {
    return plain(
      zstdCompressSync(data, {
        // Room for any outcome (ZSTD_compressBound): pieces would be put together in yet another buffer, and nobody could release them.
        chunkSize: data.length + (data.length >>> 8) + 1024,
        pledgedSrcSize: data.length,
        params: { [constants.ZSTD_c_compressionLevel]: level },
      }),
    );
  },

  decompress(frame, length) {
    try {
      // With `info`, Node gives the engine too, which knows how much it read: it passes over bytes behind the frame in silence.
      const { buffer, engine } = zstdDecompressSync(frame, {
        chunkSize: Math.max(64, length),
        maxOutputLength: Math.max(1, length),
        params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG },
        info: true,
      }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
      return buffer.length === length && engine.bytesWritten === frame.length ? plain(buffer) : undefined;
    } catch {
      return undefined;
    }
  },
};

function plain(buffer: Buffer): Bytes {
  return new Uint8Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.length);
}
