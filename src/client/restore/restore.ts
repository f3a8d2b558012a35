// Restores a snapshot, or a part of it, to a folder of this machine's disk. Wrong bytes are never written silently: every chunk is
// re-hashed before it is written, and a file that cannot be made whole is not left under its name but listed.
// Nothing is written outside of the target: names are checked, and links in the target are never followed.

import { mkdirSync, realpathSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { AppError, throwIfAborted } from "../../core/errors.ts";
import type { RawPath } from "../../core/raw-path.ts";
import { openReader, type VaultReader } from "../../engine/reader/reader.ts";
import { type FoundEntry, lookup, ROOT_PATH, requireEntry } from "../../engine/reader/tree-reader.ts";
import { type WalkStep, walkStretches } from "../../engine/reader/walk.ts";
import { createSelection, normalPath, type Standing } from "../../engine/restore/selection.ts";
import { ENTRY, type TreeEntry } from "../../wire/v4/tree-types.ts";
import { rawFromNative } from "../native-path.ts";
import { lstatOrUndefined, mapLargeBuffers } from "../posix.ts";
import { DiskNames, rulesOf } from "./disk-names.ts";
import { planFile } from "./file-task.ts";
import { FileWriter } from "./file-writer.ts";
import {
  diskPath,
  ensureFolder,
  enterFolder,
  type Folder,
  keepName,
  leaveFolder,
  releaseFolder,
  requirePlainName,
  rootFolder,
} from "./folders.ts";
import { HardLinks } from "./hard-links.ts";
import { localOwners, OwnerResolver } from "./owners.ts";
import { isLeftAlone, type Target } from "./policy.ts";
import { RestoreRun } from "./run.ts";
import { restoreSpecial } from "./specials.ts";
import type { RestoreOptions, RestoreResult } from "./types.ts";
import { WritePool } from "./write-pool.ts";

const MAX_WORKERS = 8;
const FOLDER_CACHE_BYTES = 8 * 2 ** 20;
/** Opened blocks are larger, most of what is sealed is smaller. */
const MAPPED_FROM_BYTES = 2 ** 20;

/**
 * Problems of single files and folders are listed and the run goes on. Throws `not_found` for a path that the snapshot does not have,
 * `usage` for a bad pattern, `disk_full`, `interrupted`, and `io` when the target cannot be made.
 */
export async function restoreSnapshot(options: RestoreOptions): Promise<RestoreResult> {
  mapLargeBuffers(MAPPED_FROM_BYTES);
  const start = await startOf(options);
  const run = newRun({ ...options, reader: walkingReader(options) }, start);
  const disk = prepareTarget(options, run);
  const { reader } = run.options;
  const pool = new WritePool(
    { vaultId: reader.vault.vaultId, chunkIdKey: reader.secrets.writer.chunkIdKey, umask: run.umask },
    options.workers ?? Math.min(availableParallelism(), MAX_WORKERS),
  );
  const links = new HardLinks(run);
  const writer = new FileWriter(run, reader, pool, links);
  try {
    await new Restorer(run, writer, links).restore(start, disk);
  } catch (error) {
    await writer.abandon();
    throw error;
  } finally {
    await pool.close();
  }
  return resultOf(run);
}

/** A walk comes to each folder once, so it needs few blocks of folders at a time: memory goes to the workers. */
function walkingReader({ reader, snapshot }: Pick<RestoreOptions, "reader" | "snapshot">): VaultReader {
  const { vault, secrets, platform, sessionKeys } = reader;
  const cacheBytes = FOLDER_CACHE_BYTES;
  return openReader({ vault, secrets, platform, sessionKeys, cacheBytes, snapshot: snapshot.row.id });
}

/** Where the walk begins; also makes sure that the snapshot has every path that was asked for. */
async function startOf({ reader: whole, snapshot, subtree, paths = [] }: RestoreOptions): Promise<FoundEntry> {
  const reader = whole.of(snapshot);
  for (const path of paths) await requireEntry(reader, snapshot.info, path);
  if (subtree !== undefined) return requireEntry(reader, snapshot.info, subtree);
  return (await lookup(reader, snapshot.info, ROOT_PATH))!;
}

function newRun(options: RestoreOptions, start: FoundEntry): RestoreRun {
  const { snapshot, subtree, paths = [], include, exclude } = options;
  const whole = subtree === undefined ? snapshot.info.paths : [start.path];
  const selection = createSelection({ paths: paths.length > 0 ? paths.map(normalPath) : whole, include, exclude });
  const uid = process.getuid?.() ?? -1;
  const owners = new OwnerResolver(localOwners(), uid, process.getgid?.() ?? -1);
  return new RestoreRun(options, selection, owners, uid, process.umask());
}

/** The target, made if need be, with links in its own path resolved: the person named it. */
function prepareTarget({ target, nameRules }: RestoreOptions, run: RestoreRun): RawPath {
  const path = resolve(target);
  try {
    if (!run.dryRun) mkdirSync(path, { recursive: true });
    const disk = rawFromNative(lstatOrUndefined(rawFromNative(path)) ? realpathSync(path) : path);
    run.names = new DiskNames(nameRules ?? rulesOf(disk, process.platform, run.dryRun));
    return disk;
  } catch (cause) {
    throw new AppError("io", { context: { path, detail: (cause as Error).message }, cause });
  }
}

class Restorer {
  readonly #run: RestoreRun;
  readonly #writer: FileWriter;
  readonly #links: HardLinks;

  constructor(run: RestoreRun, writer: FileWriter, links: HardLinks) {
    this.#run = run;
    this.#writer = writer;
    this.#links = links;
  }

  async restore(start: FoundEntry, disk: RawPath): Promise<void> {
    if (start.entry.type === ENTRY.directory) await this.#walk(start, disk);
    else await this.#single(start, disk);
    await this.#writer.flush();
    await this.#restoreOrphans();
    this.#run.tick();
  }

  /** One file straight into the target. */
  async #single(found: FoundEntry, disk: RawPath): Promise<void> {
    const root = { ...found, path: parentPath(found.path), entry: { ...found.entry, type: ENTRY.directory } };
    const folder = rootFolder(root, disk, "above", this.#run);
    await this.#entry(found, folder, "all");
    releaseFolder(folder, this.#run);
  }

  async #walk(start: FoundEntry, disk: RawPath): Promise<void> {
    const run = this.#run;
    let folder: Folder | undefined;
    let standing: Standing = run.selection.root(start.path);
    const descend = (path: RawPath, entry: TreeEntry): boolean => {
      if (!folder) return false;
      if (folder.strangers) keepName(folder, entry.name, run);
      standing = run.selection.decide(path, true, folder.standing);
      return standing !== "none" && folder.state !== "failed";
    };
    const { signal, reader } = run.options;
    for await (const stretch of walkStretches(reader, start, { signal, descend })) {
      for (const step of stretch) {
        if (step.kind === "enter") {
          folder = folder ? enterFolder(step, folder, standing, run) : rootFolder(step, disk, standing, run);
        } else if (step.kind === "leave") {
          if (folder) leaveFolder(folder, run);
          folder = folder?.parent;
        } else if (step.kind === "problem") {
          if (folder) this.#folderProblem(folder, step);
        } else if (folder && step.entry.type !== ENTRY.directory) {
          if (folder.strangers) keepName(folder, step.entry.name, run);
          const room = this.#entry(step, folder, run.selection.decide(step.path, false, folder.standing));
          if (room) await room;
        }
      }
    }
  }

  #folderProblem(folder: Folder, { error }: WalkStep): void {
    folder.incomplete = true;
    if (error) this.#run.problem(folder.disk, error.code, error.message);
  }

  /** Gives a promise only when the caller has to wait before it goes on. */
  #entry(found: FoundEntry, folder: Folder, standing: Standing): Promise<void> | undefined {
    if (standing !== "all" || !ensureFolder(folder, this.#run)) return undefined;
    const disk = diskPath(folder, found.entry.name, this.#run);
    let target: Target | undefined;
    this.#run.attempt(disk, () => {
      requirePlainName(found.entry.name);
      const existing = folder.state === "new" ? undefined : lstatOrUndefined(disk);
      target = { path: found.path, entry: found.entry, owners: found.owners, disk, folder, existing };
    });
    return target && !this.#links.take(target) ? this.#place(target) : undefined;
  }

  #place(target: Target): Promise<void> | undefined {
    const run = this.#run;
    const { entry, existing, disk } = target;
    if (isLeftAlone(run.overwrite, entry, existing)) {
      run.progress.skipped++;
      run.did("skip", disk);
      this.#links.settle(target, false);
    } else if (entry.type !== ENTRY.file) {
      this.#links.settle(target, restoreSpecial(target, run));
    } else {
      let task: ReturnType<typeof planFile> | undefined;
      if (run.attempt(disk, () => (task = planFile(target, run))) && task) return this.#writer.add(task);
      this.#links.settle(target, false);
    }
    return undefined;
  }

  /** Names of files of which the first name could not be restored. */
  async #restoreOrphans(): Promise<void> {
    const { orphans } = this.#links;
    while (orphans.length > 0) {
      throwIfAborted(this.#run.options.signal);
      for (const target of orphans.splice(0)) {
        if (!this.#links.take(target)) await this.#place(target);
        releaseFolder(target.folder, this.#run);
      }
      await this.#writer.flush();
    }
  }
}

function parentPath(path: RawPath): RawPath {
  const at = path.lastIndexOf("/");
  return (at <= 0 ? "/" : path.slice(0, at)) as RawPath;
}

function resultOf(run: RestoreRun): RestoreResult {
  const { currentPath: _, filesTotal: _files, bytesTotal: _bytes, ...figures } = run.progress;
  return { ...figures, problemList: run.problems, damaged: run.damaged, ownersNotSet: run.owners.notSet };
}
