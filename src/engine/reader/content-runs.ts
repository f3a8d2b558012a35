// The chunks of one file, stretch by stretch: what its entry says itself, or what its chunk lists say (docs/format.md, Chunk lists).
// At most two lists are in memory, so this is how everything that goes through a file's chunks does it.

import { rawToText } from "../../core/raw-path.ts";
import { type ChunkList, decodeChunkList } from "../../wire/v4/chunk-list.ts";
import { chunkIdAt, type TreeEntry } from "../../wire/v4/tree-types.ts";
import { KIND_TREE } from "../../wire/v4/vault-port.ts";
import type { ReadOptions, VaultReader } from "./reader.ts";
import type { FoundEntry } from "./tree-reader.ts";

/** Neighbouring chunks of a file; the first lies at `offset`. */
export type ContentRun = ChunkList & { readonly offset: number };

export type RunOptions = Pick<ReadOptions, "signal"> & {
  /** Only runs that touch these bytes of the file; end exclusive. */
  readonly range?: { readonly start: number; readonly end: number } | undefined;
};

/** Lists that are located in one call. */
const LOCATE_AHEAD = 64;

/** Number of chunk lists of a file entry. */
export function listCount(entry: TreeEntry): number {
  return entry.indirect ? (entry.chunkLengths?.length ?? 0) : 0;
}

/** In the order of the file. Throws `tree_corrupt`, `chunk_missing`, `chunk_corrupt` or `block_corrupt` at the first list that cannot be read. */
export async function* contentRuns(
  reader: VaultReader,
  found: Pick<FoundEntry, "path" | "entry">,
  { signal, range }: RunOptions = {},
): AsyncGenerator<ContentRun> {
  const { entry, path } = found;
  const { chunkIds = new Uint8Array(), chunkLengths = [] } = entry;
  if (!entry.indirect) {
    if (chunkLengths.length > 0) yield { chunkIds, lengths: chunkLengths, offset: 0 };
    return;
  }
  const options = { path: rawToText(path), signal };
  const wanted = listsWithin(chunkLengths, range);
  const begin = async (at: number): Promise<ContentRun | undefined> => {
    const { index, offset } = wanted[at] ?? {};
    if (index === undefined || offset === undefined) return undefined;
    if (at % LOCATE_AHEAD === 0) {
      await reader.locateAhead(wanted.slice(at, at + LOCATE_AHEAD).map((list) => chunkIdAt(chunkIds, list.index)));
    }
    return { ...(await readList(reader, entry, index, options)), offset };
  };
  let next = begin(0);
  for (let at = 1; ; at++) {
    const run = await next;
    if (!run) return;
    next = begin(at);
    // Awaited one round later: it must not count as unhandled until then.
    next.catch(() => undefined);
    yield run;
  }
}

/** The list with this number of an indirect file. */
export async function readList(
  reader: VaultReader,
  { chunkIds, chunkLengths }: TreeEntry,
  index: number,
  options: ReadOptions = {},
): Promise<ChunkList> {
  const [bytes] = await reader.readChunks([chunkIdAt(chunkIds!, index)], KIND_TREE, options);
  return decodeChunkList(bytes!, chunkLengths![index]!);
}

function listsWithin(
  covers: readonly number[],
  { start, end } = { start: 0, end: Number.POSITIVE_INFINITY },
): { readonly index: number; readonly offset: number }[] {
  const lists: { index: number; offset: number }[] = [];
  let offset = 0;
  for (const [index, length] of covers.entries()) {
    if (offset < end && offset + length > start) lists.push({ index, offset });
    offset += length;
  }
  return lists;
}
