// The part of a file that is in one window, and questions about it.

import { chunkKey } from "../../engine/reader/chunk-table.ts";
import type { ChunkList } from "../../wire/v4/chunk-list.ts";
import type { FileTask } from "./file-task.ts";
import type { CompareJob } from "./jobs.ts";

/** Chunks [from, to) of those that an entry or one of its lists names; all of a file unless it is large. */
export type Slice = ChunkList & {
  readonly task: FileTask;
  readonly from: number;
  to: number;
  /** Where chunk `from` lies in the file. */
  readonly offset: number;
  /** No more of the file comes after this. */
  isLast: boolean;
  /** One a chunk: 1 where the disk has it already. */
  same: Uint8Array | undefined;
};

const NO_IDS = new Uint8Array();
const NO_LENGTHS: readonly number[] = [];

/** The chunks that the entry of a file names itself: all of them, unless it has lists. */
export function chunksIn({ entry }: FileTask): ChunkList {
  return { chunkIds: entry.chunkIds ?? NO_IDS, lengths: entry.chunkLengths ?? NO_LENGTHS };
}

/** Chunks of one file that are compared in one job. */
const COMPARED_AT_ONCE = 256;

/** Neighbouring chunks, the first at `offset`, in slices that several workers can compare. */
export function* slicesOf(task: FileTask, { chunkIds, lengths }: ChunkList, offset: number): Generator<Slice> {
  let at = offset;
  for (let from = 0; from < lengths.length; from += COMPARED_AT_ONCE) {
    const to = Math.min(lengths.length, from + COMPARED_AT_ONCE);
    yield { task, chunkIds, lengths, from, to, offset: at, isLast: false, same: undefined };
    for (let i = from; i < to; i++) at += lengths[i]!;
  }
}

/** What a worker needs to compare it with the disk. */
export function comparable({ task, chunkIds, lengths, from, to, offset }: Slice): CompareJob["files"][number] {
  const own = lengths.slice(from, to);
  return { path: task.disk, chunks: own.map((_, i) => chunkKey(chunkIds, from + i)), offset, lengths: own };
}
