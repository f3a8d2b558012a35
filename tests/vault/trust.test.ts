// Trust groups: a chunk counts as there for a device only where a device of its own group has brought it.

import assert from "node:assert/strict";
import { afterEach, before, beforeEach, test } from "node:test";
import { concatBytes, fromHex } from "../../src/core/bytes.ts";
import { isAppError } from "../../src/core/errors.ts";
import type { SnapshotId } from "../../src/core/ids.ts";
import type { Signer } from "../../src/crypto/signature.ts";
import { memoryStore } from "../../src/storage/memory-store.ts";
import { vaultAdmin } from "../../src/vault/admin.ts";
import type { LocalVault } from "../../src/vault/local-vault.ts";
import { rebuildIndex } from "../../src/vault/rebuild.ts";
import { quarantineBlock } from "../../src/vault/scrub.ts";
import type { TrustGroup } from "../../src/wire/v4/log-entry.ts";
import { encodeRefs } from "../../src/wire/v4/refs.ts";
import {
  backUp,
  commitRefs,
  deviceAdd,
  newDevice,
  newSession,
  newWorld,
  put,
  randomBlock,
  signed,
  type TestBlock,
  type World,
} from "./kit.ts";

let [second, third]: Signer[] = [];
/** What each of three devices sees of one vault. */
let ann: World;
let bea: World;
let cem: World;
let vault: LocalVault;

before(async () => {
  [second, third] = [await newDevice(), await newDevice()];
});

beforeEach(async () => {
  ann = await newWorld();
  [bea, cem] = [
    { ...ann, device: second! },
    { ...ann, device: third! },
  ];
  vault = await ann.open();
  for (const { device } of [bea, cem]) {
    await vaultAdmin(vault).apply(await signed(ann.vaultId, device, deviceAdd(device, "another")));
  }
});

afterEach(async () => {
  await vault.close();
  ann.disk.remove();
});

async function setGroup(world: World, group: TrustGroup): Promise<void> {
  const { device } = world.device;
  await vaultAdmin(vault).apply(
    await signed(ann.vaultId, ann.device, { type: "device-trust", body: { device, group } }),
  );
}

const find = async (world: World, block: TestBlock, base?: SnapshotId): Promise<number> => {
  const session = await newSession(world, vault, base);
  const [blockNo] = await vault.findChunks(session, concatBytes(block.chunkIds));
  await vault.closeSession(session);
  return blockNo!;
};

/** The same chunks, said to be in other bytes. */
const twinOf = (block: TestBlock): TestBlock => ({ ...randomBlock(ann.random), chunkIds: block.chunkIds });

test("a device that is set apart relies on nobody, and nobody on it; a group on its members", async () => {
  const block = randomBlock(ann.random);
  await backUp(ann, vault, [block]);
  assert.ok(await find(bea, block));
  await setGroup(bea, null);
  assert.equal(await find(bea, block), 0);
  assert.ok(await find(cem, block), "the others go on as they did");

  const own = twinOf(block);
  const other = randomBlock(ann.random);
  await backUp(bea, vault, [own, other]);
  assert.ok(await find(bea, block), "its own counts for it");
  assert.equal(await find(cem, other), 0, "and for nobody else");

  await setGroup(cem, null);
  assert.equal(await find(cem, other), 0, "two that are set apart are two groups");
  await setGroup(cem, "guests");
  await setGroup(bea, "guests");
  assert.ok(await find(cem, other));
  assert.equal(await find(ann, other), 0);
  await setGroup(bea, "");
  assert.ok(await find(ann, other), "what was stored apart counts again");
  assert.equal(await find(cem, other), 0);
});

test("a base counts as far as its blocks do, so a snapshot that follows rests on nothing of another group", async () => {
  const [shared, own] = [randomBlock(ann.random), randomBlock(ann.random)];
  await backUp(ann, vault, [shared]);
  const session = await newSession(bea, vault);
  const [theirs] = await vault.findChunks(session, concatBytes(shared.chunkIds));
  const [mine] = await put(bea, vault, session, [own]);
  const base = await commitRefs(bea, vault, session, [theirs!, mine!]);

  const open = async () => {
    const id = await newSession(bea, vault, base);
    const { baseAccepted, damagedBlocks } = await vault.openSession({
      session: id,
      device: bea.device.device,
      plan: "70".repeat(16) as never,
      base,
    });
    await vault.closeSession(id);
    return { baseAccepted, damagedBlocks };
  };
  assert.deepEqual(await open(), { baseAccepted: true, damagedBlocks: [] });
  await setGroup(bea, null);
  assert.deepEqual(await open(), { baseAccepted: true, damagedBlocks: [theirs] });
  await setGroup(bea, "");
  assert.deepEqual(await open(), { baseAccepted: true, damagedBlocks: [] });
  await setGroup(ann, "elsewhere");
  assert.deepEqual(await open(), { baseAccepted: true, damagedBlocks: [theirs] }, "whoever moves");
});

test("of a base with more bad blocks than can be told, all is asked for", async () => {
  const base = await backUp(ann, vault, [randomBlock(ann.random)]);
  const refs = encodeRefs(Array.from({ length: 2 ** 18 + 2 }, (_, i) => i + 1));
  vault.context.database.run("UPDATE snapshots SET refs = ? WHERE snapshotId = ?", refs, fromHex(base));
  const request = {
    session: "ab".repeat(16) as never,
    device: ann.device.device,
    plan: "70".repeat(16) as never,
    base,
  };
  const { baseAccepted, damagedBlocks } = await vault.openSession(request);
  assert.deepEqual({ baseAccepted, damagedBlocks }, { baseAccepted: false, damagedBlocks: [] });
});

test("a reader of a snapshot gets what it rests on, then what its group has, whatever came first", async () => {
  const block = randomBlock(ann.random);
  await setGroup(cem, null);
  const garbage = await newSession(cem, vault);
  const [oldest] = await put(cem, vault, garbage, [twinOf(block)]);
  await commitRefs(cem, vault, garbage, [oldest!]);
  const snapshot = await backUp(ann, vault, [block]);
  const again = await newSession(bea, vault);
  const [healing] = await put(bea, vault, again, [twinOf(block)]);
  const where = async (prefer?: SnapshotId) => (await vault.locateChunks(block.chunkIds, prefer))[0]?.blockNo;

  assert.equal(await where(), oldest);
  const own = (await where(snapshot))!;
  assert.ok(own !== oldest && own !== healing);
  quarantineBlock(vault.context, own);
  assert.equal(await where(snapshot), healing, "a device of the same group has healed it");
  quarantineBlock(vault.context, healing!);
  assert.equal(await where(snapshot), oldest, "what readers check may be anybody's");
});

test("rebuilding keeps the groups, revoked devices have one too, and the check compares them", async () => {
  const [block, other] = [randomBlock(ann.random), randomBlock(ann.random)];
  await backUp(ann, vault, [block]);
  await backUp(cem, vault, [other]);
  await setGroup(bea, null);
  await vaultAdmin(vault).apply(
    await signed(ann.vaultId, ann.device, { type: "device-revoke", body: { device: cem.device.device } }),
  );
  assert.ok(await find(ann, other), "what a revoked device has stored stays");
  await setGroup(cem, "null");
  assert.equal(await find(ann, other), 0);
  await vault.close();
  await rebuildIndex({ store: memoryStore(ann.disk), indexPath: ann.disk.indexPath }, { clock: ann.clock });
  vault = await ann.open();
  const groups = new Map((await vault.devices()).map(({ device, group }) => [device, group]));
  assert.deepEqual(
    [ann, bea, cem].map(({ device }) => groups.get(device.device)),
    ["", null, "null"],
  );
  assert.equal(await find(bea, block), 0);
  assert.equal(await find(ann, other), 0);
  assert.deepEqual((await vaultAdmin(vault).check()).problems, []);
  vault.context.database.run("UPDATE devices SET trustGroup = NULL WHERE trustGroup = 'null'");
  const [problem] = (await vaultAdmin(vault).check()).problems;
  assert.equal(problem?.detail, "Its devices differ from the log.");
});

test("there is no group for a device that is not there", async () => {
  const event = { type: "device-trust", body: { device: "00".repeat(16) as never, group: null } } as const;
  await assert.rejects(
    signed(ann.vaultId, ann.device, event).then((statement) => vaultAdmin(vault).apply(statement)),
    (error) => isAppError(error, "not_found"),
  );
});
