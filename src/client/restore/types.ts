// The words of a restore to disk: what is asked for, what is reported while it runs, and what comes out.

import type { ErrorCode } from "../../core/errors.ts";
import type { RawPath } from "../../core/raw-path.ts";
import type { VaultReader } from "../../engine/reader/reader.ts";
import type { OpenedSnapshot } from "../../engine/reader/snapshots.ts";
import type { NameRules } from "./disk-names.ts";

/**
 * What to do where a file exists. always: it becomes what the snapshot has (equal pieces are not written again). if-changed: the
 * same, but equal size and mtime count as equal content. if-newer: only where the snapshot's mtime is later. never: left alone.
 */
export type OverwritePolicy = "always" | "if-changed" | "if-newer" | "never";

export type RestoreOptions = {
  readonly reader: VaultReader;
  readonly snapshot: OpenedSnapshot;
  /** Folder below which the full paths are made again (`/tmp/r/home/ann`). It is created. */
  readonly target: string;
  /** A folder or file of the snapshot whose contents go straight into `target`. */
  readonly subtree?: RawPath | undefined;
  /** Absolute paths in the snapshot; all when empty. */
  readonly paths?: readonly RawPath[] | undefined;
  /** Globs (engine/reader/glob.ts). */
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
  readonly overwrite?: OverwritePolicy | undefined;
  /** Removes what the snapshot does not have, inside restored folders only. */
  readonly delete?: boolean | undefined;
  /** Leaves holes for zeros even where none were recorded. */
  readonly sparse?: boolean | undefined;
  /** Reads every written file again and compares it. */
  readonly verify?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
  /** What names the target can have (default: what is found out about it). */
  readonly nameRules?: NameRules | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Readonly<RestoreProgress>) => void) | undefined;
  readonly onItem?: ((item: RestoreItem) => void) | undefined;
  readonly onProblem?: ((problem: RestoreProblem) => void) | undefined;
  /** Worker threads; as many as there are processors when left out. */
  readonly workers?: number | undefined;
};

export type RestoreAction =
  | "create"
  | "update"
  | "metadata"
  | "unchanged"
  | "skip"
  | "link"
  | "delete"
  /** A kind of file that cannot be restored (sockets). */
  | "ignore";

/** What was done (or would be, in a dry run) with one path. `path` is the one on the disk. */
export type RestoreItem = { readonly action: RestoreAction; readonly path: RawPath; readonly bytes: number };

export type RestoreProblem = {
  /** The path on the disk. */
  readonly path: RawPath;
  readonly code: ErrorCode;
  readonly detail: string;
};

/** Live figures; the totals are the snapshot's, so a selection ends below them. */
export type RestoreProgress = {
  files: number;
  directories: number;
  others: number;
  /** Of files that are done. */
  bytes: number;
  /** Bytes that were written. */
  writtenBytes: number;
  unchanged: number;
  skipped: number;
  deleted: number;
  problems: number;
  filesTotal: number;
  bytesTotal: number;
  currentPath: string;
};

export type RestoreResult = Readonly<Omit<RestoreProgress, "currentPath" | "filesTotal" | "bytesTotal">> & {
  /** The first `PROBLEMS_KEPT`; `problems` counts all. */
  readonly problemList: readonly RestoreProblem[];
  /** True when something in the vault is damaged or missing: the command exits as damaged. */
  readonly damaged: boolean;
  /** Entries whose owner could not be given back because only root may. */
  readonly ownersNotSet: number;
};

export const PROBLEMS_KEPT = 1000;
