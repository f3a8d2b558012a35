// The files of one write job as columns: to copy a few arrays from thread to thread costs less than to copy an object for each file.

import type { FileBatch, WholeFile } from "./jobs.ts";

/** mode, uid, gid, mtimeSeconds, mtimeNanos, size, chunks: of each file one after the other. */
export const BATCH_NUMBERS = 7;

/** The files, one after the other. */
export function* filesOf({ paths, numbers, chunkIds, rare }: FileBatch): Generator<WholeFile> {
  let firstChunk = 0;
  for (let i = 0; i < paths.length; i++) {
    const at = i * BATCH_NUMBERS;
    const chunks = numbers[at + 6]!;
    yield {
      path: paths[i]!,
      mode: numbers[at]!,
      uid: numbers[at + 1]!,
      gid: numbers[at + 2]!,
      mtimeSeconds: numbers[at + 3]!,
      mtimeNanos: numbers[at + 4]!,
      size: numbers[at + 5]!,
      chunkIds,
      firstChunk,
      chunks,
      ...rare.get(i),
    };
    firstChunk += chunks;
  }
}

/** What a batch gives away when it is sent. */
export function buffersOf({ numbers, chunkIds }: FileBatch): ArrayBuffer[] {
  return [numbers.buffer, chunkIds.buffer];
}
