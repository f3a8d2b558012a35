// How the engine speaks to a vault, wherever it is: in this process (vault/) or behind HTTPS (client/). Nothing here needs a key.
// Every call may throw an AppError; calls whose table row says `retry` may be tried again as they are.

import type { Bytes } from "../../core/bytes.ts";
import type {
  BlockId,
  ChunkId,
  DeviceId,
  KeyslotId,
  NameToken,
  PackId,
  SessionId,
  SnapshotId,
  VaultId,
} from "../../core/ids.ts";
import type { TrustGroup } from "./log-entry.ts";

/** 1 data, 2 tree (docs/format.md, Names of things). */
export type BlockKind = 1 | 2;
export const KIND_DATA = 1;
export const KIND_TREE = 2;
export const KIND_SNAPSHOT_INFO = 3;

export type LogHead = { readonly seq: number; readonly id: string };

export type SessionRequest = {
  readonly session: SessionId;
  readonly device: DeviceId;
  readonly plan: NameToken;
  /** Snapshot that the state file rests on, if any. */
  readonly base: SnapshotId | undefined;
};

export type SessionGrant = {
  /** True when the base is live or in the trash and its blocks are now protected by this session. */
  readonly baseAccepted: boolean;
  /** blockNos of the base that are quarantined or of devices outside of the trust group: what lies in them must be read and sent again. */
  readonly damagedBlocks: readonly number[];
  /** Renew before this time has passed, in milliseconds. */
  readonly leaseMs: number;
  /** True when the vault holds no chunk at all, so that asking can be skipped. */
  readonly empty: boolean;
};

export type PackReceipt = {
  readonly packId: PackId;
  /** One for each block, in the footer's order. */
  readonly blockNos: readonly number[];
};

/** Where a chunk's block lies and what is needed to open it. */
export type BlockLocation = {
  readonly blockNo: number;
  readonly blockId: BlockId;
  readonly kind: BlockKind;
  readonly session: SessionId;
  readonly device: DeviceId;
  readonly counter: number;
  /** Length of the sealed bytes. */
  readonly length: number;
  readonly pack: PackId;
  /** Offset of the sealed bytes in the pack. */
  readonly offset: number;
};

export type SnapshotRow = {
  readonly id: SnapshotId;
  readonly device: DeviceId;
  readonly plan: NameToken;
  readonly tags: readonly NameToken[];
  /** When the vault received it: the only time that retention counts by. */
  readonly receivedAt: number;
  /** seq of its commit entry. */
  readonly seq: number;
  readonly state: "live" | "trash";
  readonly trashedAt: number | undefined;
  /** 0 = for ever, undefined = not pinned. */
  readonly pinnedUntil: number | undefined;
  /** Sealed bytes that its session added. */
  readonly addedBytes: number;
};

export type DeviceRow = {
  readonly device: DeviceId;
  readonly name: string;
  readonly publicKey: Bytes;
  readonly revoked: boolean;
  /** "": the group that all are in from the start; null: set apart, alone. */
  readonly group: TrustGroup;
};

export type KeyslotRow = {
  readonly id: KeyslotId;
  readonly kind: "passphrase" | "recovery" | "passkey" | "recipient";
  readonly label: string;
  readonly addedAt: number;
};

/** What every device may call. */
export interface VaultPort {
  readonly vaultId: VaultId;
  head(): Promise<LogHead>;
  /** Raw log entries after `seq`, in order, at most `limit`. */
  logAfter(seq: number, limit: number): Promise<Bytes[]>;
  devices(): Promise<DeviceRow[]>;
  keyslots(): Promise<KeyslotRow[]>;
  keyslotFile(id: KeyslotId): Promise<Bytes>;

  openSession(request: SessionRequest): Promise<SessionGrant>;
  renewSession(session: SessionId): Promise<void>;
  /** Ends a session that was not committed: what it stored stays, for the next run to find, until garbage collection. */
  closeSession(session: SessionId): Promise<void>;
  /**
   * For n chunkIds of 32 bytes each: the blockNo that holds each one, 0 where it is missing, or only in blocks that are damaged or
   * of devices outside of the session's trust group.
   * Blocks named here are protected by the session from then on.
   */
  findChunks(session: SessionId, chunkIds: Uint8Array): Promise<Float64Array>;
  /**
   * Takes header, frames and footer as a stream of bytes in any slicing. Idempotent by packId. A slice is the vault's until the next one is
   * asked for.
   */
  putPack(session: SessionId, pack: AsyncIterable<Uint8Array>): Promise<PackReceipt>;
  /** Verifies and stores a snapshot record; ends the session. Idempotent by snapshotId. */
  commit(session: SessionId, record: Uint8Array): Promise<{ id: SnapshotId; head: LogHead; receivedAt: number }>;

  snapshots(): Promise<SnapshotRow[]>;
  snapshotRecord(id: SnapshotId): Promise<Bytes>;
  /**
   * For n chunkIds: where each one lies, undefined where it is missing or quarantined. Of several blocks that hold a chunk it is
   * one that the snapshot `prefer` rests on if there is one, else one of its device's trust group, else the oldest.
   */
  locateChunks(chunkIds: readonly ChunkId[], prefer?: SnapshotId): Promise<(BlockLocation | undefined)[]>;
  /** Sealed bytes of each block, in the order asked; not verified (the reader opens, so it verifies). */
  fetchBlocks(blocks: readonly BlockLocation[]): AsyncIterable<{ block: BlockLocation; sealed: Bytes }>;
  /** Session keys, sealed to the reader recipient, by session; from any pack or snapshot that holds them. */
  sealedSessionKeys(sessions: readonly SessionId[]): Promise<Map<SessionId, Bytes>>;
  close(): Promise<void>;
}

/** A statement that a device signed for the log (docs/format.md, The vault log). */
export type SignedStatement = {
  readonly type: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly by: DeviceId | undefined;
  readonly sig: Bytes | undefined;
};
