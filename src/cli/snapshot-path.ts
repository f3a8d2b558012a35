// Paths that a user types to name something in a snapshot. A relative one starts at the current folder, as it does for `backup`; where
// the snapshot has nothing there, it starts at the snapshot's root, so that `home/ann` and names given to --stdin-filename work as well.

import { posix, resolve } from "node:path";
import { rawFromNative } from "../client/native-path.ts";
import { AppError } from "../core/errors.ts";
import { type RawPath, rawFromText, rawToText } from "../core/raw-path.ts";
import type { VaultReader } from "../engine/reader/reader.ts";
import type { OpenedSnapshot } from "../engine/reader/snapshots.ts";
import { type FoundEntry, lookup } from "../engine/reader/tree-reader.ts";

/** The absolute paths that `typed` may stand for, the likelier one first. */
export function snapshotPaths(typed: string): readonly RawPath[] {
  const fromHere = rawFromNative(resolve(typed));
  const fromRoot = rawFromText(posix.resolve("/", typed));
  return fromHere === fromRoot ? [fromHere] : [fromHere, fromRoot];
}

/** The entry that `typed` names in the snapshot; undefined when there is none. */
export async function findTyped(
  reader: VaultReader,
  snapshot: OpenedSnapshot,
  typed: string,
): Promise<FoundEntry | undefined> {
  for (const path of snapshotPaths(typed)) {
    const found = await lookup(reader.of(snapshot), snapshot.info, path);
    if (found) return found;
  }
  return undefined;
}

/** As `findTyped`; throws `not_found`. */
export async function requireTyped(reader: VaultReader, snapshot: OpenedSnapshot, typed: string): Promise<FoundEntry> {
  const found = await findTyped(reader, snapshot, typed);
  if (found) return found;
  throw new AppError("not_found", { context: { what: `${rawToText(snapshotPaths(typed)[0]!)} in the snapshot` } });
}
