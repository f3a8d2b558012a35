// A helper of the worker that reads a vault: opens sealed blocks and names the chunks in them. It holds the keys that it is given, and ends
// with the worker that started it.

import { releaseBytes } from "../../core/bytes.ts";
import { openBlock } from "../../engine/block.ts";
import { chunkIdAt } from "../../wire/v4/tree-types.ts";
import { holdsPieces } from "./files/file-check.ts";
import type { OpenerApi } from "./opener-pool.ts";
import { browserPlatform } from "./platform.ts";
import { type Endpoint, Peer, type Service } from "./rpc.ts";

/** A call of WebCrypto takes its time: blocks of tiny files have thousands of chunks. */
const NAMED_AT_ONCE = 16;
const ID_BYTES = 32;

let chunkIdKey = new Uint8Array();

const service: Service<OpenerApi> = {
  start(key) {
    chunkIdKey = key;
    return null;
  },

  async open({ key, context, sealed, blockNo }, { transfer }) {
    const platform = await browserPlatform();
    const chunks = await openBlock(platform, key, context, sealed, blockNo);
    releaseBytes(sealed);
    const prefix = Uint8Array.of(context.kind);
    const ids = new Uint8Array(chunks.length * ID_BYTES);
    for (let from = 0; from < chunks.length; from += NAMED_AT_ONCE) {
      const some = chunks.slice(from, from + NAMED_AT_ONCE);
      const named = await Promise.all(some.map((chunk) => platform.primitives.hmacSha256(chunkIdKey, prefix, chunk)));
      for (const [i, id] of named.entries()) ids.set(id, (from + i) * ID_BYTES);
    }
    const { buffer, byteOffset } = chunks[0]!;
    const lengths = Uint32Array.from(chunks, ({ length }) => length);
    transfer(buffer as ArrayBuffer, ids.buffer, lengths.buffer);
    return { payload: buffer as ArrayBuffer, start: byteOffset, ids, lengths };
  },

  async check({ file, ids, lengths }) {
    const { primitives } = await browserPlatform();
    const pieces = Array.from(lengths, (length, i) => ({ id: chunkIdAt(ids, i), length }));
    return holdsPieces(file, pieces, primitives, chunkIdKey);
  },
};

new Peer(self as unknown as Endpoint, service);
