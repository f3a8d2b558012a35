// What the golden vectors in tests/vectors/ must hold: inputs in clear, and the bytes that docs/format.md makes of them.
// `scripts/vectors.ts --write` writes the files; vectors.test.ts compares. In JSON, bytes are hex, absent values null, and a raw
// path has one character for each byte. What age encrypts and what zstd compresses may differ every time: those files are kept and opened.

import { type Bytes, fromHex, toHex, utf8 } from "../src/core/bytes.ts";
import { sha256 } from "../src/core/sha256.ts";
import { encodeDeviceFile } from "../src/crypto/device-file.ts";
import { invitationKeys, sealInvitation } from "../src/crypto/invitation.ts";
import { sealKeyslot } from "../src/crypto/keyslot.ts";
import { createPasskey, passkeyRecipient, windowPasskeys } from "../src/crypto/passkey.ts";
import { webPrimitives } from "../src/crypto/primitives.ts";
import { padmeLength, sealAad, sealNonce } from "../src/crypto/sealing.ts";
import { type ReaderSecrets, writerToJson } from "../src/crypto/secrets.ts";
import { sealSessionKey } from "../src/crypto/session-key.ts";
import { importSigner, type Signer } from "../src/crypto/signature.ts";
import { planToken, tagToken } from "../src/crypto/tokens.ts";
import { blockPayload, openBlock, sealBlock } from "../src/engine/block.ts";
import { sealSnapshotInfo } from "../src/engine/snapshot-info.ts";
import { encodeChunkList } from "../src/wire/v4/chunk-list.ts";
import { encodeInviteCode } from "../src/wire/v4/invite-code.ts";
import { logStatement } from "../src/wire/v4/log-entry.ts";
import { applyLogEntry, emptyLogState, type LogState } from "../src/wire/v4/log-state.ts";
import { blockStatement, packIdOf } from "../src/wire/v4/pack.ts";
import { encodeTrailer } from "../src/wire/v4/pack-trailer.ts";
import { encodeRefs } from "../src/wire/v4/refs.ts";
import { encodeSnapshotRecord, snapshotStatement } from "../src/wire/v4/snapshot-record.ts";
import { encodeStateHeader, ROOT_NAME, STATE_LIMITS, StateEncoder } from "../src/wire/v4/state-file.ts";
import type { OwnerNames } from "../src/wire/v4/tree-types.ts";
import { encodeVaultRecord } from "../src/wire/v4/vault-record.ts";
import { installAuthenticator } from "./fake-passkeys.ts";
import { platform } from "./platform.ts";
import * as samples from "./samples.ts";
import { stateSink } from "./state-bytes.ts";
import { CHUNK_LIST_COVERS, chunkList, entryBytes, segmentOf, treeEntries, treeOwners } from "./tree-samples.ts";

/** Private key of RFC 8032, 7.1, test 1, as PKCS#8 (RFC 8410). */
const PKCS8 = fromHex(
  "302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
);
const SESSION_KEY = samples.counting(0xa0, 32);

/** One builder for each file, named like it. `old` is what the file holds now. */
export const GOLDEN: Readonly<Record<string, (old: unknown) => Promise<unknown>>> = {
  records: buildRecords,
  log: buildLog,
  packs: buildPacks,
  refs: async () => REFS.map((refs) => ({ refs, bytes: toHex(encodeRefs(refs)) })),
  sealing: buildSealing,
  keys: (old) => buildKeys(old as KeyVectors | undefined),
  tree: buildTree,
  "state-file": buildStateFile,
  block: (old) => buildBlock(old as BlockVectors | undefined),
  invitation: buildInvitation,
};

/** `value` as JSON shows it. */
export function readable(value: unknown): unknown {
  if (value === undefined) return null;
  if (value instanceof Uint8Array) return toHex(value);
  if (value instanceof Map) return [...value.values()].map(readable);
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, readable(item)]));
}

const REFS = [[], [1], [1, 2, 3], [127, 255, 256, 16_639], [5, 2 ** 32, 2 ** 53 - 1]];

const signer: Promise<Signer> = importSigner(PKCS8);

async function buildRecords(): Promise<unknown> {
  const vaultRecord = { vault: samples.VAULT, createdAt: samples.TIME, chunker: 1 } as const;
  const info = await sealSnapshotInfo(webPrimitives, SESSION_KEY, samples.VAULT, samples.SESSION, samples.snapshotInfo);
  const { sig: _, ...body } = { ...samples.snapshotRecord, info };
  const statement = await snapshotStatement(body);
  const record = { ...body, sig: await (await signer).sign(statement) };
  return readable({
    vaultRecord: { record: vaultRecord, ...(await encodeVaultRecord(vaultRecord)) },
    snapshotInfo: { info: samples.snapshotInfo, sessionKey: SESSION_KEY, sealed: info },
    snapshotRecord: {
      record,
      publicKey: samples.PUBLIC_KEY,
      statement,
      ...(await encodeSnapshotRecord(record)),
    },
  });
}

async function buildLog(): Promise<unknown> {
  const chain = await samples.logChain(samples.logEvents);
  const state = emptyLogState();
  const entries: unknown[] = [];
  for (const { entry, bytes } of chain) {
    const statement = logStatement(samples.VAULT, entry.type, entry.body);
    applyLogEntry(state, entry);
    entries.push(readable({ entry, statement, bytes }));
  }
  return { vault: samples.VAULT, entries, state: readableState(state) };
}

export function readableState(state: LogState): unknown {
  return readable(state);
}

async function buildPacks(): Promise<unknown> {
  const { header, frames, footer, entries } = await samples.samplePack();
  const packId = await packIdOf(header, footer);
  const trailer = {
    receivedAt: samples.TIME,
    headerLength: header.length,
    footerLength: footer.length,
    packId,
    blockNos: [41, 2 ** 40],
  };
  const [first] = entries;
  const statement = blockStatement(
    samples.VAULT,
    samples.SESSION,
    first!.counter,
    first!.kind,
    first!.blockId,
    await sha256(first!.chunkIds),
  );
  return readable({
    vault: samples.VAULT,
    sessions: [samples.packSession],
    entries,
    header,
    frames,
    footer,
    trailer: { ...trailer, bytes: await encodeTrailer(trailer) },
    firstBlock: { statement, publicKey: samples.PUBLIC_KEY, signature: await (await signer).sign(statement) },
  });
}

async function buildSealing(): Promise<unknown> {
  const lengths = [0, 1, 2, 3, 4, 8, 9, 16, 17, 100, 1000, 4097, 65_537, 1_000_001, 2_097_165, 16_777_216, 17_825_792];
  const plaintext = utf8("The plaintext of a block.");
  const cases = [];
  for (const [kind, counter] of [
    [1, 0],
    [2, 4_294_967_295],
    [3, 0],
  ] as const) {
    const nonce = sealNonce(kind, counter);
    const aad = sealAad(fromHex(samples.VAULT), fromHex(samples.SESSION), kind, counter);
    const sealed = await webPrimitives.gcmSeal(SESSION_KEY, nonce, aad, plaintext);
    cases.push({ kind, counter, nonce, aad, sealed });
  }
  const padme = lengths.map((length) => [length, padmeLength(length)]);
  return readable({ padme, vault: samples.VAULT, session: samples.SESSION, key: SESSION_KEY, plaintext, cases });
}

async function buildTree(): Promise<unknown> {
  const segment = segmentOf(treeEntries);
  return {
    owners: readableOwners(treeOwners),
    entries: readable(treeEntries),
    segment: toHex(segment),
    empty: toHex(segmentOf([], { users: new Map(), groups: new Map() })),
    chunkList: readable({ ...chunkList, covers: CHUNK_LIST_COVERS, bytes: encodeChunkList(chunkList) }),
  };
}

export function readableOwners({ users, groups }: OwnerNames): unknown {
  return { users: [...users], groups: [...groups] };
}

/** A root with one folder in it, which holds one file. */
async function buildStateFile(): Promise<unknown> {
  const [, file, , large, folder] = treeEntries;
  const many = Array.from({ length: STATE_LIMITS.refs + 2 }, (_, i) => 2 * i);
  const sink = stateSink();
  sink.emit(encodeStateHeader(samples.VAULT, samples.PLAN));
  const encoder = new StateEncoder(sink.emit);
  const tail = { snapshot: samples.SNAPSHOT, table: [0, 41, 2 ** 40] };
  encoder.enter(ROOT_NAME);
  encoder.enter(folder!.name);
  encoder.entry(12_345, entryBytes(file!), [2 * 7, 2 * 1 + 1]);
  encoder.entry(12_346, entryBytes(large!), many);
  encoder.leave(300, entryBytes(folder!), [2 * 2 + 1]);
  encoder.leave(2, entryBytes({ ...folder!, name: ROOT_NAME }), []);
  encoder.finish(tail);
  return readable({
    vault: samples.VAULT,
    plan: samples.PLAN,
    items: [
      { kind: 1, name: ROOT_NAME },
      { kind: 1, name: folder!.name },
      { kind: 2, name: file!.name, inode: 12_345, entry: entryBytes(file!), refs: [14, 3] },
      { kind: 2, name: large!.name, inode: 12_346, entry: entryBytes(large!), refs: many },
      { kind: 3, name: folder!.name, inode: 300, entry: entryBytes(folder!), refs: [5] },
      { kind: 3, name: ROOT_NAME, inode: 2, entry: entryBytes({ ...folder!, name: ROOT_NAME }), refs: [] },
    ],
    tail,
    file: sink.take(),
  });
}

/** Keys, seal and code of one invitation, with a pin and without. */
async function buildInvitation(): Promise<unknown> {
  const key = samples.counting(0xc0, 32);
  const pin = samples.counting(0x11, 32);
  const nonce = samples.counting(0x77, 12);
  const address = "https://backup.example:1/home of Ann".replaceAll(" ", "%20");
  const secrets = secretsOf({ secrets: { identity: "", recipient: "age1pq1example" } });
  const code = { vault: samples.VAULT, key, address };
  return readable({
    key,
    ...(await invitationKeys(key)),
    vault: samples.VAULT,
    writer: writerToJson(secrets.writer),
    nonce,
    sealed: await sealInvitation(key, samples.VAULT, secrets.writer, { bytes: () => nonce }),
    address,
    pin,
    codes: [
      { pin, code: encodeInviteCode({ ...code, pin }) },
      { pin: undefined, code: encodeInviteCode({ ...code, pin: undefined }) },
    ],
  });
}

type BlockCase = { readonly counter: number; readonly blockId: string; readonly sealed: string };
export type BlockVectors = { readonly zstd: BlockCase };

async function buildBlock(old: BlockVectors | undefined): Promise<unknown> {
  const chunks = [samples.counting(0, 100), utf8("text ".repeat(40)), samples.counting(7, 1)];
  const payload = blockPayload(chunks);
  const seal = async (counter: number, level: number) => {
    const { sealed, blockId } = await sealBlock(platform, SESSION_KEY, blockContext(counter), payload, level);
    return { counter, blockId: toHex(blockId), sealed: toHex(sealed) };
  };
  const vectors = { key: SESSION_KEY, vault: samples.VAULT, session: samples.SESSION, kind: 1, chunks, payload };
  return { ...(readable(vectors) as object), raw: await seal(5, 0), zstd: old?.zstd ?? (await seal(6, 3)) };
}

function blockContext(counter: number) {
  return { vaultId: fromHex(samples.VAULT), sessionId: fromHex(samples.SESSION), kind: 1, counter } as const;
}

/** The chunks of a block in block.json. */
export function openGoldenBlock({ counter, sealed }: BlockCase): Promise<Uint8Array[]> {
  return openBlock(platform, SESSION_KEY, blockContext(counter), fromHex(sealed), counter);
}

export type KeyVectors = {
  readonly secrets: { readonly identity: string; readonly recipient: string };
  readonly keyslot: { readonly passphrase: string; readonly vault: string; readonly file: string };
  readonly recoveryKeyslot: { readonly identity: string; readonly recipient: string; readonly file: string };
  /** `prfSecret`: HMAC-SHA-256 with it is what the passkey answers (tests/fake-passkeys.ts). */
  readonly passkeyKeyslot: { readonly credential: string; readonly prfSecret: string; readonly file: string };
  readonly sessionKey: { readonly identity: string; readonly key: string; readonly file: string };
};

/** The secrets in keys.json, with its identity. */
export function secretsOf({ secrets }: Pick<KeyVectors, "secrets">): ReaderSecrets {
  const writer = {
    chunkIdKey: samples.counting(1, 32),
    chunkerKey: samples.counting(2, 16),
    metaKey: samples.counting(3, 32),
    recipient: secrets.recipient,
  };
  return { identity: secrets.identity, writer };
}

async function buildKeys(old: KeyVectors | undefined): Promise<unknown> {
  const fixed = old ?? (await makeKeyFiles());
  const secrets = secretsOf(fixed);
  const deviceFile = {
    vault: samples.VAULT,
    device: samples.DEVICE,
    name: "ann-laptop",
    signingKey: PKCS8,
    writer: secrets.writer,
  };
  const { chunkIdKey, chunkerKey, metaKey } = secrets.writer;
  return {
    secrets: {
      ...fixed.secrets,
      chunkIdKey: toHex(chunkIdKey),
      chunkerKey: toHex(chunkerKey),
      metaKey: toHex(metaKey),
    },
    keyslot: fixed.keyslot,
    recoveryKeyslot: fixed.recoveryKeyslot,
    passkeyKeyslot: fixed.passkeyKeyslot ?? (await makePasskeyKeyslot(secrets)),
    sessionKey: fixed.sessionKey,
    deviceFile: encodeDeviceFile(deviceFile),
    tokens: [
      { name: "home", plan: await planToken(metaKey, "home"), tag: await tagToken(metaKey, "home") },
      // The same name in normal form D must give the same token.
      {
        name: "Bücher",
        plan: await planToken(metaKey, "Bücher"),
        tag: await tagToken(metaKey, "Bücher".normalize("NFD")),
      },
    ],
  };
}

async function makePasskeyKeyslot(secrets: ReaderSecrets): Promise<KeyVectors["passkeyKeyslot"]> {
  const prfSecret = samples.counting(7, 32);
  const authenticator = installAuthenticator(prfSecret, samples.counting(0x40, 16));
  Object.assign(globalThis, { window: { origin: "https://backup.example:9090" } });
  try {
    const credential = await createPasskey("golden");
    const recipient = passkeyRecipient(credential, windowPasskeys);
    const file = (await sealKeyslot(secrets, samples.VAULT, { recipient })).toBase64();
    return { credential, prfSecret: toHex(prfSecret), file };
  } finally {
    authenticator.restore();
    Reflect.deleteProperty(globalThis, "window");
  }
}

/** New age files for new identities: only for a keys.json that is not there yet. */
async function makeKeyFiles(): Promise<KeyVectors> {
  const { generateHybridIdentity, generateX25519Identity, identityToRecipient } = await import("age-encryption");
  const identity = await generateHybridIdentity();
  const secrets = { identity, recipient: await identityToRecipient(identity) };
  const reader = secretsOf({ secrets });
  const passphrase = "correct horse battery staple";
  const recoveryIdentity = await generateX25519Identity();
  const recovery = { identity: recoveryIdentity, recipient: await identityToRecipient(recoveryIdentity) };
  const base64 = async (file: Promise<Bytes>) => (await file).toBase64();
  return {
    secrets,
    keyslot: {
      passphrase,
      vault: samples.VAULT,
      file: await base64(sealKeyslot(reader, samples.VAULT, { passphrase, logN: 10 })),
    },
    recoveryKeyslot: { ...recovery, file: await base64(sealKeyslot(reader, samples.VAULT, recovery)) },
    passkeyKeyslot: await makePasskeyKeyslot(reader),
    sessionKey: {
      identity,
      key: toHex(SESSION_KEY),
      file: await base64(sealSessionKey(SESSION_KEY, secrets.recipient)),
    },
  };
}
