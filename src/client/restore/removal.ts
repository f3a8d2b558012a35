// Taking away what stands on the disk. Never follows a link: a link is removed, not what it points to.

import { readdirSync, rmdirSync, unlinkSync } from "node:fs";
import { AppError } from "../../core/errors.ts";
import { type RawPath, rawFromBytes, rawJoin, rawToText } from "../../core/raw-path.ts";
import { ENTRY } from "../../wire/v4/tree-types.ts";
import type { FileStat } from "../file-stat.ts";
import { lstatOrUndefined, nodePath, type SystemError } from "../posix.ts";

/** Raw names in a folder. */
export function namesIn(folder: RawPath): RawPath[] {
  return readdirSync(nodePath(folder), { encoding: "buffer" }).map(rawFromBytes);
}

/** Removes a file, link or folder with all that is in it; gives how many entries that were. */
export function removeTree(path: RawPath, stat: FileStat): number {
  if (stat.type !== ENTRY.directory) {
    unlinkSync(nodePath(path));
    return 1;
  }
  let removed = 1;
  for (const name of namesIn(path)) {
    const inner = rawJoin(path, name);
    const innerStat = lstatOrUndefined(inner);
    if (innerStat) removed += removeTree(inner, innerStat);
  }
  rmdirSync(nodePath(path));
  return removed;
}

/**
 * Makes room for something of another kind. A folder goes only if it is empty, or with `whole`. Throws `restore_conflict`.
 */
export function clearWay(path: RawPath, stat: FileStat, whole: boolean): void {
  if (stat.type !== ENTRY.directory || whole) {
    removeTree(path, stat);
    return;
  }
  try {
    rmdirSync(nodePath(path));
  } catch (error) {
    if ((error as SystemError).code !== "ENOTEMPTY" && (error as SystemError).code !== "EEXIST") throw error;
    const detail = "a folder with something in it is in the way (--delete removes it)";
    throw new AppError("restore_conflict", { context: { path: rawToText(path), detail } });
  }
}
