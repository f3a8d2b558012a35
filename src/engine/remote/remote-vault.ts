// A vault on a server: the VaultPort over HTTPS (docs/protocol-v4.md, The device API). It holds no key of the vault, and what it hands on
// is as little to be trusted as the server: readers open, re-hash and verify everything, as they do with a vault on a disk.

import { type Bytes, concatBytes } from "../../core/bytes.ts";
import { AppError } from "../../core/errors.ts";
import type { ChunkId, KeyslotId, SessionId, SnapshotId, VaultId } from "../../core/ids.ts";
import { decodeFound, decodeLocated } from "../../wire/v4/api/chunk-answers.ts";
import { API_LIMITS, DEVICE_ROUTES } from "../../wire/v4/api/device-routes.ts";
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
} from "../../wire/v4/vault-port.ts";
import type { ApiClient } from "./api-client.ts";
import { CALL_BYTES, fetchBlocks } from "./block-fetcher.ts";
import { answerInvalid, IF_NONE_MATCH, NOT_MODIFIED } from "./exchange.ts";
import { PackSender } from "./pack-sender.ts";
import { Slots } from "./slots.ts";

export type RemoteVaultOptions = {
  readonly client: ApiClient;
  /** Name or id, as the address has it. */
  readonly name: string;
  /** What this machine knows the vault as. */
  readonly vaultId: VaultId | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Of blocks, in one answer: more where each call is dear. */
  readonly callBytes?: number | undefined;
};

type CallOptions = Pick<RemoteVaultOptions, "signal" | "callBytes">;

const CHUNK_BYTES = 32;
/** Calls of one question that was cut up. */
const CALLS_AT_ONCE = 4;
const FAREWELL_MS = 5000;

/** Throws `vault_mismatch` when the server has another vault there than this machine knows, and what calling throws. */
export async function openRemoteVault(options: RemoteVaultOptions): Promise<RemoteVault> {
  const { client, name, vaultId } = options;
  const head = await client.call(DEVICE_ROUTES.head, { params: { vault: vaultId ?? name } });
  if (vaultId !== undefined && head.vault !== vaultId) {
    throw new AppError("vault_mismatch", { context: { detail: `the server has vault ${head.vault} at this address` } });
  }
  return new RemoteVault(client, head.vault, options);
}

export class RemoteVault implements VaultPort {
  readonly vaultId: VaultId;
  readonly client: ApiClient;
  readonly #signal: AbortSignal | undefined;
  readonly #callBytes: number;
  readonly #packs: PackSender;
  readonly #questions = new Slots(2 * CALLS_AT_ONCE);
  #snapshots: { readonly tag: string; readonly rows: readonly SnapshotRow[] } | undefined;

  constructor(client: ApiClient, vaultId: VaultId, { signal, callBytes = CALL_BYTES }: CallOptions = {}) {
    this.client = client;
    this.vaultId = vaultId;
    this.#signal = signal;
    this.#callBytes = callBytes;
    this.#packs = new PackSender(client, vaultId);
  }

  async head(): Promise<LogHead> {
    const { vault, seq, id } = await this.client.call(DEVICE_ROUTES.head, { params: this.#params });
    if (vault !== this.vaultId) throw answerInvalid("it is about another vault.");
    return { seq, id };
  }

  async logAfter(after: number, limit: number): Promise<Bytes[]> {
    const query = { after, limit: Math.min(limit, API_LIMITS.logEntriesPerCall) };
    const { entries } = await this.client.call(DEVICE_ROUTES.log, { params: this.#params, query });
    if (entries.length > query.limit) throw answerInvalid("it gave more log entries than were asked for.");
    return entries;
  }

  async devices(): Promise<DeviceRow[]> {
    return (await this.client.call(DEVICE_ROUTES.devices, { params: this.#params })).devices;
  }

  async keyslots(): Promise<KeyslotRow[]> {
    return (await this.client.call(DEVICE_ROUTES.keyslots, { params: this.#params })).keyslots;
  }

  keyslotFile(keyslot: KeyslotId): Promise<Bytes> {
    return this.client.call(DEVICE_ROUTES.keyslot, { params: { ...this.#params, keyslot } });
  }

  /** The device is whoever is logged in. */
  openSession({ session, plan, base }: SessionRequest): Promise<SessionGrant> {
    const body = { session, plan, base: base ?? null };
    return this.client.call(DEVICE_ROUTES.openSession, { params: this.#params, body });
  }

  async renewSession(session: SessionId): Promise<void> {
    await this.client.call(DEVICE_ROUTES.renewSession, { params: { ...this.#params, session } });
  }

  /** Often the last thing that an interrupted run does: it neither waits long nor tries again. The lease ends by itself. */
  async closeSession(session: SessionId): Promise<void> {
    this.#packs.forget(session);
    const params = { ...this.#params, session };
    await this.client.farewell(DEVICE_ROUTES.closeSession, { params }, AbortSignal.timeout(FAREWELL_MS));
  }

  async findChunks(session: SessionId, chunkIds: Uint8Array): Promise<Float64Array> {
    const params = { ...this.#params, session };
    const found = new Float64Array(chunkIds.length / CHUNK_BYTES);
    // Calls may have to wait, and the bytes are their owner's again once this function has returned.
    const own = chunkIds.slice();
    await this.#inParts(found.length, async (from, to) => {
      const ids = own.slice(from * CHUNK_BYTES, to * CHUNK_BYTES);
      const answer = await this.client.call(DEVICE_ROUTES.findChunks, { params, body: { ids } });
      found.set(decodeFound(to - from, answer, refuse), from);
    });
    return found;
  }

  putPack(session: SessionId, pack: AsyncIterable<Uint8Array>): Promise<PackReceipt> {
    return this.#packs.put(session, pack);
  }

  async commit(session: SessionId, record: Uint8Array): Promise<{ id: SnapshotId; head: LogHead; receivedAt: number }> {
    const params = { ...this.#params, session };
    const body = record as Bytes;
    const { id, seq, head, receivedAt } = await this.client.call(DEVICE_ROUTES.commit, { params, body });
    this.#packs.forget(session);
    return { id, head: { seq, id: head }, receivedAt };
  }

  /** Asked for anew only when the log has moved. */
  async snapshots(): Promise<SnapshotRow[]> {
    const known = this.#snapshots;
    const headers = known ? { [IF_NONE_MATCH]: known.tag } : {};
    const answer = await this.client.exchange(DEVICE_ROUTES.snapshots, { params: this.#params, headers });
    if (answer.status === NOT_MODIFIED) return [...known!.rows];
    const rows = answer.value.snapshots.map((row) => ({
      ...row,
      trashedAt: row.trashedAt ?? undefined,
      pinnedUntil: row.pinnedUntil ?? undefined,
    }));
    const tag = answer.header("etag");
    this.#snapshots = tag === undefined ? undefined : { tag, rows };
    return [...rows];
  }

  snapshotRecord(snapshot: SnapshotId): Promise<Bytes> {
    return this.client.call(DEVICE_ROUTES.snapshotRecord, { params: { ...this.#params, snapshot } });
  }

  async locateChunks(chunkIds: readonly ChunkId[], prefer?: SnapshotId): Promise<(BlockLocation | undefined)[]> {
    const found = new Array<BlockLocation | undefined>(chunkIds.length);
    await this.#inParts(chunkIds.length, async (from, to) => {
      const body = { ids: concatBytes(chunkIds.slice(from, to)), snapshot: prefer ?? null };
      const answer = await this.client.call(DEVICE_ROUTES.locateChunks, { params: this.#params, body });
      for (const [i, location] of decodeLocated(to - from, answer, refuse).entries()) found[from + i] = location;
    });
    return found;
  }

  fetchBlocks(blocks: readonly BlockLocation[]): AsyncIterable<{ block: BlockLocation; sealed: Bytes }> {
    return fetchBlocks(this.client, this.vaultId, blocks, { signal: this.#signal, callBytes: this.#callBytes });
  }

  async sealedSessionKeys(sessions: readonly SessionId[]): Promise<Map<SessionId, Bytes>> {
    const keys = new Map<SessionId, Bytes>();
    for (let at = 0; at < sessions.length; at += API_LIMITS.sessionsPerCall) {
      const body = { sessions: sessions.slice(at, at + API_LIMITS.sessionsPerCall) };
      const answer = await this.client.call(DEVICE_ROUTES.sessionKeys, { params: this.#params, body });
      for (const { session, key } of answer.keys) keys.set(session, key);
    }
    return keys;
  }

  close(): Promise<void> {
    return this.client.transport.close();
  }

  get #params(): { readonly vault: VaultId } {
    return { vault: this.vaultId };
  }

  /** Cuts a question about `count` chunks into calls, several at a time. */
  async #inParts(count: number, ask: (from: number, to: number) => Promise<void>): Promise<void> {
    const calls: Promise<void>[] = [];
    for (let from = 0; from < count; from += API_LIMITS.chunksPerCall) {
      const to = Math.min(count, from + API_LIMITS.chunksPerCall);
      calls.push(this.#questions.run(() => ask(from, to)));
    }
    await Promise.all(calls);
  }
}

function refuse(detail: string): never {
  throw answerInvalid(`${detail}.`);
}
