// The bytes of one file as a stream, for cat, dump and downloads. One stretch of chunks is fetched ahead of the one being given out.

import { AppError, throwIfAborted } from "../../core/errors.ts";
import type { ChunkId } from "../../core/ids.ts";
import { rawToText } from "../../core/raw-path.ts";
import { chunkIdAt, ENTRY } from "../../wire/v4/tree-types.ts";
import { KIND_DATA } from "../../wire/v4/vault-port.ts";
import { type ContentRun, contentRuns, type RunOptions } from "./content-runs.ts";
import type { VaultReader } from "./reader.ts";
import type { FoundEntry } from "./tree-reader.ts";

/** Plaintext that is read in one go: about two blocks. */
const STRETCH_BYTES = 4 * 2 ** 20;

type Stretch = { readonly ids: ChunkId[]; readonly lengths: number[]; readonly offset: number };

/**
 * Exactly `size` bytes, or those of `range` that the file has, or an error: `usage` when it is no file, `chunk_missing`,
 * `chunk_corrupt`, `tree_corrupt`, `block_corrupt`, `interrupted`. Of a range no more is read than the chunks that it touches.
 * The pieces are views that later reads may share: copy what is to be changed.
 */
export async function* readFile(
  reader: VaultReader,
  found: Pick<FoundEntry, "path" | "entry">,
  options: RunOptions = {},
): AsyncGenerator<Uint8Array> {
  const shown = rawToText(found.path);
  if (found.entry.type !== ENTRY.file) throw new AppError("usage", { context: { detail: `${shown} is not a file.` } });
  const { signal, range = { start: 0, end: Number.POSITIVE_INFINITY } } = options;
  const stretches = splitStretches(contentRuns(reader, found, options), range);
  const begin = async () => {
    const { done, value } = await stretches.next();
    if (done) return undefined;
    const chunks = reader.readChunks(value.ids, KIND_DATA, { path: shown, signal });
    // Awaited one round later: it must not count as unhandled until then.
    chunks.catch(() => undefined);
    return { stretch: value, chunks };
  };
  let next = begin();
  for (;;) {
    throwIfAborted(signal);
    const current = await next;
    if (!current) return;
    const { stretch } = current;
    const chunks = await current.chunks;
    next = begin();
    next.catch(() => undefined);
    let { offset } = stretch;
    for (const [i, chunk] of chunks.entries()) {
      if (chunk.length !== stretch.lengths[i]) throw wrongLength(shown);
      yield within(chunk, offset, range);
      offset += chunk.length;
    }
  }
}

/** A chunk that is authentic but not as long as the tree says: its writer made a wrong tree. */
export function wrongLength(path: string): AppError {
  const detail = "a chunk has another length than the folder says";
  return new AppError("chunk_corrupt", { context: { path, detail } });
}

type Range = NonNullable<RunOptions["range"]>;

/** Chunks of the range in stretches that are read in one go. */
async function* splitStretches(runs: AsyncIterable<ContentRun>, { start, end }: Range): AsyncGenerator<Stretch> {
  for await (const { chunkIds, lengths, offset } of runs) {
    let at = offset;
    let stretch: Stretch | undefined;
    for (const [i, length] of lengths.entries()) {
      if (at + length > start && at < end) {
        if (stretch && at + length - stretch.offset > STRETCH_BYTES) {
          yield stretch;
          stretch = undefined;
        }
        stretch ??= { ids: [], lengths: [], offset: at };
        stretch.ids.push(chunkIdAt(chunkIds, i));
        stretch.lengths.push(length);
      }
      at += length;
    }
    if (stretch) yield stretch;
  }
}

/** The part of a chunk at `offset` of its file that the range wants. */
function within(chunk: Uint8Array, offset: number, { start, end }: Range): Uint8Array {
  if (offset >= start && offset + chunk.length <= end) return chunk;
  return chunk.subarray(Math.max(0, start - offset), end - offset);
}
