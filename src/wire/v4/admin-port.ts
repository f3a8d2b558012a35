// What only an administrator of a vault does, wherever the vault is: in this process (vault/) or behind HTTPS (engine/remote/), where
// long work is a job of the server. Nothing here needs a key. Options are the caller's, results plain data that survives JSON.

import type { ErrorCode } from "../../core/errors.ts";
import type { PackId, SnapshotId } from "../../core/ids.ts";
import type { LogHead, SignedStatement } from "./vault-port.ts";

export type WorkProgress = { readonly doneBytes: number; readonly totalBytes: number };

/** How long work is watched and stopped. What was done before `signal` fired (`interrupted`) stays done. */
export type Watched<Progress = WorkProgress> = {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
};

export type GcOptions = Watched & {
  /** Purge snapshots that have been in the trash for so long (default 7 days). */
  readonly trashMs?: number;
  /** Rewrite a pack once this share of it is garbage (default 0.25). */
  readonly maxDeadShare?: number;
  /** Packs with less than this are merged when there are several (default 4 MiB). */
  readonly smallPackBytes?: number;
  /** About how large merged packs become (default 32 MiB). */
  readonly targetPackBytes?: number;
};

/** What a collection is going to do: a dry run prints it, a person confirms it. */
export type GcPlan = {
  readonly purge: readonly SnapshotId[];
  /** Packs in which nothing is live. */
  readonly remove: readonly PackId[];
  /** Each group becomes one new pack. */
  readonly compact: readonly (readonly PackId[])[];
  readonly keptPacks: number;
  /** Bytes that the store will have less. */
  readonly freedBytes: number;
  /** Bytes that are copied for it. */
  readonly copiedBytes: number;
};

export type GcResult = {
  readonly purgedSnapshots: readonly SnapshotId[];
  readonly removedPacks: number;
  readonly compactedPacks: number;
  readonly writtenPacks: number;
  /** How much smaller packs/ is. */
  readonly freedBytes: number;
  /** Objects that nothing explained, left by crashes. */
  readonly removedOrphans: readonly string[];
  /** Keys that are no object of a vault: left alone. */
  readonly unexpected: readonly string[];
};

export type Problem = {
  /** Key in the store, or "index". */
  readonly object: string;
  /** "unexpected": an object that nothing refers to. After a crash that is harmless, and garbage collection removes it. */
  readonly code: ErrorCode | "unexpected";
  readonly detail: string;
};

export type ScrubOptions = Watched & {
  /** Share of the stored bytes to read, 0 to 1 (default 1); what was checked longest ago first. */
  readonly sample?: number;
  /** Beyond the sample, also what was not read for so long. */
  readonly dueMs?: number;
  /** Read no faster than this (default: as fast as it goes). */
  readonly bytesPerSecond?: number;
};

export type ScrubReport = {
  readonly packs: number;
  readonly blocks: number;
  readonly bytes: number;
  /** Blocks that this run quarantined. */
  readonly quarantined: readonly number[];
  readonly problems: readonly Problem[];
};

export type CheckOptions = Watched & {
  /** Read and verify every byte of every pack too. */
  readonly readData?: boolean;
};

export type CheckReport = {
  readonly objects: number;
  readonly blocks: number;
  readonly bytesRead: number;
  readonly problems: readonly Problem[];
};

export type RebuildReport = {
  readonly packs: number;
  readonly blocks: number;
  readonly logEntries: number;
  /** Packs and snapshot records that could not be read: what lies in them is missing from the new index. */
  readonly problems: readonly Problem[];
};

export type VaultStats = {
  readonly snapshots: number;
  readonly trashedSnapshots: number;
  readonly packs: number;
  /** Of all packs. */
  readonly packBytes: number;
  readonly blocks: number;
  /** Sealed bytes of all blocks. */
  readonly blockBytes: number;
  readonly chunks: number;
  readonly damagedBlocks: number;
  /** Garbage that waits for its pack to be rewritten. */
  readonly droppedBytes: number;
  readonly openSessions: number;
  readonly logEntries: number;
};

export interface VaultAdminPort {
  /**
   * Applies a statement: `device-add`, `device-revoke`, `device-trust`, `keyslot-add` (with its file), `keyslot-remove`, `remove`, `undelete`,
   * `pin` or `unpin`. Errors: `not_found`, `snapshot_pinned`, `last_keyslot`, `signature_bad`, `usage`.
   */
  apply(statement: SignedStatement, keyslotFile?: Uint8Array): Promise<LogHead>;
  /** Purges snapshots that have been in the trash for at least `olderThanMs`; answers their ids. */
  purgeTrash(olderThanMs: number): Promise<SnapshotId[]>;
  /** What `collectGarbage` would do now. Changes nothing. */
  planGarbage(options?: GcOptions): Promise<GcPlan>;
  collectGarbage(options?: GcOptions): Promise<GcResult>;
  scrub(options?: ScrubOptions): Promise<ScrubReport>;
  check(options?: CheckOptions): Promise<CheckReport>;
  stats(): Promise<VaultStats>;
}
