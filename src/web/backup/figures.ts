// What a run in this browser tells the page, over and over, while it works.

import type { SnapshotId } from "../../core/ids.ts";
import type { RunTotals } from "../../engine/backup/types.ts";

export const RUN_PHASES = [
  "connecting",
  "signing-in",
  "scanning",
  "encrypting",
  "sending",
  "committing",
  "done",
] as const;
export type RunPhase = (typeof RUN_PHASES)[number];

export type Figures = {
  readonly phase: RunPhase;
  readonly isPaused: boolean;
  readonly elapsedMs: number;
  readonly files: number;
  readonly folders: number;
  /** Of files that are done, read or not. */
  readonly bytes: number;
  readonly newFiles: number;
  readonly changedFiles: number;
  readonly unchangedFiles: number;
  /** Of chunks that the vault lacked, before compression. */
  readonly newBytes: number;
  /** The same, compressed and sealed. */
  readonly addedBytes: number;
  /** Of those, what has left this browser. */
  readonly sentBytes: number;
  readonly problems: number;
  readonly expected: RunTotals | undefined;
  readonly current: string;
  /** How long the server takes to answer something small; undefined before the first. */
  readonly latencyMs: number | undefined;
  /** Times that the network or the server had to be waited for. */
  readonly waits: number;
  /** Just now. */
  readonly isWaiting: boolean;
};

export type LogLevel = "info" | "warning" | "error";
/** Codes and values only: the page has the words. */
export type LogLine = {
  readonly at: number;
  readonly level: LogLevel;
  readonly what:
    | "phase"
    | "paused"
    | "resumed"
    | "wait"
    | "problem"
    | "pack"
    | "again"
    | "done"
    | "failed"
    | "cancelled";
  readonly values: Readonly<Record<string, string | number>>;
};

export type RunEvent = { readonly figures: Figures } | { readonly line: LogLine };

export type RunEnd = {
  readonly snapshot: SnapshotId;
  readonly figures: Figures;
  readonly problems: readonly { readonly path: string; readonly code: string }[];
};
