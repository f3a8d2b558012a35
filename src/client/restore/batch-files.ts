// Puts the files that one block, or none, makes whole into columns (file-batch.ts).

import type { Piece } from "../../engine/restore/block-plan.ts";
import { BATCH_NUMBERS } from "./file-batch.ts";
import { type FileTask, metadataOfNew } from "./file-task.ts";
import type { FileBatch, RareParts, WholeFile } from "./jobs.ts";
import { type RestoreRun, temporaryBeside } from "./run.ts";

const ID_BYTES = 32;

/** `piecesOf`: each file's chunks that are not holes, in order. */
export function batchFiles(piecesOf: ReadonlyMap<FileTask, readonly Piece<FileTask>[]>, run: RestoreRun): FileBatch {
  let chunks = 0;
  for (const pieces of piecesOf.values()) chunks += pieces.length;
  const numbers = new Float64Array(piecesOf.size * BATCH_NUMBERS);
  const chunkIds = new Uint8Array(chunks * ID_BYTES);
  const rare = new Map<number, RareParts>();
  const paths: WholeFile["path"][] = [];
  let at = 0;
  let idsAt = 0;
  for (const [task, pieces] of piecesOf) {
    const { mode, uid, gid, mtimeSeconds, mtimeNanos } = metadataOfNew(task, run);
    numbers[at] = mode;
    numbers[at + 1] = uid;
    numbers[at + 2] = gid;
    numbers[at + 3] = mtimeSeconds;
    numbers[at + 4] = mtimeNanos;
    numbers[at + 5] = task.entry.size ?? 0;
    numbers[at + 6] = pieces.length;
    at += BATCH_NUMBERS;
    for (const piece of pieces) {
      copyId(piece.chunkIds, piece.chunk, chunkIds, idsAt);
      idsAt += ID_BYTES;
    }
    const parts = rareParts(task, pieces);
    if (parts) rare.set(paths.length, parts);
    paths.push(task.disk);
  }
  return { paths, numbers, chunkIds, rare };
}

/** Of 32 bytes a loop is faster than a view and `set`. */
function copyId(from: Uint8Array, index: number, to: Uint8Array, at: number): void {
  const start = index * ID_BYTES;
  for (let i = 0; i < ID_BYTES; i++) to[at + i] = from[start + i]!;
}

function rareParts(task: FileTask, pieces: readonly Piece<FileTask>[]): RareParts | undefined {
  const { kind, disk, sparse, entry } = task;
  const { xattrs, holes } = entry;
  if (kind !== "replace" && pieces.length <= 1 && !holes && !xattrs && !sparse) return undefined;
  return {
    temporary: kind === "replace" ? temporaryBeside(disk) : undefined,
    xattrs,
    ranges: pieces.length > 1 || holes ? pieces.map(({ offset, length }) => ({ offset, length })) : undefined,
    holes,
    sparse,
  };
}
