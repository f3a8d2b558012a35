// zstd by node:zlib (RFC 8878), synchronous. Memory is bounded before anything is decoded.

import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Bytes } from "../core/bytes.ts";
import type { Zstd } from "../engine/platform.ts";

/** zlib collects its output in pieces of this size; the default of 16 KiB costs a copy for each. */
const COMPRESS_PIECE_BYTES = 1 << 20;
/** Frames of up to 16 MiB need no larger window; a frame that asks for more is refused. */
const MAX_WINDOW_LOG = 24;

export const nodeZstd: Zstd = {
  compress(data, level) {
    return plain(
      zstdCompressSync(data, {
        chunkSize: COMPRESS_PIECE_BYTES,
        pledgedSrcSize: data.length,
        params: { [constants.ZSTD_c_compressionLevel]: level },
      }),
    );
  },

  decompress(frame, length) {
    try {
      const decoded = zstdDecompressSync(frame, {
        chunkSize: Math.max(64, length),
        maxOutputLength: Math.max(1, length),
        params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG },
      });
      return decoded.length === length ? plain(decoded) : undefined;
    } catch {
      return undefined;
    }
  },
};

function plain(buffer: Buffer): Bytes {
  return new Uint8Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.length);
}
