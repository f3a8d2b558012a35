// The bytes of one file as a stream, for cat, dump and downloads. One stretch of chunks is fetched ahead of the one being given out.

import { AppError, throwIfAborted } from "../../core/errors.ts";
import type { ChunkId } from "../../core/ids.ts";
import { rawToText } from "../../core/raw-path.ts";
import { chunkIdAt, ENTRY } from "../../wire/v4/tree-types.ts";
import { KIND_DATA } from "../../wire/v4/vault-port.ts";
import type { ReadOptions, VaultReader } from "./reader.ts";
import type { FoundEntry } from "./tree-reader.ts";

/** Plaintext that is read in one go: about two blocks. */
const STRETCH_BYTES = 4 * 2 ** 20;

/**
 * Exactly `size` bytes or an error: `usage` when it is no file, `chunk_missing`, `chunk_corrupt`, `block_corrupt`, `interrupted`.
 * The pieces are views that later reads may share: copy what is to be changed.
 */
export async function* readFile(
  reader: VaultReader,
  { path, entry }: Pick<FoundEntry, "path" | "entry">,
  options: Pick<ReadOptions, "signal"> = {},
): AsyncGenerator<Uint8Array> {
  const shown = rawToText(path);
  if (entry.type !== ENTRY.file) throw new AppError("usage", { context: { detail: `${shown} is not a file.` } });
  const lengths = entry.chunkLengths ?? [];
  const stretches = splitStretches(entry.chunkIds ?? new Uint8Array(), lengths);
  const read = (ids: readonly ChunkId[]) => {
    const chunks = reader.readChunks(ids, KIND_DATA, { path: shown, signal: options.signal });
    // Awaited one round later: it must not count as unhandled until then.
    chunks.catch(() => undefined);
    return chunks;
  };
  let next = stretches.length > 0 ? read(stretches[0]!) : undefined;
  let index = 0;
  for (let i = 0; next; i++) {
    throwIfAborted(options.signal);
    const chunks = await next;
    next = i + 1 < stretches.length ? read(stretches[i + 1]!) : undefined;
    for (const chunk of chunks) {
      if (chunk.length !== lengths[index++]) throw wrongLength(shown);
      yield chunk;
    }
  }
}

/** A chunk that is authentic but not as long as the tree says: its writer made a wrong tree. */
export function wrongLength(path: string): AppError {
  const detail = "a chunk has another length than the folder says";
  return new AppError("chunk_corrupt", { context: { path, detail } });
}

function splitStretches(chunkIds: Uint8Array, lengths: readonly number[]): ChunkId[][] {
  const stretches: ChunkId[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  lengths.forEach((length, i) => {
    if (bytes + length > STRETCH_BYTES) {
      stretches.push([]);
      bytes = 0;
    }
    stretches.at(-1)!.push(chunkIdAt(chunkIds, i));
    bytes += length;
  });
  return stretches;
}
