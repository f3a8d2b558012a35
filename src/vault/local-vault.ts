// A vault in this process: the VaultPort over an object store and an index. Keyless: nothing here could decrypt a byte.

import { type Bytes, fromHex } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import type { ChunkId, KeyslotId, SessionId, SnapshotId, VaultId } from "../core/ids.ts";
import type {
  BlockLocation,
  DeviceRow,
  KeyslotRow,
  LogHead,
  PackReceipt,
  SessionGrant,
  SessionRequest,
  SnapshotRow,
  VaultPort,
} from "../wire/v4/vault-port.ts";
import { findChunks, locateChunks } from "./chunks.ts";
import { commit } from "./commit.ts";
import type { VaultContext } from "./context.ts";
import { fetchBlocks } from "./fetch-blocks.ts";
import { currentState } from "./log.ts";
import { readHead } from "./log-index.ts";
import { keyslotKey, logKey, snapshotKey } from "./object-keys.ts";
import { receivePack } from "./receive-pack.ts";
import { closeSession, openSession, renewSession } from "./sessions.ts";
import { visibleSnapshots } from "./snapshot-rows.ts";

export class LocalVault implements VaultPort {
  /** For the rest of this room: admin, gc, scrub, check. */
  readonly context: VaultContext;

  constructor(context: VaultContext) {
    this.context = context;
  }

  get vaultId(): VaultId {
    return this.context.vaultId;
  }

  async head(): Promise<LogHead> {
    return readHead(this.context.database);
  }

  async logAfter(seq: number, limit: number): Promise<Bytes[]> {
    const last = Math.min(readHead(this.context.database).seq, seq + limit);
    const entries: Bytes[] = [];
    for (let next = seq + 1; next <= last; next++) {
      const bytes = await this.context.store.get(logKey(next));
      if (bytes === undefined) throw new AppError("log_corrupt", { context: { seq: next, detail: "it is missing" } });
      entries.push(bytes);
    }
    return entries;
  }

  async devices(): Promise<DeviceRow[]> {
    return [...currentState(this.context).devices.values()].map(({ device, name, publicKey, revoked, group }) => ({
      device,
      name,
      publicKey,
      revoked,
      group,
    }));
  }

  async keyslots(): Promise<KeyslotRow[]> {
    return [...currentState(this.context).keyslots.values()]
      .map(({ id, kind, label, addedAt }) => ({ id, kind, label, addedAt }))
      .sort((a, b) => a.addedAt - b.addedAt || (a.id < b.id ? -1 : 1));
  }

  async keyslotFile(id: KeyslotId): Promise<Bytes> {
    const isKnown = currentState(this.context).keyslots.has(id);
    const bytes = isKnown ? await this.context.store.get(keyslotKey(id)) : undefined;
    if (bytes === undefined) throw new AppError("not_found", { context: { what: `The keyslot ${id}` } });
    return bytes;
  }

  async openSession(request: SessionRequest): Promise<SessionGrant> {
    return openSession(this.context, request);
  }

  async renewSession(session: SessionId): Promise<void> {
    renewSession(this.context, session);
  }

  async closeSession(session: SessionId): Promise<void> {
    closeSession(this.context, session);
  }

  async findChunks(session: SessionId, chunkIds: Uint8Array): Promise<Float64Array> {
    return findChunks(this.context, session, chunkIds);
  }

  /** `n` counts the session's packs, where its device does: another pack under the same number is `pack_conflict`. */
  putPack(session: SessionId, pack: AsyncIterable<Uint8Array>, n?: number): Promise<PackReceipt> {
    return receivePack(this.context, session, pack, n);
  }

  commit(session: SessionId, record: Uint8Array): Promise<{ id: SnapshotId; head: LogHead; receivedAt: number }> {
    return commit(this.context, session, record);
  }

  /** In the order in which they were committed. */
  async snapshots(): Promise<SnapshotRow[]> {
    return visibleSnapshots(this.context.database);
  }

  async snapshotRecord(id: SnapshotId): Promise<Bytes> {
    const bytes = await this.context.store.get(snapshotKey(id));
    if (bytes === undefined) throw new AppError("not_found", { context: { what: `The snapshot ${id}` } });
    return bytes;
  }

  async locateChunks(chunkIds: readonly ChunkId[], prefer?: SnapshotId): Promise<(BlockLocation | undefined)[]> {
    return locateChunks(this.context, chunkIds, prefer);
  }

  fetchBlocks(blocks: readonly BlockLocation[]): AsyncIterable<{ block: BlockLocation; sealed: Bytes }> {
    return fetchBlocks(this.context, blocks);
  }

  async sealedSessionKeys(sessions: readonly SessionId[]): Promise<Map<SessionId, Bytes>> {
    const keys = new Map<SessionId, Bytes>();
    for (const session of sessions) {
      const row = this.context.database.get<{ sealedKey: Uint8Array | null }>(
        "SELECT sealedKey FROM sessions WHERE sessionId = ?",
        fromHex(session),
      );
      if (row?.sealedKey) keys.set(session, row.sealedKey as Bytes);
    }
    return keys;
  }

  async close(): Promise<void> {
    await this.context.appending;
    this.context.database.close();
    await this.context.store.close();
  }
}
