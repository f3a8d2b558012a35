// The folders of a restore. They are made before anything in them, and get their mode, owner and times after everything in them is
// done, deepest first. A link where a folder should be is never followed: nothing is written outside of the target.

import { chmodSync, mkdirSync } from "node:fs";
import { AppError } from "../../core/errors.ts";
import { isPlainComponent } from "../../core/filename.ts";
import { type RawPath, rawJoin, rawToBytes, rawToText } from "../../core/raw-path.ts";
import type { FoundEntry } from "../../engine/reader/tree-reader.ts";
import type { Standing } from "../../engine/restore/selection.ts";
import { ENTRY } from "../../wire/v4/tree-types.ts";
import type { FileStat } from "../file-stat.ts";
import { lstatOrUndefined, nodePath } from "../posix.ts";
import type { TakenNames } from "./disk-names.ts";
import { adjustMetadata, finishPath, setOwnerAndMode } from "./metadata.ts";
import { clearWay, namesIn, removeTree } from "./removal.ts";
import type { RestoreRun } from "./run.ts";

export type Folder = FoundEntry & {
  /** Where it lies on the disk. */
  readonly disk: RawPath;
  readonly parent: Folder | undefined;
  readonly standing: Standing;
  /** unmade: nothing in it was needed yet. new: made by this run, so nothing else is in it. */
  state: "unmade" | "new" | "existing" | "failed";
  /** The walk, and everything in it that is not done. */
  open: number;
  /** Names that were there and have not come up in the snapshot, by what the disk takes for equal; only when they may have to go. */
  strangers: Map<string, RawPath> | undefined;
  /** Names that entries of the snapshot have got on the disk; only where they may not be their own (disk-names.ts). */
  names: TakenNames | undefined;
  /** Mode to put back on a folder that had to be made writable. */
  modeBefore: number | undefined;
  /** Part of it could not be read: what is missing may be in the part, so nothing is removed. */
  incomplete: boolean;
};

export function rootFolder(found: FoundEntry, disk: RawPath, standing: Standing, run: RestoreRun): Folder {
  const folder = newFolder(found, disk, undefined, standing);
  const exists = lstatOrUndefined(disk) !== undefined;
  folder.state = exists ? "existing" : "new";
  if (exists) noteStrangers(folder, run);
  return folder;
}

export function enterFolder(found: FoundEntry, parent: Folder, standing: Standing, run: RestoreRun): Folder {
  const folder = newFolder(found, diskPath(parent, found.entry.name, run), parent, standing);
  parent.open++;
  if (standing === "all") ensureFolder(folder, run);
  return folder;
}

function newFolder(found: FoundEntry, disk: RawPath, parent: Folder | undefined, standing: Standing): Folder {
  return {
    ...found,
    disk,
    parent,
    standing,
    state: "unmade",
    open: 1,
    strangers: undefined,
    names: undefined,
    modeBefore: undefined,
    incomplete: false,
  };
}

/** An entry of that name is in the snapshot: what stands under it is not removed, whether the entry is restored or not. */
export function keepName(folder: Folder, name: RawPath, run: RestoreRun): void {
  folder.strangers?.delete(run.names.fold(name));
}

/** Where an entry of the folder goes. A name that is not its own there is told, and each entry is asked for once. */
export function diskPath(folder: Folder, name: RawPath, run: RestoreRun): RawPath {
  if (run.names.areAsTheyAre) return rawJoin(folder.disk, name);
  folder.names ??= new Map();
  const { disk, reason } = run.names.take(folder.names, name);
  folder.strangers?.delete(run.names.fold(disk));
  const path = rawJoin(folder.disk, disk);
  if (reason !== undefined) run.problem(path, "name_changed", reason);
  return path;
}

/** Makes the folder and those above it; false when that is not possible (which is listed once). */
export function ensureFolder(folder: Folder, run: RestoreRun): boolean {
  if (folder.state === "unmade") {
    const parentStands = folder.parent === undefined || ensureFolder(folder.parent, run);
    folder.state = "failed";
    if (parentStands) run.attempt(folder.disk, () => makeFolder(folder, run));
  }
  return folder.state !== "failed";
}

function makeFolder(folder: Folder, run: RestoreRun): void {
  requirePlainName(folder.entry.name);
  const existing = folder.parent?.state === "new" ? undefined : lstatOrUndefined(folder.disk);
  if (existing?.type === ENTRY.directory) {
    makeUsable(folder, existing, run);
    folder.state = "existing";
    noteStrangers(folder, run);
    return;
  }
  if (existing) replaceByFolder(folder, existing, run);
  run.did("create", folder.disk);
  if (!run.dryRun) mkdirSync(nodePath(folder.disk), { mode: makingMode(folder) });
  folder.state = "new";
}

/** Ours alone until it has its owner. */
function makingMode({ entry }: Folder): number {
  return 0o700 | (entry.mode & 0o777);
}

/** A name that could mean anything but one entry of its folder is refused. */
export function requirePlainName(name: RawPath): void {
  if (isPlainComponent(rawToBytes(name))) return;
  const context = { name: JSON.stringify(rawToText(name).slice(0, 80)), detail: "no folder can hold it" };
  throw new AppError("filename_invalid", { context });
}

function replaceByFolder({ disk, standing }: Folder, existing: FileStat, run: RestoreRun): void {
  const what = existing.type === ENTRY.symlink ? "a symbolic link" : "something that is no folder";
  if (standing === "above" || run.overwrite === "never") {
    const detail = `${what} is where a folder should be`;
    throw new AppError("restore_conflict", { context: { path: rawToText(disk), detail } });
  }
  if (!run.dryRun) clearWay(disk, existing, false);
}

/** A folder of ours that we may not write to is opened up until it is finished. Root needs no permission. */
function makeUsable(folder: Folder, { mode }: FileStat, run: RestoreRun): void {
  if (run.isRoot || run.dryRun || (mode & 0o700) === 0o700) return;
  chmodSync(nodePath(folder.disk), mode | 0o700);
  folder.modeBefore = mode;
}

function noteStrangers(folder: Folder, run: RestoreRun): void {
  const { standing, disk } = folder;
  if (run.options.delete && (standing === "all" || standing === "search")) {
    folder.strangers = new Map(namesIn(disk).map((name) => [run.names.fold(name), name]));
  }
}

/** After its last entry came up: removes what the snapshot does not have. */
export function leaveFolder(folder: Folder, run: RestoreRun): void {
  if (folder.strangers && !folder.incomplete) removeStrangers(folder, folder.strangers, run);
  folder.strangers = undefined;
  folder.names = undefined;
  releaseFolder(folder, run);
}

function removeStrangers(folder: Folder, strangers: ReadonlyMap<string, RawPath>, run: RestoreRun): void {
  for (const name of strangers.values()) {
    const disk = rawJoin(folder.disk, name);
    run.attempt(disk, () => {
      const stat = lstatOrUndefined(disk);
      if (!stat) return;
      const path = rawJoin(folder.path, name);
      if (run.selection.decide(path, stat.type === ENTRY.directory, folder.standing) !== "all") return;
      run.did("delete", disk);
      run.progress.deleted += run.dryRun ? 1 : removeTree(disk, stat);
    });
  }
}

/** One thing in the folder is done. With the last one the folder gets its metadata. */
export function releaseFolder(folder: Folder, run: RestoreRun): void {
  folder.open--;
  if (folder.open > 0) return;
  if (folder.state === "new" || folder.state === "existing") finishFolder(folder, run);
  if (folder.parent) releaseFolder(folder.parent, run);
}

function finishFolder(folder: Folder, run: RestoreRun): void {
  // The target itself stands for no folder of the snapshot.
  if (folder.parent === undefined) return;
  run.progress.directories++;
  if (run.dryRun) return;
  run.attempt(folder.disk, () => {
    if (folder.state === "new") finishNew(folder, run);
    else if (folder.standing === "all" && run.overwrite !== "never") finishExisting(folder, run);
    else if (folder.modeBefore !== undefined) chmodSync(nodePath(folder.disk), folder.modeBefore);
  });
}

function finishNew(folder: Folder, run: RestoreRun): void {
  const { disk, entry, owners } = folder;
  const metadata = { ...entry, ...run.owners.ofNew(entry, owners) };
  setOwnerAndMode(disk, metadata, makingMode(folder) & ~run.umask);
  finishPath(disk, metadata);
}

function finishExisting({ disk, entry, owners }: Folder, run: RestoreRun): void {
  const current = lstatOrUndefined(disk);
  if (current?.type !== ENTRY.directory) return;
  adjustMetadata(disk, { ...entry, ...run.owners.ofExisting(entry, owners, current) }, current, false);
}
