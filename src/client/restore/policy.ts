// Where an entry goes, what is there now, and whether it may be replaced.

import type { RawPath } from "../../core/raw-path.ts";
import type { FoundEntry } from "../../engine/reader/tree-reader.ts";
import { ENTRY, type TreeEntry } from "../../wire/v4/tree-types.ts";
import type { FileStat } from "../file-stat.ts";
import type { Folder } from "./folders.ts";
import type { OverwritePolicy } from "./types.ts";

/** An entry on its way to the disk; its folder stands. */
export type Target = FoundEntry & {
  readonly disk: RawPath;
  readonly folder: Folder;
  /** What is at `disk` now. */
  readonly existing: FileStat | undefined;
};

/** True when the policy leaves what is there alone. */
export function isLeftAlone(policy: OverwritePolicy, entry: TreeEntry, existing: FileStat | undefined): boolean {
  if (!existing) return false;
  if (policy === "never") return true;
  return policy === "if-newer" && !isLater(entry, existing);
}

/** True when if-changed takes the content for equal without looking at it. */
export function seemsUnchanged(policy: OverwritePolicy, entry: TreeEntry, existing: FileStat): boolean {
  return (
    policy === "if-changed" &&
    existing.type === ENTRY.file &&
    existing.size === entry.size &&
    existing.mtimeSeconds === entry.mtimeSeconds &&
    existing.mtimeNanos === entry.mtimeNanos
  );
}

function isLater(entry: TreeEntry, existing: FileStat): boolean {
  const seconds = entry.mtimeSeconds - existing.mtimeSeconds;
  return seconds > 0 || (seconds === 0 && entry.mtimeNanos > existing.mtimeNanos);
}
