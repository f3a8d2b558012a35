// Looking through snapshots: by glob, by path over time, and what is in one.

import { throwIfAborted } from "../../core/errors.ts";
import type { RawPath } from "../../core/raw-path.ts";
import { ENTRY, type TreeEntry } from "../../wire/v4/tree-types.ts";
import type { PathMatcher } from "./glob.ts";
import type { VaultReader } from "./reader.ts";
import { type ListedSnapshot, listSnapshots, type OpenedSnapshot } from "./snapshots.ts";
import { type FoundEntry, lookup, ROOT_PATH, rootEntry } from "./tree-reader.ts";
import { type WalkStep, walkTree } from "./walk.ts";

const NO_OWNERS = { users: new Map(), groups: new Map() } as const;

/** The root of a snapshot to start a walk from. */
export function rootOf(snapshot: Pick<OpenedSnapshot, "info">): FoundEntry {
  return { path: ROOT_PATH, entry: rootEntry(snapshot.info), owners: NO_OWNERS };
}

export type Finding = FoundEntry & { readonly snapshot: OpenedSnapshot };
export type SearchOptions = {
  readonly signal?: AbortSignal | undefined;
  /** Hears of folders that cannot be read; without it the first one ends the search. */
  readonly onProblem?: ((snapshot: OpenedSnapshot, step: WalkStep) => void) | undefined;
};

/** Entries that fit, snapshot by snapshot in the order given. A subtree that several of them share is read once for each. */
export async function* findEntries(
  reader: VaultReader,
  snapshots: Iterable<OpenedSnapshot>,
  matches: PathMatcher,
  options: SearchOptions = {},
): AsyncGenerator<Finding> {
  for (const snapshot of snapshots) {
    for await (const step of walkTree(reader.of(snapshot), rootOf(snapshot), options)) {
      if (step.kind === "problem") reportProblem(snapshot, step, options);
      if (step.kind !== "enter" && step.kind !== "entry") continue;
      if (step.path === ROOT_PATH || !matches(step.path, step.entry.type === ENTRY.directory)) continue;
      yield { snapshot, path: step.path, entry: step.entry, owners: step.owners };
    }
  }
}

function reportProblem(snapshot: OpenedSnapshot, step: WalkStep, { onProblem }: SearchOptions): void {
  if (onProblem) onProblem(snapshot, step);
  else throw step.error;
}

export type Version = Finding & {
  /** Snapshots after this one, up to the next version, in which it is the same. */
  readonly alsoIn: readonly OpenedSnapshot[];
};

/**
 * What one path was over time, oldest first; neighbours with equal content (and type, size and link target) are one version.
 * Snapshots that cannot be read are passed over: `listSnapshots` names them. `snapshots`: those that are open already, oldest first.
 */
export async function versionsOf(
  reader: VaultReader,
  path: RawPath,
  options: Pick<SearchOptions, "signal"> & { readonly snapshots?: Iterable<ListedSnapshot> | undefined } = {},
): Promise<Version[]> {
  const { signal, snapshots = await listSnapshots(reader) } = options;
  const versions: (Version & { alsoIn: OpenedSnapshot[] })[] = [];
  for (const snapshot of snapshots) {
    throwIfAborted(signal);
    if (snapshot.error) continue;
    const found = await lookup(reader.of(snapshot), snapshot.info, path, { signal });
    if (!found) continue;
    const last = versions.at(-1);
    if (last && sameContent(last.entry, found.entry)) last.alsoIn.push(snapshot);
    else versions.push({ ...found, snapshot, alsoIn: [] });
  }
  return versions;
}

/** Same type and same bytes; metadata may differ. Directories are the same when everything below them is. */
export function sameContent(a: TreeEntry, b: TreeEntry): boolean {
  return (
    a.type === b.type &&
    a.size === b.size &&
    a.linkTarget === b.linkTarget &&
    a.rdevMajor === b.rdevMajor &&
    a.rdevMinor === b.rdevMinor &&
    sameIds(a.chunkIds, b.chunkIds)
  );
}

function sameIds(a: Uint8Array = new Uint8Array(), b: Uint8Array = new Uint8Array()): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export type TreeStats = {
  readonly files: number;
  readonly directories: number;
  readonly links: number;
  readonly others: number;
  /** Sum of the sizes of all files, each hard link counted. */
  readonly bytes: number;
  /** As `bytes`, each group of hard links counted once. */
  readonly uniqueBytes: number;
  readonly largestFile: { readonly path: RawPath; readonly size: number } | undefined;
};

/** Counts what a restore of `start` would bring. */
export async function treeStats(
  reader: VaultReader,
  start: FoundEntry,
  options: Pick<SearchOptions, "signal"> = {},
): Promise<TreeStats> {
  const stats = { files: 0, directories: 0, links: 0, others: 0, bytes: 0, uniqueBytes: 0 };
  const groups = new Set<string>();
  let largestFile: TreeStats["largestFile"];
  for await (const { kind, path, entry, error } of walkTree(reader, start, options)) {
    if (kind === "problem") throw error;
    if (kind === "enter") stats.directories++;
    if (kind !== "entry") continue;
    if (entry.type === ENTRY.symlink) stats.links++;
    else if (entry.type !== ENTRY.file) stats.others++;
    if (entry.type !== ENTRY.file) continue;
    const size = entry.size ?? 0;
    stats.files++;
    stats.bytes += size;
    if (isFirstOfGroup(entry, groups)) stats.uniqueBytes += size;
    if (size > (largestFile?.size ?? -1)) largestFile = { path, size };
  }
  return { ...stats, largestFile };
}

function isFirstOfGroup({ hardLink }: TreeEntry, groups: Set<string>): boolean {
  if (!hardLink) return true;
  const group = `${hardLink.device}:${hardLink.inode}`;
  const isFirst = !groups.has(group);
  groups.add(group);
  return isFirst;
}
