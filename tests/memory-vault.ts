// A vault in memory that backups can be made to: packs are parsed and verified as a vault does, blocks land in a MemoryVaultPort.
// Tests slow it down, lose its base, or damage its blocks.

import { type Bytes, concatBytes, equalBytes, toHex } from "../src/core/bytes.ts";
import { AppError } from "../src/core/errors.ts";
import type { SessionId, SnapshotId, VaultId } from "../src/core/ids.ts";
import { sha256 } from "../src/core/sha256.ts";
import { verifySignature } from "../src/crypto/signature.ts";
import { type BlockEntry, blockStatement, type PackSession, packIdOf } from "../src/wire/v4/pack.ts";
import { decodeFooter } from "../src/wire/v4/pack-footer.ts";
import { decodePackHeader } from "../src/wire/v4/pack-header.ts";
import { PackStreamParser } from "../src/wire/v4/pack-stream.ts";
import { decodeRefs } from "../src/wire/v4/refs.ts";
import { decodeSnapshotRecord, snapshotStatement } from "../src/wire/v4/snapshot-record.ts";
import type {
  BlockLocation,
  DeviceRow,
  PackReceipt,
  SessionGrant,
  SessionRequest,
  VaultPort,
} from "../src/wire/v4/vault-port.ts";
import { MemoryVaultPort } from "./memory-vault-port.ts";

export class MemoryVault implements VaultPort {
  readonly vaultId: VaultId;
  readonly stored: MemoryVaultPort;
  readonly packs: { readonly packId: string; readonly sizeBytes: number; readonly blockNos: readonly number[] }[] = [];
  /** Sealed bytes of all blocks that were ever accepted. */
  storedBytes = 0;
  /** chunkIds that were asked for by `findChunks`. */
  asked = 0;
  readonly open = new Map<SessionId, SessionRequest>();
  /** Snapshots that may not be a base any more. */
  readonly gone = new Set<SnapshotId>();
  /** Quarantined blocks: they count as missing. */
  readonly damaged = new Set<number>();
  /** Called before each slice of a pack is taken, and before each answer to a question. */
  onSlice: () => unknown = () => undefined;
  onAsk: () => unknown = () => undefined;

  constructor(vaultId: VaultId, device: DeviceRow) {
    this.vaultId = vaultId;
    this.stored = new MemoryVaultPort(vaultId);
    this.stored.deviceRows.push(device);
  }

  async head() {
    return { seq: this.stored.rows.length, id: "00".repeat(32) };
  }

  async openSession(request: SessionRequest): Promise<SessionGrant> {
    this.open.set(request.session, request);
    const record = request.base && !this.gone.has(request.base) ? this.stored.records.get(request.base) : undefined;
    const refs = record ? decodeRefs((await decodeSnapshotRecord(record)).refs) : [];
    return {
      baseAccepted: record !== undefined,
      damagedBlocks: refs.filter((blockNo) => this.damaged.has(blockNo)),
      leaseMs: 60_000,
      empty: this.stored.index.size === 0,
    };
  }

  async renewSession() {}

  async closeSession(session: SessionId) {
    this.open.delete(session);
  }

  async findChunks(session: SessionId, chunkIds: Uint8Array): Promise<Float64Array> {
    this.#require(session);
    this.asked += chunkIds.length / 32;
    const found = Float64Array.from({ length: chunkIds.length / 32 }, (_, i) => {
      const blockNo = this.stored.index.get(toHex(chunkIds.subarray(i * 32, i * 32 + 32))) ?? 0;
      return this.damaged.has(blockNo) ? 0 : blockNo;
    });
    await this.onAsk();
    return found;
  }

  async putPack(session: SessionId, pack: AsyncIterable<Uint8Array>): Promise<PackReceipt> {
    this.#require(session);
    const parser = new PackStreamParser();
    const sealed: Bytes[] = [];
    let header: Uint8Array = new Uint8Array(0);
    let footer: Uint8Array = new Uint8Array(0);
    for await (const slice of pack) {
      await this.onSlice();
      // After each step the slice is its sender's again.
      for (const event of parser.push(slice)) {
        if (event.type === "header") header = event.bytes.slice();
        else if (event.type === "footer") footer = event.bytes.slice();
        else if (event.type === "frame") sealed.push(event.sealed.slice());
      }
    }
    parser.end();
    this.#require(session);
    const [owner] = decodePackHeader(header).sessions;
    const entries = decodeFooter(footer);
    for (const [i, entry] of entries.entries()) await this.#verify(owner!, entry, sealed[i]!);
    const blockNos = entries.map((entry, i) => this.#keep(owner!, entry, sealed[i]!));
    this.stored.sessionKeys.set(session, owner!.sealedKey.slice());
    const packId = await packIdOf(header, footer);
    this.packs.push({ packId, sizeBytes: concatBytes(sealed).length, blockNos });
    return { packId, blockNos };
  }

  async commit(session: SessionId, bytes: Uint8Array) {
    this.#require(session);
    const record = await decodeSnapshotRecord(bytes.slice());
    const [device] = this.stored.deviceRows;
    if (!(await verifySignature(device!.publicKey, await snapshotStatement(record), record.sig))) {
      throw new AppError("signature_bad", { context: { what: "a snapshot" } });
    }
    const missing = decodeRefs(record.refs).find((blockNo) => !this.stored.blocks.has(blockNo));
    if (missing !== undefined) throw new AppError("not_found", { context: { what: `Block ${missing}` } });
    this.open.delete(session);
    const row = await this.stored.addRecord(bytes.slice());
    return { id: row.id, head: await this.head(), receivedAt: row.receivedAt };
  }

  snapshots() {
    return this.stored.snapshots();
  }

  snapshotRecord(id: SnapshotId) {
    return this.stored.snapshotRecord(id);
  }

  devices() {
    return this.stored.devices();
  }

  async locateChunks(chunkIds: Parameters<VaultPort["locateChunks"]>[0]) {
    const found = await this.stored.locateChunks(chunkIds);
    return found.map((location) => (location && this.damaged.has(location.blockNo) ? undefined : location));
  }

  fetchBlocks(blocks: readonly BlockLocation[]) {
    return this.stored.fetchBlocks(blocks);
  }

  sealedSessionKeys(sessions: readonly SessionId[]) {
    return this.stored.sealedSessionKeys(sessions);
  }

  async logAfter() {
    return [];
  }

  async keyslots() {
    return [];
  }

  async keyslotFile(): Promise<never> {
    throw new AppError("not_found", { context: { what: "The keyslot" } });
  }

  async close() {}

  #require(session: SessionId): void {
    if (!this.open.has(session)) throw new AppError("session_unknown");
  }

  async #verify(owner: PackSession, entry: BlockEntry, sealed: Bytes): Promise<void> {
    if (!equalBytes(await sha256(sealed), entry.blockId)) {
      throw new AppError("pack_corrupt", { context: { pack: "(new)", detail: "a block does not fit its id" } });
    }
    const idsHash = await sha256(entry.chunkIds);
    const statement = blockStatement(this.vaultId, owner.session, entry.counter, entry.kind, entry.blockId, idsHash);
    if (await verifySignature(this.stored.deviceRows[0]!.publicKey, statement, entry.signature)) return;
    throw new AppError("signature_bad", { context: { what: "a block" } });
  }

  #keep({ session, device }: PackSession, { kind, counter, blockId, chunkIds }: BlockEntry, sealed: Bytes): number {
    this.storedBytes += sealed.length;
    const ids = Array.from({ length: chunkIds.length / 32 }, (_, i) => chunkIds.slice(i * 32, i * 32 + 32));
    return this.stored.addBlock({ kind, session, device, counter, blockId: blockId.slice() }, sealed, ids as never);
  }
}
