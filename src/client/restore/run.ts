// What all parts of one restore share: options, figures, what is reported, and which errors end the run.

import { randomBytes } from "node:crypto";
import { AppError, type ErrorCode } from "../../core/errors.ts";
import { type RawPath, rawToText } from "../../core/raw-path.ts";
import type { Selection } from "../../engine/restore/selection.ts";
import type { SystemError } from "../posix.ts";
import { DiskNames } from "./disk-names.ts";
import type { OwnerResolver } from "./owners.ts";
import {
  type OverwritePolicy,
  PROBLEMS_KEPT,
  type RestoreAction,
  type RestoreOptions,
  type RestoreProblem,
  type RestoreProgress,
} from "./types.ts";

const DAMAGE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "chunk_corrupt",
  "chunk_missing",
  "block_corrupt",
  "pack_corrupt",
  "tree_corrupt",
  "record_corrupt",
]);

export class RestoreRun {
  readonly options: RestoreOptions;
  readonly selection: Selection;
  readonly owners: OwnerResolver;
  readonly overwrite: OverwritePolicy;
  readonly dryRun: boolean;
  readonly isRoot: boolean;
  readonly umask: number;
  readonly progress: RestoreProgress;
  readonly problems: RestoreProblem[] = [];
  /** How names go to the target; known once that is made. */
  names: DiskNames = new DiskNames({ ignoresCase: false, isWindows: false });
  damaged = false;

  constructor(options: RestoreOptions, selection: Selection, owners: OwnerResolver, uid: number, umask: number) {
    this.options = options;
    this.selection = selection;
    this.owners = owners;
    this.overwrite = options.overwrite ?? "always";
    this.dryRun = options.dryRun ?? false;
    this.isRoot = uid === 0;
    this.umask = umask;
    const { files, bytes } = options.snapshot.info.stats;
    this.progress = { ...noProgress(), filesTotal: files, bytesTotal: bytes };
  }

  did(action: RestoreAction, path: RawPath, bytes = 0): void {
    this.options.onItem?.({ action, path, bytes });
  }

  tick(): void {
    this.options.onProgress?.(this.progress);
  }

  problem(path: RawPath, code: ErrorCode, detail: string): void {
    const problem = { path, code, detail };
    this.progress.problems++;
    if (DAMAGE.has(code)) this.damaged = true;
    if (this.problems.length < PROBLEMS_KEPT) this.problems.push(problem);
    this.options.onProblem?.(problem);
  }

  /** Does `work`; what the file system refuses is listed, and false. Throws what ends the run. */
  attempt(path: RawPath, work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      this.refused(path, error);
      return false;
    }
  }

  refused(path: RawPath, error: unknown): void {
    if (error instanceof AppError) {
      this.problem(path, error.code, error.message);
      return;
    }
    const { code, message } = error as SystemError;
    if (!code) throw error;
    this.endIfHopeless(path, code);
    this.problem(path, "io", message);
  }

  /** Throws `disk_full` or `io` for what every other file would meet too. */
  endIfHopeless(path: RawPath, errno: string | undefined): void {
    const shown = rawToText(path);
    if (errno === "ENOSPC" || errno === "EDQUOT") throw new AppError("disk_full", { context: { path: shown } });
    if (errno === "EROFS") {
      throw new AppError("io", { context: { path: shown, detail: "the file system is read-only" } });
    }
  }
}

/** A name beside `path` that nobody could know before. */
export function temporaryBeside(path: RawPath): RawPath {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  return `${folder}.cyberbackup-${randomBytes(8).toString("hex")}` as RawPath;
}

function noProgress(): RestoreProgress {
  return {
    files: 0,
    directories: 0,
    others: 0,
    bytes: 0,
    writtenBytes: 0,
    unchanged: 0,
    skipped: 0,
    deleted: 0,
    problems: 0,
    filesTotal: 0,
    bytesTotal: 0,
    currentPath: "",
  };
}
