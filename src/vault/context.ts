// What the parts of an open vault share.

import type { Clock } from "../core/clock.ts";
import type { SessionId, SnapshotId, VaultId } from "../core/ids.ts";
import type { Logger } from "../core/log.ts";
import type { ObjectStore } from "../storage/object-store.ts";
import type { LogState } from "../wire/v4/log-state.ts";
import type { Database } from "./database.ts";

export type VaultContext = {
  readonly vaultId: VaultId;
  readonly store: ObjectStore;
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly leaseMs: number;
  /** True when whoever calls putPack has just hashed the same bytes in this process. */
  readonly trustBlockHashes: boolean;
  /** Waits until so much memory may be used; answers how to give it back. */
  takeMemory(bytes: number): Promise<() => void>;
  /** What this process knows of its sessions; the database stays the truth. */
  readonly sessions: Map<SessionId, SessionMemory>;
  /** Blocks, ascending, of the snapshot that a reader preferred last; see chunks.ts. */
  preferred: { readonly snapshot: SnapshotId; readonly refs: Float64Array } | undefined;
  /** Log state as of its head; made anew when another process has moved the head. */
  logState: LogState | undefined;
  /** Appends to the log run one after the other. */
  appending: Promise<unknown>;
};

export type SessionMemory = {
  /** Blocks that the session is known to protect. */
  readonly protectedBlocks: Set<number>;
};
