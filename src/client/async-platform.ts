// What the engine needs of this machine without holding up the event loop: the same primitives and zstd as platform.ts, run by
// Node's own thread pool. For a process that talks to many at once; one that only backs up is faster with threads of its own.

import { promisify } from "node:util";
import { constants, zstdCompress } from "node:zlib";
import type { Bytes } from "../core/bytes.ts";
import { webPrimitives } from "../crypto/primitives.ts";
import type { EnginePlatform } from "../engine/platform.ts";
import { nodePlatform } from "./platform.ts";
import { nodeZstd } from "./zstd.ts";

const compressLater = promisify(zstdCompress);
/** Below this a call costs less than handing it over. */
const HAND_OVER_FROM_BYTES = 16 * 1024;

const { primitives } = nodePlatform;

export const asyncNodePlatform: EnginePlatform = {
  ...nodePlatform,
  primitives: {
    sha256: (data) => pick(data).sha256(data),
    hmacSha256: (key, prefix, data) => pick(data).hmacSha256(key, prefix, data),
    gcmSeal: (key, nonce, aad, plaintext, headroom) => pick(plaintext).gcmSeal(key, nonce, aad, plaintext, headroom),
    gcmOpen: (key, nonce, aad, sealed) => pick(sealed).gcmOpen(key, nonce, aad, sealed),
  },
  zstd: {
    async compress(data, level) {
      if (data.length <= HAND_OVER_FROM_BYTES) return nodeZstd.compress(data, level);
      const params = { [constants.ZSTD_c_compressionLevel]: level };
      const frame = await compressLater(data, { pledgedSrcSize: data.length, params });
      return new Uint8Array(frame.buffer as ArrayBuffer, frame.byteOffset, frame.length) satisfies Bytes;
    },
    decompress: (frame, length) => nodeZstd.decompress(frame, length),
  },
};

function pick(data: Uint8Array | readonly Uint8Array[]): EnginePlatform["primitives"] {
  const length = data instanceof Uint8Array ? data.length : data.reduce((sum, part) => sum + part.length, 0);
  return length <= HAND_OVER_FROM_BYTES ? primitives : webPrimitives;
}
