import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import {
  backUp,
  commitRefs,
  hashesOf,
  makePack,
  makeRecord,
  newDevice,
  newSession,
  newWorld,
  PLAN,
  put,
  randomBlock,
  randomChunkId,
  readBack,
  sealedKeyOf,
  stream,
  type World,
} from "../../tests/vault/kit.ts";
import { concatBytes } from "../core/bytes.ts";
import { type ErrorCode, isAppError } from "../core/errors.ts";
import type { SessionId, VaultId } from "../core/ids.ts";
import { encodeVaultRecord } from "../wire/v4/vault-record.ts";
import type { LocalVault } from "./local-vault.ts";
import { createVault, openVault } from "./open-vault.ts";

const code = (expected: ErrorCode) => (error: unknown) => {
  assert.ok(isAppError(error, expected), `${expected} expected, got ${error}`);
  return true;
};

let world: World;
let vault: LocalVault;

beforeEach(async () => {
  world = await newWorld();
  vault = await world.open();
});

afterEach(async () => {
  await vault.close();
  world.disk.remove();
});

describe("a new vault", () => {
  test("knows its first device and keyslot, and its log begins with the genesis", async () => {
    const [device] = await vault.devices();
    assert.equal(device!.device, world.device.device);
    const [keyslot] = await vault.keyslots();
    assert.deepEqual(await vault.keyslotFile(keyslot!.id), world.keyslotFile);
    assert.equal((await vault.head()).seq, 3);
    assert.equal((await vault.logAfter(0, 2)).length, 2);
    assert.equal((await vault.logAfter(1, 100)).length, 2);
    assert.deepEqual(await vault.snapshots(), []);
  });

  test("on disk: is made once, in a folder that its owner alone can read", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cb-vault-"));
    const path = join(folder, "v");
    const record = await encodeVaultRecord({ vault: "ab".repeat(16) as VaultId, createdAt: 1, chunker: 1 });
    const contents = { record: record.bytes, statements: [], keyslotFiles: [] };
    await assert.rejects(openVault(path), code("vault_not_found"));
    await (await createVault(path, contents)).close();
    await assert.rejects(createVault(path, contents), code("vault_exists"));
    await (await openVault(path)).close();
    assert.deepEqual((await readdir(path)).sort(), ["index.db", "log", "tmp", "vault"]);
    await rm(join(path, "index.db"));
    await assert.rejects(openVault(path), code("index_corrupt"));
    await rm(folder, { recursive: true });
  });
});

describe("a backup", () => {
  test("can be read back block by block, also after reopening", async () => {
    const blocks = [randomBlock(world.random), randomBlock(world.random, 1), randomBlock(world.random, 40)];
    const id = await backUp(world, vault, blocks);
    assert.deepEqual(await readBack(vault, blocks), hashesOf(blocks));
    await vault.close();
    vault = await world.open();
    assert.deepEqual(await readBack(vault, blocks), hashesOf(blocks));
    const [snapshot] = await vault.snapshots();
    assert.equal(snapshot!.id, id);
    assert.equal(snapshot!.plan, PLAN);
    assert.equal(snapshot!.receivedAt, world.clock.now());
    assert.ok((await vault.snapshotRecord(id)).length > 100);
  });

  test("is told which chunks are there", async () => {
    const blocks = [randomBlock(world.random), randomBlock(world.random)];
    const empty = await vault.openSession({
      session: "01".repeat(16) as SessionId,
      device: world.device.device,
      plan: PLAN,
      base: undefined,
    });
    assert.equal(empty.empty, true);
    await backUp(world, vault, blocks);
    const session = await newSession(world, vault);
    const ids = [blocks[1]!.chunkIds[2]!, randomChunkId(world.random), blocks[0]!.chunkIds[0]!];
    assert.deepEqual([...(await vault.findChunks(session, concatBytes(ids)))], [2, 0, 1]);
    assert.deepEqual([...(await vault.findChunks(session, new Uint8Array()))], []);
    await assert.rejects(vault.findChunks(session, new Uint8Array(31)), code("usage"));
  });

  test("gets the sealed session keys, of sessions that only have a snapshot too", async () => {
    const session = await newSession(world, vault);
    const pack = await makePack(world, session, [randomBlock(world.random)]);
    await vault.putPack(session, stream(pack, pack.length));
    const other = await newSession(world, vault);
    await commitRefs(world, vault, other, []);
    const unknown = "77".repeat(16) as SessionId;
    const keys = await vault.sealedSessionKeys([session, other, unknown]);
    assert.deepEqual(keys.get(session), sealedKeyOf(session));
    assert.deepEqual(keys.get(other), sealedKeyOf(other));
    assert.ok(!keys.has(unknown));
  });
});

describe("putPack", () => {
  test("takes the same pack twice, in any slicing, with one answer", async () => {
    const session = await newSession(world, vault);
    const pack = await makePack(world, session, [randomBlock(world.random), randomBlock(world.random)]);
    const receipts = await Promise.all([1, 7, pack.length].map((slice) => vault.putPack(session, stream(pack, slice))));
    receipts.push(await vault.putPack(session, stream(pack, 33)));
    for (const receipt of receipts) assert.deepEqual(receipt, receipts[0]);
    assert.equal([...world.disk.objects.keys()].filter((key) => key.startsWith("packs/")).length, 1);
    assert.equal(world.disk.tmp.size, 0);
  });

  test("refuses what does not fit, and leaves nothing", async () => {
    const session = await newSession(world, vault);
    const other = await newSession(world, vault);
    const blocks = [randomBlock(world.random), randomBlock(world.random)];
    const pack = await makePack(world, session, blocks);
    const flipped = pack.slice();
    flipped[pack.indexOf(blocks[1]!.sealed[5]!, 400)]! ^= 1;
    const cases: [Uint8Array, SessionId, ErrorCode][] = [
      [pack.subarray(0, pack.length - 1), session, "pack_corrupt"],
      [pack.subarray(0, 300), session, "pack_corrupt"],
      [new Uint8Array(), session, "pack_corrupt"],
      [concatBytes([pack, new Uint8Array(1)]), session, "pack_corrupt"],
      [pack, other, "pack_corrupt"],
      [pack, "99".repeat(16) as SessionId, "session_unknown"],
      [await makePack(world, session, blocks, { vaultId: "11".repeat(16) as VaultId }), session, "vault_mismatch"],
      [await makePack(world, session, blocks, { signer: await newDevice() }), session, "signature_bad"],
    ];
    for (const [bytes, owner, expected] of cases) {
      await assert.rejects(vault.putPack(owner, stream(bytes)), code(expected));
    }
    assert.deepEqual(
      [...world.disk.objects.keys()].filter((key) => key.startsWith("packs/")),
      [],
    );
    assert.equal(world.disk.tmp.size, 0);
  });

  test("refuses sealed bytes that do not fit their blockId, at every byte", async () => {
    const session = await newSession(world, vault);
    const block = randomBlock(world.random, 1, 40);
    const pack = await makePack(world, session, [block]);
    const at = Buffer.from(pack).indexOf(block.sealed);
    for (let i = 0; i < block.sealed.length; i++) {
      const flipped = pack.slice();
      flipped[at + i]! ^= 0x10;
      await assert.rejects(vault.putPack(session, stream(flipped)), code("pack_corrupt"));
    }
  });

  test("holds no header or footer that is longer than any that a session sends", async () => {
    const session = await newSession(world, vault);
    const pack = await makePack(world, session, [randomBlock(world.random)]);
    const footerAt = Buffer.from(pack).indexOf("CB4F");
    for (const [at, bytes] of [
      [32, 2 ** 17],
      [footerAt + 16, 2 ** 26],
    ] as const) {
      const long = pack.slice();
      new DataView(long.buffer).setUint32(at, bytes, true);
      await assert.rejects(vault.putPack(session, stream(long)), code("limit"));
    }
    assert.equal(world.disk.tmp.size, 0);
  });

  test("gives every number of a session to one pack", async () => {
    const session = await newSession(world, vault);
    const [first, second] = [
      await makePack(world, session, [randomBlock(world.random)]),
      await makePack(world, session, [randomBlock(world.random)], { firstCounter: 1 }),
    ];
    const receipt = await vault.putPack(session, stream(first), 0);
    assert.deepEqual(await vault.putPack(session, stream(first), 0), receipt);
    await assert.rejects(vault.putPack(session, stream(second), 0), code("pack_conflict"));
    assert.notEqual((await vault.putPack(session, stream(second), 1)).packId, receipt.packId);
    assert.equal(world.disk.tmp.size, 0);
  });

  test("leaves nothing when the stream breaks", async () => {
    const session = await newSession(world, vault);
    const pack = await makePack(world, session, [randomBlock(world.random)]);
    const broken = async function* () {
      yield pack.subarray(0, 200);
      throw new Error("line cut");
    };
    await assert.rejects(vault.putPack(session, broken()), /line cut/);
    assert.equal(world.disk.tmp.size, 0);
  });
});

describe("commit", () => {
  test("is idempotent, also when asked twice at a time and after the session has ended", async () => {
    const session = await newSession(world, vault);
    const refs = await put(world, vault, session, [randomBlock(world.random)]);
    const { bytes } = await makeRecord(world, vault, session, refs);
    const [a, b] = await Promise.all([vault.commit(session, bytes), vault.commit(session, bytes)]);
    assert.deepEqual(a, b);
    assert.deepEqual(await vault.commit(session, bytes), a);
    assert.equal((await vault.snapshots()).length, 1);
  });

  test("ends the session", async () => {
    const session = await newSession(world, vault);
    await commitRefs(world, vault, session, []);
    await assert.rejects(vault.findChunks(session, new Uint8Array(32)), code("session_unknown"));
    const again = { session, device: world.device.device, plan: PLAN, base: undefined };
    await assert.rejects(vault.openSession(again), code("session_unknown"));
  });

  test("refuses a forged, foreign or dangling record", async () => {
    const session = await newSession(world, vault);
    const [blockNo] = await put(world, vault, session, [randomBlock(world.random)]);
    const { bytes } = await makeRecord(world, vault, session, [blockNo!]);
    const other = await newSession(world, vault);
    await assert.rejects(vault.commit(other, bytes), code("signature_bad"));
    const bent = bytes.slice();
    bent[40]! ^= 1;
    await assert.rejects(vault.commit(session, bent), code("record_corrupt"));
    const forged = await makeRecord(
      { ...world, device: { ...(await newDevice()), device: world.device.device } },
      vault,
      session,
      [],
    );
    await assert.rejects(vault.commit(session, forged.bytes), code("signature_bad"));
    const dangling = await makeRecord(world, vault, session, [blockNo!, blockNo! + 1]);
    await assert.rejects(vault.commit(session, dangling.bytes), code("base_gone"));
    const elsewhere = await makeRecord({ ...world, vaultId: "00".repeat(16) as VaultId }, vault, session, []);
    await assert.rejects(vault.commit(session, elsewhere.bytes), code("vault_mismatch"));
    assert.deepEqual(await vault.snapshots(), []);
  });
});

describe("sessions", () => {
  test("a base is accepted while its snapshot is there", async () => {
    const base = await backUp(world, vault, [randomBlock(world.random)]);
    const request = { device: world.device.device, plan: PLAN };
    const grant = await vault.openSession({ ...request, session: "0a".repeat(16) as SessionId, base });
    assert.equal(grant.baseAccepted, true);
    assert.deepEqual(grant.damagedBlocks, []);
    const gone = await vault.openSession({
      ...request,
      session: "0b".repeat(16) as SessionId,
      base: "00".repeat(32) as never,
    });
    assert.equal(gone.baseAccepted, false);
  });

  test("opening twice gives the same grant; a session of nobody enrolled is refused", async () => {
    const request = { session: "0c".repeat(16) as SessionId, device: world.device.device, plan: PLAN, base: undefined };
    assert.deepEqual(await vault.openSession(request), await vault.openSession(request));
    const stranger = (await newDevice()).device;
    await assert.rejects(
      vault.openSession({ ...request, session: "0d".repeat(16) as SessionId, device: stranger }),
      code("not_enrolled"),
    );
  });

  test("a closed session is over, what it stored stays", async () => {
    const session = await newSession(world, vault);
    const block = randomBlock(world.random);
    await put(world, vault, session, [block]);
    await vault.closeSession(session);
    await assert.rejects(vault.renewSession(session), code("session_unknown"));
    const next = await newSession(world, vault);
    assert.deepEqual([...(await vault.findChunks(next, concatBytes(block.chunkIds)))], [1, 1, 1]);
  });
});
