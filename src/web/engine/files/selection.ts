// What a person picked in a snapshot, as one walk: each picked entry and everything below it, once.

import { type RawPath, rawJoin } from "../../../core/raw-path.ts";
import type { VaultReader } from "../../../engine/reader/reader.ts";
import { rootOf } from "../../../engine/reader/search.ts";
import type { OpenedSnapshot } from "../../../engine/reader/snapshots.ts";
import { type FoundEntry, ROOT_PATH, requireEntry } from "../../../engine/reader/tree-reader.ts";
import { walkTree } from "../../../engine/reader/walk.ts";
import { ENTRY } from "../../../wire/v4/tree-types.ts";

/** The picked entries that lie in no other picked one. Throws `not_found`. */
export async function pickedEntries(
  reader: VaultReader,
  snapshot: OpenedSnapshot,
  paths: readonly RawPath[],
  signal: AbortSignal,
): Promise<FoundEntry[]> {
  const sorted = paths.toSorted();
  const outermost = sorted.filter(
    (path) => !sorted.some((other) => other !== path && path.startsWith(rawJoin(other, "" as RawPath))),
  );
  const found: FoundEntry[] = [];
  for (const path of new Set(outermost)) {
    found.push(path === ROOT_PATH ? rootOf(snapshot) : await requireEntry(reader, snapshot.info, path, { signal }));
  }
  return found;
}

/** The folder that everything picked is in, which names and folders are relative to. */
export function commonFolder(picked: readonly FoundEntry[]): RawPath {
  const folders = picked.map(({ path, entry }) =>
    path === ROOT_PATH && entry.type === ENTRY.directory ? [] : path.split("/").slice(1, -1),
  );
  const [first = []] = folders;
  let depth = 0;
  while (depth < first.length && folders.every((names) => names[depth] === first[depth])) depth++;
  return `/${first.slice(0, depth).join("/")}` as RawPath;
}

/** Files and bytes, as many as can be counted. */
export async function countPicked(
  reader: VaultReader,
  picked: readonly FoundEntry[],
  signal: AbortSignal,
): Promise<{ files: number; bytes: number }> {
  let files = 0;
  let bytes = 0;
  for (const start of picked) {
    for await (const { kind, entry } of walkTree(reader, start, { signal })) {
      if (kind !== "entry" || entry.type !== ENTRY.file) continue;
      files++;
      bytes += entry.size ?? 0;
    }
  }
  return { files, bytes };
}
