// Vaults, devices, packs and snapshots for tests, without the engine: blocks are random bytes (the vault cannot tell), signatures
// are real.

import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bytes, concatBytes, fromHex, toHex } from "../../src/core/bytes.ts";
import type { Clock } from "../../src/core/clock.ts";
import type { BlockId, ChunkId, NameToken, SessionId, SnapshotId, VaultId } from "../../src/core/ids.ts";
import { sha256 } from "../../src/core/sha256.ts";
import { generateDeviceKey, importSigner, type Signer } from "../../src/crypto/signature.ts";
import { type MemoryDisk, memoryDisk, memoryStore } from "../../src/storage/memory-store.ts";
import type { ObjectStore } from "../../src/storage/object-store.ts";
import type { LocalVault } from "../../src/vault/local-vault.ts";
import { createVault, openVault, type VaultOptions } from "../../src/vault/open-vault.ts";
import { encodeLogBody, type LogEvent, logStatement } from "../../src/wire/v4/log-entry.ts";
import { type BlockEntry, blockStatement } from "../../src/wire/v4/pack.ts";
import { encodeFooter } from "../../src/wire/v4/pack-footer.ts";
import { encodeFrameHeader } from "../../src/wire/v4/pack-frame.ts";
import { encodePackHeader } from "../../src/wire/v4/pack-header.ts";
import { encodeRefs } from "../../src/wire/v4/refs.ts";
import { encodeSnapshotRecord, snapshotStatement } from "../../src/wire/v4/snapshot-record.ts";
import type { BlockKind, SignedStatement } from "../../src/wire/v4/vault-port.ts";
import { encodeVaultRecord } from "../../src/wire/v4/vault-record.ts";

export const PLAN = "70".repeat(16) as NameToken;
export const START = Date.UTC(2030, 0, 1);

export type TestClock = Clock & { advance(ms: number): void };

export function testClock(start = START): TestClock {
  let now = start;
  return {
    now: () => now,
    monotonic: () => now,
    advance(ms) {
      now += ms;
    },
  };
}

/** A small deterministic generator (mulberry32): tests that fail print their seed. */
export function prng(seed: number) {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    below: (limit: number): number => Math.floor(next() * limit),
    bytes: (length: number): Bytes => Uint8Array.from({ length }, () => next() * 256),
  };
}

export type Prng = ReturnType<typeof prng>;

/** What survives a crash: objects, unfinished writes, and the folder that the index lies in. */
export type TestDisk = MemoryDisk & { readonly indexPath: string; remove(): void };

export function testDisk(): TestDisk {
  const folder = mkdtempSync(join(tmpdir(), "cb-vault-"));
  return {
    ...memoryDisk(),
    indexPath: join(folder, "index.db"),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export type World = {
  readonly disk: TestDisk;
  readonly clock: TestClock;
  readonly random: Prng;
  readonly device: Signer;
  readonly vaultId: VaultId;
  readonly keyslotFile: Bytes;
  /** Opens the vault on what the disk holds; `wrap` puts decorators around its store. */
  open(options?: VaultOptions, wrap?: (store: ObjectStore) => ObjectStore): Promise<LocalVault>;
};

/** A new vault with one device and one keyslot. */
export async function newWorld(seed = 1): Promise<World> {
  const disk = testDisk();
  const clock = testClock();
  const random = prng(seed);
  const device = await newDevice();
  const vaultId = toHex(random.bytes(16)) as VaultId;
  const record = await encodeVaultRecord({ vault: vaultId, createdAt: clock.now(), chunker: 1 });
  const keyslotFile = random.bytes(100);
  const location = { store: memoryStore(disk), indexPath: disk.indexPath };
  const contents = {
    record: record.bytes,
    statements: [
      await signed(vaultId, device, deviceAdd(device, "first")),
      await signed(vaultId, device, keyslotAdd(keyslotFile, "first")),
    ],
    keyslotFiles: [keyslotFile],
  };
  await (await createVault(location, contents, { clock })).close();
  const open = (options: VaultOptions = {}, wrap = (store: ObjectStore) => store) =>
    openVault({ store: wrap(memoryStore(disk)), indexPath: disk.indexPath }, { clock, ...options });
  return { disk, clock, random, device, vaultId, keyslotFile, open };
}

export async function newDevice(): Promise<Signer> {
  return importSigner((await generateDeviceKey()).pkcs8);
}

export async function signed(vaultId: VaultId, device: Signer, event: LogEvent): Promise<SignedStatement> {
  const sig = await device.sign(logStatement(vaultId, event.type, event.body as never));
  return { type: event.type, body: encodeLogBody(event), by: device.device, sig };
}

export function deviceAdd({ device, publicKey }: Signer, name: string): LogEvent {
  return { type: "device-add", body: { device, name, publicKey } };
}

export function keyslotAdd(file: Uint8Array, label: string): LogEvent {
  const hash = hashOf(file);
  return { type: "keyslot-add", body: { hash, id: hash.slice(0, 32) as never, kind: "passphrase", label } };
}

export type TestBlock = { readonly sealed: Bytes; readonly chunkIds: readonly ChunkId[]; readonly kind: BlockKind };

export function randomBlock(random: Prng, chunks = 3, length = 200): TestBlock {
  const kind = random.below(4) === 0 ? 2 : 1;
  return { sealed: random.bytes(length), chunkIds: Array.from({ length: chunks }, () => randomChunkId(random)), kind };
}

export function randomChunkId(random: Prng): ChunkId {
  return random.bytes(32) as ChunkId;
}

export type PackOptions = {
  readonly firstCounter?: number;
  readonly vaultId?: VaultId;
  /** Signs the blocks in place of the session's device. */
  readonly signer?: Signer;
};

/** Header, frames and footer of a pack, as a device would send it. */
export async function makePack(
  world: World,
  session: SessionId,
  blocks: readonly TestBlock[],
  { firstCounter = 0, vaultId = world.vaultId, signer = world.device }: PackOptions = {},
): Promise<Bytes> {
  const sealedKey = sealedKeyOf(session);
  const header = encodePackHeader(vaultId, [{ session, device: world.device.device, sealedKey }]);
  const parts: Uint8Array[] = [header];
  const entries: BlockEntry[] = [];
  let offset = header.length;
  for (const [i, { sealed, chunkIds, kind }] of blocks.entries()) {
    const counter = firstCounter + i;
    const blockId = (await sha256(sealed)) as BlockId;
    const flat = concatBytes(chunkIds);
    const statement = blockStatement(world.vaultId, session, counter, kind, blockId, await sha256(flat));
    const signature = await signer.sign(statement);
    parts.push(encodeFrameHeader({ length: sealed.length, counter, sessionIndex: 0, kind }), sealed);
    offset += 16;
    entries.push({ blockId, offset, length: sealed.length, counter, sessionIndex: 0, kind, signature, chunkIds: flat });
    offset += sealed.length;
  }
  parts.push(encodeFooter(entries));
  return concatBytes(parts);
}

export function sealedKeyOf(session: SessionId): Bytes {
  return concatBytes([fromHex(session), fromHex(hashOf(fromHex(session)))]);
}

/** The bytes in slices of up to `sliceBytes`, in one buffer that is used again and again, as a socket would. */
export async function* stream(bytes: Uint8Array, sliceBytes = 64): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(sliceBytes);
  for (let at = 0; at < bytes.length; at += sliceBytes) {
    const slice = bytes.subarray(at, at + sliceBytes);
    buffer.set(slice);
    yield buffer.subarray(0, slice.length);
    buffer.fill(0xee);
  }
}

/** Opens a session and answers its id. */
export async function newSession(world: World, vault: LocalVault, base?: SnapshotId): Promise<SessionId> {
  const session = toHex(world.random.bytes(16)) as SessionId;
  await vault.openSession({ session, device: world.device.device, plan: PLAN, base });
  return session;
}

export async function put(
  world: World,
  vault: LocalVault,
  session: SessionId,
  blocks: readonly TestBlock[],
  options: PackOptions = {},
): Promise<readonly number[]> {
  const pack = await makePack(world, session, blocks, options);
  return (await vault.putPack(session, stream(pack, 100))).blockNos;
}

export async function makeRecord(
  world: World,
  vault: LocalVault,
  session: SessionId,
  refs: readonly number[],
): Promise<{ bytes: Bytes; id: SnapshotId }> {
  const head = await vault.head();
  const body = {
    vault: world.vaultId,
    device: world.device.device,
    session,
    plan: PLAN,
    tags: [],
    time: world.clock.now(),
    base: undefined,
    head: head.id,
    headSeq: head.seq,
    added: 0,
    refs: encodeRefs([...new Set(refs)].sort((a, b) => a - b)),
    key: sealedKeyOf(session),
    info: world.random.bytes(64),
  };
  return encodeSnapshotRecord({ ...body, sig: await world.device.sign(await snapshotStatement(body)) });
}

/** Signs and commits a snapshot of these blocks. */
export async function commitRefs(
  world: World,
  vault: LocalVault,
  session: SessionId,
  refs: readonly number[],
): Promise<SnapshotId> {
  const record = await makeRecord(world, vault, session, refs);
  return (await vault.commit(session, record.bytes)).id;
}

/** One whole backup of these blocks in one pack. */
export async function backUp(world: World, vault: LocalVault, blocks: readonly TestBlock[]): Promise<SnapshotId> {
  const session = await newSession(world, vault);
  return commitRefs(world, vault, session, await put(world, vault, session, blocks));
}

/** What can be read of these blocks now, by their chunks; undefined for a block that is not there whole. */
export async function readBack(vault: LocalVault, blocks: readonly TestBlock[]): Promise<(string | undefined)[]> {
  const hashes: (string | undefined)[] = [];
  for (const block of blocks) {
    const locations = await vault.locateChunks(block.chunkIds);
    const [first] = locations;
    if (first === undefined || locations.includes(undefined)) {
      hashes.push(undefined);
      continue;
    }
    for await (const { block: at, sealed } of vault.fetchBlocks([first])) {
      const hash = hashOf(sealed);
      hashes.push(hash === toHex(at.blockId) ? hash : undefined);
    }
  }
  return hashes;
}

export function hashesOf(blocks: readonly TestBlock[]): string[] {
  return blocks.map(({ sealed }) => hashOf(sealed));
}

export function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
