// The part of a file that is in one window, and questions about it.

import { chunkKey } from "../../engine/reader/chunk-table.ts";
import type { FileTask } from "./file-task.ts";
import type { CompareJob } from "./jobs.ts";

/** Chunks [from, to) of one file that are in one window; all of them unless the file is larger than a window. */
export type Slice = {
  readonly task: FileTask;
  readonly from: number;
  to: number;
  /** Where chunk `from` lies in the file. */
  readonly offset: number;
  /** One a chunk: 1 where the disk has it already. */
  same: Uint8Array | undefined;
};

export function wholeSlice(task: FileTask): Slice {
  return { task, from: 0, to: task.entry.chunkLengths?.length ?? 0, offset: 0, same: undefined };
}

export function isLastOf({ task, to }: Slice): boolean {
  return to === (task.entry.chunkLengths?.length ?? 0);
}

/** What a worker needs to compare it with the disk. */
export function comparable({ task, from, to, offset }: Slice): CompareJob["files"][number] {
  const { chunkIds = new Uint8Array(), chunkLengths = [] } = task.entry;
  const lengths = chunkLengths.slice(from, to);
  return { path: task.disk, chunks: lengths.map((_, i) => chunkKey(chunkIds, from + i)), offset, lengths };
}
