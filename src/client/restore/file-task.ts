// One file on its way to the disk: how it gets there, and its end. New content never stands under the final name before it is complete,
// but for files that a worker makes in one go and for very large ones that are brought up to date in place.

import { closeSync, constants, fstatSync, ftruncateSync, openSync, renameSync, unlinkSync } from "node:fs";
import { AppError } from "../../core/errors.ts";
import { type RawPath, rawToText } from "../../core/raw-path.ts";
import { ENTRY } from "../../wire/v4/tree-types.ts";
import { lstatOrUndefined, nodePath } from "../posix.ts";
import type { Failure, FileMetadata } from "./jobs.ts";
import { adjustMetadata, finishFile } from "./metadata.ts";
import { seemsUnchanged, type Target } from "./policy.ts";
import { clearWay } from "./removal.ts";
import { type RestoreRun, temporaryBeside } from "./run.ts";

const { O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_RDWR } = constants;

/** Existing files from this size on are changed where they differ; smaller ones are written anew and take their place at once. */
export const PATCH_MIN_BYTES = 16 * 2 ** 20;

export type FileTask = Target & {
  /** new: nothing is there. replace: made beside and renamed. patch: changed in place. keep: only its metadata. */
  kind: "new" | "replace" | "patch" | "keep";
  /** What is there may have the same content. */
  readonly compare: boolean;
  /** Some of it is not what the snapshot has. */
  differs: boolean;
  /** Pages of zeros become holes. */
  readonly sparse: boolean;
  /** False once its chunks went to more than one window. */
  inOneWindow: boolean;
  /** Writes that are not answered yet. */
  pending: number;
  /** True when no further writes come. */
  allGiven: boolean;
  descriptor: number;
  temporary: RawPath | undefined;
  failure: Failure | undefined;
  writtenBytes: number;
  /** Bytes that the progress has heard of. */
  countedBytes: number;
};

/** Throws what the file system says, or `restore_conflict`. */
export function planFile(target: Target, run: RestoreRun): FileTask {
  const { existing, disk } = target;
  const kind = kindOf(target, run);
  if (kind === "new" && existing && !run.dryRun) clearWay(disk, existing, run.options.delete ?? false);
  // Spelled out: a spread of this many properties costs several times the object.
  return {
    path: target.path,
    entry: target.entry,
    owners: target.owners,
    disk,
    folder: target.folder,
    existing,
    kind,
    compare: kind === "patch" || (kind === "replace" && mayBeEqual(target)),
    sparse: kind !== "patch" && (run.options.sparse ?? false),
    differs: false,
    inOneWindow: true,
    pending: 0,
    allGiven: false,
    descriptor: -1,
    temporary: undefined,
    failure: undefined,
    writtenBytes: 0,
    countedBytes: 0,
  };
}

function kindOf({ entry, existing }: Target, run: RestoreRun): FileTask["kind"] {
  if (!existing || existing.type === ENTRY.directory) return "new";
  if (existing.type !== ENTRY.file) return "replace";
  const isShared = existing.links > 1;
  if (seemsUnchanged(run.overwrite, entry, existing) && (!isShared || entry.hardLink)) return "keep";
  const isLarge = Math.min(existing.size, entry.size ?? 0) >= PATCH_MIN_BYTES;
  return isLarge && !isShared ? "patch" : "replace";
}

/** A file with other names stays only where the snapshot has other names too: else it would change with them. */
function mayBeEqual({ entry, existing }: Target): boolean {
  return existing?.type === ENTRY.file && existing.size === entry.size && (existing.links === 1 || !!entry.hardLink);
}

/** All that a file that is made anew needs is in one window. */
export function isWhole({ inOneWindow, kind }: FileTask): boolean {
  return inOneWindow && kind !== "patch";
}

/** What a file that is made anew gets. */
export function metadataOfNew({ entry, owners }: Target, run: RestoreRun): FileMetadata {
  const { mode, mtimeSeconds, mtimeNanos, xattrs } = entry;
  const { uid, gid } = run.owners.ofNew(entry, owners);
  return { mode, uid, gid, mtimeSeconds, mtimeNanos, xattrs };
}

/** The descriptor that pieces are written to; opened at the first one. Undefined, and a failure, when that is not possible. */
export function descriptorOf(task: FileTask): number | undefined {
  if (task.failure) return undefined;
  if (task.descriptor >= 0) return task.descriptor;
  try {
    task.descriptor = task.kind === "patch" ? openExisting(task) : openTemporary(task);
    ftruncateSync(task.descriptor, task.entry.size ?? 0);
    return task.descriptor;
  } catch (error) {
    task.failure = failureOf(error);
    return undefined;
  }
}

function openTemporary(task: FileTask): number {
  task.temporary = temporaryBeside(task.disk);
  return openSync(nodePath(task.temporary), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
}

function openExisting({ disk, existing }: FileTask): number {
  const descriptor = openSync(nodePath(disk), O_RDWR | O_NOFOLLOW);
  const stat = fstatSync(descriptor);
  if (stat.isFile() && stat.nlink === 1 && existing) return descriptor;
  closeSync(descriptor);
  throw new AppError("restore_conflict", {
    context: { path: rawToText(disk), detail: "it was replaced while the restore ran" },
  });
}

/** All of its content is written: gives it its metadata and its name. True when it stands. */
export function finishTask(task: FileTask, run: RestoreRun): boolean {
  try {
    if (task.failure) discard(task);
    else if (task.kind === "patch" || task.kind === "keep") finishExisting(task, run);
    else if (task.descriptor >= 0) finishTemporary(task, run);
  } catch (error) {
    task.failure ??= failureOf(error);
    discard(task);
  }
  if (!task.failure) return true;
  const { code, detail, errno } = task.failure;
  run.endIfHopeless(task.disk, errno);
  const isMixed = task.kind === "patch" && task.writtenBytes > 0;
  run.problem(task.disk, code, isMixed ? `${detail}; it is left partly updated` : detail);
  return false;
}

function finishExisting(task: FileTask, run: RestoreRun): void {
  const { entry, owners } = task;
  const isCut = task.kind === "patch" && task.existing?.size !== entry.size;
  if (isCut && descriptorOf(task) === undefined) return;
  close(task);
  const current = lstatOrUndefined(task.disk);
  if (current?.type !== ENTRY.file) return;
  const changed = adjustMetadata(
    task.disk,
    { ...entry, ...run.owners.ofExisting(entry, owners, current) },
    current,
    false,
  );
  if (task.writtenBytes > 0 || isCut) run.did("update", task.disk, task.writtenBytes);
  else {
    run.progress.unchanged++;
    run.did(changed ? "metadata" : "unchanged", task.disk);
  }
}

function finishTemporary(task: FileTask, run: RestoreRun): void {
  const metadata = metadataOfNew(task, run);
  finishFile(task.descriptor, task.temporary!, metadata, -1);
  close(task);
  renameSync(nodePath(task.temporary!), nodePath(task.disk));
  task.temporary = undefined;
}

/** Leaves nothing unfinished behind. */
export function discard(task: FileTask): void {
  try {
    close(task);
    if (task.temporary) unlinkSync(nodePath(task.temporary));
  } catch {
    // What led here is reported; a file that cannot even be removed has a name that says what it is.
  }
  task.temporary = undefined;
}

function close(task: FileTask): void {
  if (task.descriptor < 0) return;
  closeSync(task.descriptor);
  task.descriptor = -1;
}

export function failureOf(error: unknown): Failure {
  if (error instanceof AppError) return { code: error.code, detail: error.message };
  const { code, message } = error as NodeJS.ErrnoException;
  if (!code) throw error;
  return { code: "io", detail: message, errno: code };
}
