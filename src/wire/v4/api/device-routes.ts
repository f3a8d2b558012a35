// The device API, row by row (docs/protocol-v4.md, The device API). Limits stand here once, for server, client and openapi.json.

import { z } from "zod";
import {
  type DeviceId,
  ID_BYTES,
  type KeyslotId,
  type NameToken,
  type PackId,
  type SessionId,
  type SnapshotId,
  type VaultId,
} from "../../../core/ids.ts";
import { bin, binId, whole } from "./coding.ts";
import { routes } from "./route.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

export const API_LIMITS = {
  chunksPerCall: 4096,
  blocksPerCall: 1024,
  bytesPerFetch: 64 * MIB,
  sessionsPerCall: 1024,
  logEntriesPerCall: 1024,
  logBytesPerCall: 8 * MIB,
  packBytes: 288 * MIB,
  recordBytes: 64 * MIB,
  keyslotBytes: 64 * KIB,
  openSessionsPerDevice: 16,
  packsAtOncePerDevice: 8,
  smallBodyBytes: 64 * KIB,
} as const;

const vaultId = binId<VaultId>(ID_BYTES.vault);
const deviceId = binId<DeviceId>(ID_BYTES.device);
const sessionId = binId<SessionId>(ID_BYTES.session);
const snapshotId = binId<SnapshotId>(ID_BYTES.snapshot);
const keyslotId = binId<KeyslotId>(ID_BYTES.keyslot);
const packId = binId<PackId>(ID_BYTES.pack);
const token = binId<NameToken>(ID_BYTES.token);
/** Id of a log entry. */
const entryId = binId<string>(32);
const chunkIds = bin({ max: API_LIMITS.chunksPerCall * ID_BYTES.chunk });
const vaultName = z.string().min(1).max(255);

export const signedStatement = z.strictObject({
  type: z.string().max(64),
  body: z.record(z.string().max(64), z.unknown()),
  by: deviceId.nullable(),
  sig: bin(64).nullable(),
});

const messages = {
  challengeAsk: z.strictObject({ vault: vaultName, device: deviceId }),
  challenge: z.strictObject({ vault: vaultId, challenge: bin(32), expiresAt: whole }),
  loginAsk: z.strictObject({
    vault: vaultId,
    device: deviceId,
    challenge: bin(32),
    bindingKind: z.number().int().min(1).max(2),
    sig: bin(64),
  }),
  login: z.strictObject({ token: z.string().max(128), expiresAt: whole }),
  enrolAsk: z.strictObject({ lookup: bin(16), token: bin(32), statement: signedStatement }),
  enrolled: z.strictObject({ vault: vaultId, name: vaultName, sealed: bin({ max: 16 * KIB }) }),
  head: z.strictObject({ vault: vaultId, seq: whole, id: entryId }),
  log: z.strictObject({ entries: z.array(bin({ max: API_LIMITS.recordBytes })) }),
  devices: z.strictObject({
    devices: z.array(
      z.strictObject({
        device: deviceId,
        name: z.string(),
        publicKey: bin(32),
        revoked: z.boolean(),
        group: z.string().nullable(),
      }),
    ),
  }),
  keyslots: z.strictObject({
    keyslots: z.array(
      z.strictObject({
        id: keyslotId,
        kind: z.enum(["passphrase", "recovery", "passkey", "recipient"]),
        label: z.string(),
        addedAt: whole,
      }),
    ),
  }),
  snapshots: z.strictObject({
    snapshots: z.array(
      z.strictObject({
        id: snapshotId,
        device: deviceId,
        plan: token,
        tags: z.array(token),
        receivedAt: whole,
        seq: whole,
        state: z.enum(["live", "trash"]),
        trashedAt: whole.nullable(),
        pinnedUntil: whole.nullable(),
        addedBytes: whole,
      }),
    ),
  }),
  sessionAsk: z.strictObject({ session: sessionId, plan: token, base: snapshotId.nullable() }),
  grant: z.strictObject({
    baseAccepted: z.boolean(),
    damagedBlocks: z.array(whole),
    leaseMs: whole,
    empty: z.boolean(),
  }),
  chunksAsk: z.strictObject({ ids: chunkIds }),
  chunks: z.strictObject({
    have: bin({ max: API_LIMITS.chunksPerCall / 8 }),
    blockNos: bin({ max: API_LIMITS.chunksPerCall * 8 }),
  }),
  receipt: z.strictObject({ pack: packId, blockNos: z.array(whole) }),
  committed: z.strictObject({ id: snapshotId, seq: whole, head: entryId, receivedAt: whole }),
  locateAsk: z.strictObject({ ids: chunkIds, snapshot: snapshotId.nullable() }),
  located: z.strictObject({
    blocks: z.array(
      z.strictObject({
        blockNo: whole,
        blockId: bin(ID_BYTES.block),
        kind: z.number().int().min(1).max(2),
        session: sessionId,
        device: deviceId,
        counter: whole,
        length: whole,
        pack: packId,
        offset: whole,
      }),
    ),
    of: bin({ max: API_LIMITS.chunksPerCall * 4 }),
  }),
  blocksAsk: z.strictObject({ blockNos: z.array(whole).min(1).max(API_LIMITS.blocksPerCall) }),
  sessionKeysAsk: z.strictObject({ sessions: z.array(sessionId).max(API_LIMITS.sessionsPerCall) }),
  sessionKeys: z.strictObject({
    keys: z.array(z.strictObject({ session: sessionId, key: bin({ max: 8192 }) })),
  }),
} as const;

const msgpack = <Schema extends z.ZodType>(schema: Schema) => ({ kind: "msgpack", schema }) as const;
const ask = <Schema extends z.ZodType>(schema: Schema, maxBytes: number = API_LIMITS.smallBodyBytes) =>
  ({ kind: "msgpack", schema, maxBytes }) as const;
const object = { kind: "object" } as const;
const empty = { kind: "empty" } as const;

const VAULT = "/api/v4/vaults/{vault}";
const SESSION = `${VAULT}/sessions/{session}`;
const READERS = ["device", "viewer"] as const;
const DEVICE = ["device"] as const;

export const DEVICE_ROUTES = routes({
  challenge: {
    method: "POST",
    path: "/api/v4/login/challenge",
    who: ["anyone"],
    summary: "Asks for a challenge to log a device in.",
    body: ask(messages.challengeAsk),
    answer: msgpack(messages.challenge),
  },
  login: {
    method: "POST",
    path: "/api/v4/login",
    who: ["anyone"],
    summary: "Exchanges a signed challenge for a token.",
    body: ask(messages.loginAsk),
    answer: msgpack(messages.login),
  },
  enroll: {
    method: "POST",
    path: "/api/v4/enroll",
    who: ["anyone"],
    summary: "Enrols a device by an invitation.",
    body: ask(messages.enrolAsk),
    answer: msgpack(messages.enrolled),
  },
  head: {
    method: "GET",
    path: `${VAULT}/head`,
    who: READERS,
    summary: "The head of the vault log.",
    answer: msgpack(messages.head),
  },
  log: {
    method: "GET",
    path: `${VAULT}/log`,
    who: READERS,
    summary: "Entries of the vault log after a number.",
    query: z.strictObject({
      after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
      limit: z.coerce.number().int().min(1).max(API_LIMITS.logEntriesPerCall).default(256),
    }),
    answer: msgpack(messages.log),
  },
  devices: {
    method: "GET",
    path: `${VAULT}/devices`,
    who: READERS,
    summary: "The devices of the vault, as its log has them.",
    answer: msgpack(messages.devices),
  },
  keyslots: {
    method: "GET",
    path: `${VAULT}/keyslots`,
    who: READERS,
    summary: "The keyslots of the vault.",
    answer: msgpack(messages.keyslots),
  },
  keyslot: {
    method: "GET",
    path: `${VAULT}/keyslots/{keyslot}`,
    who: READERS,
    summary: "One keyslot: an age file.",
    answer: object,
  },
  snapshots: {
    method: "GET",
    path: `${VAULT}/snapshots`,
    who: READERS,
    summary: "All snapshots, the trash included.",
    answer: msgpack(messages.snapshots),
  },
  snapshotRecord: {
    method: "GET",
    path: `${VAULT}/snapshots/{snapshot}`,
    who: READERS,
    summary: "The record of a snapshot, as stored.",
    answer: object,
  },
  openSession: {
    method: "POST",
    path: `${VAULT}/sessions`,
    who: DEVICE,
    summary: "Opens a session, or gives the same answer again.",
    body: ask(messages.sessionAsk),
    answer: msgpack(messages.grant),
  },
  renewSession: {
    method: "POST",
    path: `${SESSION}/renew`,
    who: DEVICE,
    summary: "Renews the lease of a session.",
    answer: empty,
  },
  closeSession: {
    method: "DELETE",
    path: SESSION,
    who: DEVICE,
    summary: "Ends a session that was not committed.",
    answer: empty,
  },
  findChunks: {
    method: "POST",
    path: `${SESSION}/chunks`,
    who: DEVICE,
    summary: "Which of these chunks are there, and in which blocks.",
    body: ask(messages.chunksAsk, 192 * KIB),
    answer: msgpack(messages.chunks),
  },
  putPack: {
    method: "PUT",
    path: `${SESSION}/packs/{n}`,
    who: DEVICE,
    summary: "Stores a pack.",
    body: { kind: "pack", maxBytes: API_LIMITS.packBytes, isStream: true },
    answer: msgpack(messages.receipt),
  },
  commit: {
    method: "POST",
    path: `${SESSION}/commit`,
    who: DEVICE,
    summary: "Commits the session as a snapshot.",
    body: { kind: "object", maxBytes: API_LIMITS.recordBytes, isStream: false },
    answer: msgpack(messages.committed),
  },
  locateChunks: {
    method: "POST",
    path: `${VAULT}/locate`,
    who: READERS,
    summary: "Where chunks lie.",
    body: ask(messages.locateAsk, 192 * KIB),
    answer: msgpack(messages.located),
  },
  fetchBlocks: {
    method: "POST",
    path: `${VAULT}/blocks`,
    who: READERS,
    summary: "The sealed bytes of blocks, as a stream.",
    body: ask(messages.blocksAsk),
    answer: { kind: "blocks" },
  },
  pack: {
    method: "GET",
    path: `${VAULT}/packs/{pack}`,
    who: READERS,
    summary: "A pack, or one range of it.",
    answer: object,
  },
  sessionKeys: {
    method: "POST",
    path: `${VAULT}/session-keys`,
    who: READERS,
    summary: "Sealed keys of sessions.",
    body: ask(messages.sessionKeysAsk),
    answer: msgpack(messages.sessionKeys),
  },
});
