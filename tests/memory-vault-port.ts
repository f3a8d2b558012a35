// A vault that is a few maps: enough of VaultPort for tests of the read side, and easy to damage.

import { type Bytes, toHex } from "../src/core/bytes.ts";
import { AppError } from "../src/core/errors.ts";
import type { BlockId, ChunkId, PackId, SessionId, SnapshotId, VaultId } from "../src/core/ids.ts";
import { decodeSnapshotRecord } from "../src/wire/v4/snapshot-record.ts";
import type { BlockLocation, DeviceRow, SnapshotRow, VaultPort } from "../src/wire/v4/vault-port.ts";

export type StoredBlock = { location: BlockLocation; sealed: Bytes };

export class MemoryVaultPort implements VaultPort {
  readonly vaultId: VaultId;
  readonly blocks = new Map<number, StoredBlock>();
  /** blockNo by hex chunkId. */
  readonly index = new Map<string, number>();
  readonly records = new Map<SnapshotId, Bytes>();
  readonly rows: SnapshotRow[] = [];
  readonly deviceRows: DeviceRow[] = [];
  readonly sessionKeys = new Map<SessionId, Bytes>();
  /** How often each call was made. */
  readonly calls = { locate: 0, fetch: 0, keys: 0 };

  constructor(vaultId: VaultId) {
    this.vaultId = vaultId;
  }

  addBlock(
    block: Pick<BlockLocation, "kind" | "session" | "device" | "counter"> & { blockId: Bytes },
    sealed: Bytes,
    chunkIds: readonly ChunkId[],
  ): number {
    const blockNo = this.blocks.size + 1;
    const pack = block.session.repeat(2) as PackId;
    const blockId = block.blockId as BlockId;
    this.blocks.set(blockNo, {
      sealed,
      location: { ...block, blockId, blockNo, length: sealed.length, pack, offset: blockNo * 2 ** 24 },
    });
    for (const id of chunkIds) this.index.set(toHex(id), blockNo);
    return blockNo;
  }

  async addRecord(bytes: Bytes): Promise<SnapshotRow> {
    const record = await decodeSnapshotRecord(bytes);
    const row: SnapshotRow = {
      id: record.id,
      device: record.device,
      plan: record.plan,
      tags: record.tags,
      receivedAt: record.time,
      seq: this.rows.length + 1,
      state: "live",
      trashedAt: undefined,
      pinnedUntil: undefined,
      addedBytes: record.added,
    };
    this.records.set(record.id, bytes);
    this.rows.push(row);
    return row;
  }

  async snapshots() {
    return [...this.rows];
  }

  async snapshotRecord(id: SnapshotId) {
    const bytes = this.records.get(id);
    if (bytes) return bytes;
    throw new AppError("not_found", { context: { what: `Snapshot ${id}` } });
  }

  async devices() {
    return [...this.deviceRows];
  }

  async locateChunks(chunkIds: readonly ChunkId[]) {
    this.calls.locate++;
    return chunkIds.map((id) => this.blocks.get(this.index.get(toHex(id)) ?? 0)?.location);
  }

  async *fetchBlocks(blocks: readonly BlockLocation[]) {
    for (const block of blocks) {
      this.calls.fetch++;
      const stored = this.blocks.get(block.blockNo);
      if (!stored) throw new AppError("pack_corrupt", { context: { pack: block.pack, detail: "it is gone" } });
      // A copy: the caller may transfer it.
      yield { block, sealed: stored.sealed.slice() };
    }
  }

  async sealedSessionKeys(sessions: readonly SessionId[]) {
    this.calls.keys++;
    return new Map(sessions.flatMap((id) => (this.sessionKeys.has(id) ? [[id, this.sessionKeys.get(id)!]] : [])));
  }

  async close() {}

  head = unused;
  logAfter = unused;
  keyslots = unused;
  keyslotFile = unused;
  openSession = unused;
  renewSession = unused;
  closeSession = unused;
  findChunks = unused;
  putPack = unused;
  commit = unused;
}

function unused(): never {
  throw new Error("the memory vault is for reading");
}
