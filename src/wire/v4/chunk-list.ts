// Coding of chunk lists (docs/format.md, Chunk lists): the chunks of a stretch of a large file, as a tree chunk of their own. Pure;
// decoding takes hostile bytes and answers with chunks or `tree_corrupt`. A list names data only, never lists: it cannot nest.

import { ByteReader, type Bytes, ByteWriter } from "../../core/bytes.ts";
import { AppError } from "../../core/errors.ts";

/** Tells a list from a segment, which begins with 1. */
const LIST_VERSION = 2;

/** Limits of docs/format.md; an encoder may not exceed them, a decoder refuses more. */
export const CHUNK_LIST_LIMITS = { chunks: 8192, chunkBytes: 16 * 2 ** 20 } as const;

/** Neighbouring chunks of one file: 32 bytes each, one after the other, and as many lengths. */
export type ChunkList = { readonly chunkIds: Uint8Array; readonly lengths: readonly number[] };

export function encodeChunkList({ chunkIds, lengths }: ChunkList): Bytes {
  const out = new ByteWriter(16 + chunkIds.length + 4 * lengths.length);
  out.u8(LIST_VERSION);
  out.varint(lengths.length);
  for (const length of lengths) out.varint(length);
  out.bytes(chunkIds);
  return out.take();
}

/** `covers` is how many bytes of the file the list is for, as the file's entry says. */
export function decodeChunkList(bytes: Uint8Array, covers: number): ChunkList {
  const reader = new ByteReader(bytes, fail);
  const version = reader.u8();
  if (version !== LIST_VERSION) fail(`a chunk list has the unknown version ${version}`);
  const count = reader.varint();
  if (count < 1 || count > CHUNK_LIST_LIMITS.chunks) fail("a chunk list is empty or too long");
  if (count * 33 > reader.remaining) fail("a chunk list ends too early");
  const lengths: number[] = [];
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const length = reader.varint();
    if (length < 1 || length > CHUNK_LIST_LIMITS.chunkBytes) fail("a chunk list names a chunk of an impossible length");
    lengths.push(length);
    sum += length;
  }
  if (sum !== covers) fail("a chunk list covers more or less of its file than the folder says");
  const chunkIds = reader.bytes(count * 32).slice();
  reader.end();
  return { chunkIds, lengths };
}

function fail(detail: string): never {
  throw new AppError("tree_corrupt", { context: { detail } });
}
