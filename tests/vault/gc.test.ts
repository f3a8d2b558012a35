// Garbage collection, scrub, check and rebuild on whole vaults.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, test } from "node:test";
import { concatBytes } from "../../src/core/bytes.ts";
import { isAppError } from "../../src/core/errors.ts";
import type { PackId, SnapshotId } from "../../src/core/ids.ts";
import { memoryStore } from "../../src/storage/memory-store.ts";
import type { ObjectStore } from "../../src/storage/object-store.ts";
import { vaultAdmin } from "../../src/vault/admin.ts";
import type { LocalVault } from "../../src/vault/local-vault.ts";
import { readPackFile } from "../../src/vault/pack-file.ts";
import { rebuildIndex } from "../../src/vault/rebuild.ts";
import { makeDigestsPrompt } from "../prompt-digest.ts";
import {
  backUp,
  commitRefs,
  deviceAdd,
  hashesOf,
  keyslotAdd,
  newDevice,
  newSession,
  newWorld,
  PLAN,
  prng,
  put,
  randomBlock,
  readBack,
  sealedKeyOf,
  signed,
  type TestBlock,
  type World,
} from "./kit.ts";

makeDigestsPrompt();

const DAY = 86_400_000;

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

async function remove(id: SnapshotId): Promise<void> {
  await vaultAdmin(vault).apply(await signed(world.vaultId, world.device, { type: "remove", body: { snapshot: id } }));
}

async function collect() {
  return vaultAdmin(vault).collectGarbage({ trashMs: 0 });
}

async function problems(readData = true) {
  return (await vaultAdmin(vault).check({ readData })).problems;
}

function packKeys(): string[] {
  return [...world.disk.objects.keys()].filter((key) => key.startsWith("packs/"));
}

function someBlocks(count: number): TestBlock[] {
  return Array.from({ length: count }, () => randomBlock(world.random));
}

/** Flips a bit of the stored bytes of a block. */
async function damage(block: TestBlock): Promise<number> {
  const [at] = await vault.locateChunks(block.chunkIds);
  const key = `packs/${at!.pack.slice(0, 2)}/${at!.pack}`;
  world.disk.objects.get(key)![at!.offset + 10]! ^= 4;
  return at!.blockNo;
}

describe("garbage collection", () => {
  test("leaves what snapshots, live or in the trash, rest on", async () => {
    const [a, b] = [someBlocks(3), someBlocks(2)];
    await backUp(world, vault, a);
    await remove(await backUp(world, vault, b));
    const result = await vaultAdmin(vault).collectGarbage();
    assert.deepEqual([result.removedPacks, result.compactedPacks, result.purgedSnapshots.length], [0, 0, 0]);
    assert.deepEqual(await readBack(vault, [...a, ...b]), hashesOf([...a, ...b]));
    assert.deepEqual(await problems(), []);
  });

  test("removes the packs of purged snapshots, and their keys", async () => {
    const blocks = someBlocks(3);
    const session = await newSession(world, vault);
    const id = await commitRefs(world, vault, session, await put(world, vault, session, blocks));
    await remove(id);
    const plan = await vaultAdmin(vault).planGarbage({ trashMs: 0 });
    assert.deepEqual([plan.purge, plan.remove.length, plan.keptPacks], [[id], 1, 0]);
    const result = await collect();
    assert.deepEqual([result.purgedSnapshots, result.removedPacks], [[id], 1]);
    assert.equal(result.freedBytes, plan.freedBytes);
    assert.deepEqual(packKeys(), []);
    assert.ok(!world.disk.objects.has(`snapshots/${id}`));
    assert.deepEqual(await readBack(vault, blocks), [undefined, undefined, undefined]);
    assert.equal((await vault.sealedSessionKeys([session])).size, 0);
    assert.deepEqual(await problems(), []);
  });

  test("compacts packs of several sessions into one; numbers, signatures and keys stay", async () => {
    const [a, b] = [someBlocks(4), someBlocks(4)];
    const kept: TestBlock[] = [];
    const sessions = [];
    for (const blocks of [a, b]) {
      const session = await newSession(world, vault);
      const refs = await put(world, vault, session, blocks);
      await remove(await commitRefs(world, vault, session, refs));
      const next = await newSession(world, vault);
      await vault.findChunks(next, concatBytes(blocks[1]!.chunkIds));
      await commitRefs(world, vault, next, [refs[1]!]);
      kept.push(blocks[1]!);
      sessions.push(session);
    }
    const before = await vault.locateChunks(kept.map(({ chunkIds }) => chunkIds[0]!));
    const result = await collect();
    assert.deepEqual([result.compactedPacks, result.writtenPacks], [2, 1]);
    assert.equal(packKeys().length, 1);
    assert.deepEqual(await readBack(vault, kept), hashesOf(kept));
    assert.deepEqual(await readBack(vault, [a[0]!]), [undefined]);
    const after = await vault.locateChunks(kept.map(({ chunkIds }) => chunkIds[0]!));
    assert.deepEqual(
      after.map((at) => at!.blockNo),
      before.map((at) => at!.blockNo),
    );
    assert.deepEqual(await problems(), []);
    // A reader that located the block before it moved still gets it.
    for await (const { sealed } of vault.fetchBlocks([before[0]!])) assert.deepEqual(sealed, kept[0]!.sealed);
    assert.deepEqual((await vault.sealedSessionKeys(sessions)).get(sessions[1]!), sealedKeyOf(sessions[1]!));
    assert.deepEqual((await collect()).writtenPacks, 0);
  });

  test("keeps what a running backup brought, was told of, or rests on", async () => {
    const [based, found, brought] = [someBlocks(1), someBlocks(1), someBlocks(1)];
    const base = await backUp(world, vault, based);
    const other = await backUp(world, vault, found);
    const session = await newSession(world, vault, base);
    const [foundNo] = await vault.findChunks(session, concatBytes(found[0]!.chunkIds));
    const refs = await put(world, vault, session, brought);
    for (const id of [base, other]) await remove(id);
    const result = await collect();
    assert.equal(result.purgedSnapshots.length, 2);
    assert.equal(result.removedPacks, 0);
    await commitRefs(world, vault, session, [1, foundNo!, ...refs]);
    assert.deepEqual(
      await readBack(vault, [...based, ...found, ...brought]),
      hashesOf([...based, ...found, ...brought]),
    );
    assert.deepEqual(await problems(), []);
  });

  test("ends sessions that fell silent, and only those", async () => {
    const [a, b] = [someBlocks(1), someBlocks(1)];
    const silent = await newSession(world, vault);
    const busy = await newSession(world, vault);
    await put(world, vault, silent, a);
    await put(world, vault, busy, b);
    world.clock.advance(9 * 60_000);
    await vault.renewSession(busy);
    world.clock.advance(9 * 60_000);
    assert.equal((await collect()).removedPacks, 1);
    await assert.rejects(vault.renewSession(silent), (error) => isAppError(error, "session_unknown"));
    await vault.renewSession(busy);
    assert.deepEqual(await readBack(vault, [...a, ...b]), [undefined, hashesOf(b)[0]]);
  });

  test("removes what nothing explains, but no object that it does not know", async () => {
    world.disk.objects.set(`packs/ab/${"ab".repeat(32)}`, new Uint8Array(5));
    world.disk.objects.set(`keys/${"cd".repeat(16)}.age`, new Uint8Array(5));
    world.disk.objects.set("notes.txt", new Uint8Array(5));
    assert.equal((await problems()).filter(({ code }) => code === "unexpected").length, 3);
    const result = await collect();
    assert.equal(result.removedOrphans.length, 2);
    assert.deepEqual(result.unexpected, ["notes.txt"]);
    assert.deepEqual(
      (await problems()).map(({ object }) => object),
      ["notes.txt"],
    );
  });

  test("leaves what is brought back, or removed anew, before its turn comes", async () => {
    const snapshots = [];
    for (let i = 0; i < 3; i++) snapshots.push(await backUp(world, vault, someBlocks(1)));
    for (const id of snapshots) await remove(id);
    const [first, second, third] = snapshots;
    world.clock.advance(DAY);
    const other = await world.open({}, (store) => ({
      ...store,
      async remove(key) {
        await store.remove(key);
        if (key !== `snapshots/${first}`) return;
        for (const [type, id] of [
          ["undelete", second!],
          ["undelete", third!],
          ["remove", third!],
        ] as const) {
          const event = { type, body: { snapshot: id } } as const;
          await vaultAdmin(vault).apply(await signed(world.vaultId, world.device, event));
        }
      },
    }));
    assert.deepEqual((await vaultAdmin(other).collectGarbage({ trashMs: DAY })).purgedSnapshots, [first]);
    assert.deepEqual(
      (await other.snapshots()).map(({ id, state }) => [id, state]),
      [
        [second, "live"],
        [third, "trash"],
      ],
    );
    await other.close();
  });

  for (const isOvertaken of [false, true]) {
    test(`never takes blocks from under a commit that sleeps for days${isOvertaken ? " and is overtaken" : ""}`, async () => {
      const other = await backUp(world, vault, someBlocks(1));
      let isAsleep = false;
      const sleepy = await world.open({}, (store) => ({
        ...store,
        async put(key, bytes) {
          if (key.startsWith("log/") && !isAsleep) {
            isAsleep = true;
            world.clock.advance(5 * DAY);
            if (isOvertaken) await remove(other);
            await collect();
          }
          return store.put(key, bytes);
        },
      }));
      const blocks = someBlocks(2);
      const session = await newSession(world, sleepy);
      const committed = commitRefs(world, sleepy, session, await put(world, sleepy, session, blocks));
      if (isOvertaken) await assert.rejects(committed, (error) => isAppError(error, "session_unknown"));
      else await committed;
      assert.ok(isAsleep);
      await collect();
      const expected = isOvertaken ? blocks.map(() => undefined) : hashesOf(blocks);
      assert.deepEqual(await readBack(sleepy, blocks), expected);
      assert.deepEqual(await problems(), []);
      await sleepy.close();
    });
  }

  test("does not make a pack that it removes look damaged to others", async () => {
    const session = await newSession(world, vault);
    await put(world, vault, session, someBlocks(1));
    const [key] = packKeys();
    const store = memoryStore(world.disk);
    const removing: ObjectStore = {
      ...store,
      async getRange(...range) {
        await store.remove(range[0]);
        return store.getRange(...range);
      },
    };
    assert.equal(await readPackFile(removing, world.vaultId, key!.slice(-64) as PackId), undefined);
  });

  test("runs once at a time", async () => {
    const admin = vaultAdmin(vault);
    const both = await Promise.allSettled([admin.collectGarbage(), admin.collectGarbage()]);
    const refused = both.filter(({ status }) => status === "rejected") as PromiseRejectedResult[];
    assert.equal(refused.length, 1);
    assert.ok(isAppError(refused[0]!.reason, "vault_busy"));
    assert.match(refused[0]!.reason.message, new RegExp(`gc runs as process ${process.pid}`));
  });
});

describe("scrub", () => {
  test("quarantines a rotten block, and the next backup that has its chunks heals the vault for old snapshots too", async () => {
    const blocks = someBlocks(3);
    const id = await backUp(world, vault, blocks);
    const bad = await damage(blocks[1]!);
    const report = await vaultAdmin(vault).scrub();
    assert.deepEqual(report.quarantined, [bad]);
    assert.equal(report.problems.length, 1);
    assert.deepEqual(await readBack(vault, blocks), [hashesOf(blocks)[0], undefined, hashesOf(blocks)[2]]);

    const session = "0e".repeat(16) as never;
    const grant = await vault.openSession({ session, device: world.device.device, plan: PLAN, base: id });
    assert.deepEqual(grant.damagedBlocks, [bad]);
    assert.deepEqual([...(await vault.findChunks(session, concatBytes(blocks[1]!.chunkIds)))], [0, 0, 0]);
    const again = { ...randomBlock(world.random), chunkIds: blocks[1]!.chunkIds };
    const refs = await put(world, vault, session, [again]);
    const healer = await commitRefs(world, vault, session, [1, 3, ...refs]);
    assert.deepEqual(await readBack(vault, [again]), hashesOf([again]));

    // The old snapshot names only the bad block: the new one must outlive the snapshot that brought it.
    await remove(healer);
    await collect();
    assert.deepEqual(await readBack(vault, [blocks[0]!, again]), hashesOf([blocks[0]!, again]));

    for (const loseIndex of [false, true]) {
      await vault.close();
      if (loseIndex) writeFileSync(world.disk.indexPath, "garbage");
      await rebuildIndex({ store: memoryStore(world.disk), indexPath: world.disk.indexPath }, { clock: world.clock });
      vault = await world.open();
      await collect();
      assert.deepEqual(await readBack(vault, [blocks[0]!, again]), hashesOf([blocks[0]!, again]));
    }
    await remove(id);
    await collect();
    assert.deepEqual(packKeys(), []);
    assert.deepEqual(await problems(), []);
  });

  test("names a pack that is missing, and damage outside of blocks", async () => {
    const blocks = someBlocks(2);
    await backUp(world, vault, [blocks[0]!]);
    await backUp(world, vault, [blocks[1]!]);
    const [first, second] = await vault.locateChunks(blocks.map(({ chunkIds }) => chunkIds[0]!));
    world.disk.objects.delete(`packs/${first!.pack.slice(0, 2)}/${first!.pack}`);
    world.disk.objects.get(`packs/${second!.pack.slice(0, 2)}/${second!.pack}`)![second!.offset - 8]! ^= 1;
    const report = await vaultAdmin(vault).scrub();
    assert.deepEqual(report.quarantined, [first!.blockNo]);
    assert.equal(report.problems.length, 3);
    assert.deepEqual(await readBack(vault, [blocks[1]!]), hashesOf([blocks[1]!]));
  });

  test("a sample takes what was checked longest ago", async () => {
    for (let i = 0; i < 4; i++) {
      await backUp(world, vault, someBlocks(1));
      world.clock.advance(DAY);
    }
    const seen = new Set<number>();
    for (let i = 0; i < 4; i++) {
      assert.equal((await vaultAdmin(vault).scrub({ sample: 0.2 })).packs, 1);
      const [row] = vault.context.database.tuples<[number]>(
        "SELECT blockNo FROM blocks ORDER BY verifiedAt DESC LIMIT 1",
      );
      seen.add(row![0]);
      world.clock.advance(DAY);
    }
    assert.equal(seen.size, 4);
  });
});

describe("check", () => {
  test("names whatever bit of whatever object is flipped", async () => {
    const blocks = someBlocks(2);
    await backUp(world, vault, blocks);
    await remove(await backUp(world, vault, someBlocks(1)));
    assert.deepEqual(await problems(), []);
    const random = prng(7);
    for (const [key, bytes] of [...world.disk.objects]) {
      const positions =
        bytes.length < 200 ? bytes.keys() : Array.from({ length: 150 }, () => random.below(bytes.length));
      for (const at of positions) {
        const before = bytes[at]!;
        bytes[at] = before ^ (1 << random.below(8));
        const found = await problems();
        assert.ok(
          found.some(({ object }) => object === key),
          `byte ${at} of ${key} was flipped, and ${JSON.stringify(found)} found`,
        );
        bytes[at] = before;
      }
      for (const length of [0, bytes.length - 1]) {
        world.disk.objects.set(key, bytes.slice(0, length));
        assert.ok(
          (await problems()).some(({ object }) => object === key),
          `${key} was cut to ${length} bytes`,
        );
      }
      world.disk.objects.delete(key);
      const found = await problems();
      // The last log entry can only be missed by those who saw it: here the index did.
      assert.ok(
        found.some(({ object }) => object === key || object === "index"),
        `${key} was deleted`,
      );
      world.disk.objects.set(key, bytes);
    }
    assert.deepEqual(await problems(), []);
  });

  test("takes nothing for damage that others do while it runs", async () => {
    const early = await backUp(world, vault, someBlocks(1));
    await backUp(world, vault, someBlocks(2));
    const busy = ["log/", ""];
    const other = await world.open({}, (store) => ({
      ...store,
      async *list(prefix) {
        const entries = await Array.fromAsync(store.list(prefix));
        if (prefix === busy[0]) {
          busy.shift();
          const newcomer = await newDevice();
          await vaultAdmin(vault).apply(await signed(world.vaultId, newcomer, deviceAdd(newcomer, "newcomer")));
          await backUp({ ...world, device: newcomer }, vault, someBlocks(1));
          if (prefix === "log/") await remove(early);
          await collect();
        }
        yield* prefix === "log/" ? entries : store.list(prefix);
      },
    }));
    assert.deepEqual((await vaultAdmin(other).check({ readData: true })).problems, []);
    assert.deepEqual(busy, []);
    await other.close();
  });

  test("names an index that differs from the store", async () => {
    await backUp(world, vault, someBlocks(2));
    const cases = [
      "DELETE FROM chunks WHERE chunkId = (SELECT min(chunkId) FROM chunks)",
      "INSERT INTO chunks VALUES (zeroblob(32), 1)",
      "INSERT INTO chunks VALUES (zeroblob(32), 99)",
      "DELETE FROM blocks WHERE blockNo = 2",
      "UPDATE blocks SET offset = offset + 1 WHERE blockNo = 1",
      "UPDATE blocks SET session = 99 WHERE blockNo = 1",
      "UPDATE snapshots SET refs = X'01'",
      "UPDATE snapshots SET state = 1, trashedAt = 5",
      "UPDATE snapshots SET pinnedUntil = 5",
      "DELETE FROM keyslots",
      "UPDATE devices SET revoked = 1",
      "UPDATE packs SET sizeBytes = 1",
      "UPDATE meta SET value = 1 WHERE name = 'nextBlockNo'",
    ];
    const { database } = vault.context;
    for (const sql of cases) {
      database.exec(`SAVEPOINT test; ${sql}`);
      vault.context.logState = undefined;
      const found = await problems(false);
      assert.ok(
        found.some(({ object, code }) => object === "index" && code === "index_corrupt"),
        `${sql}: ${JSON.stringify(found)}`,
      );
      database.exec("ROLLBACK TO test; RELEASE test");
    }
    vault.context.logState = undefined;
    assert.deepEqual(await problems(), []);
  });
});

describe("rebuild", () => {
  test("gives the same answers as before, from the store alone", async () => {
    const blocks = someBlocks(5);
    const id = await backUp(world, vault, blocks.slice(0, 3));
    await remove(await backUp(world, vault, [blocks[3]!]));
    await remove(await backUp(world, vault, [blocks[4]!]));
    const admin = vaultAdmin(vault);
    await admin.apply(await signed(world.vaultId, world.device, { type: "pin", body: { snapshot: id, until: 0 } }));
    await admin.apply(await signed(world.vaultId, world.device, deviceAdd(await newDevice(), "second")));
    const answers = async () => ({
      head: await vault.head(),
      snapshots: await vault.snapshots(),
      devices: (await vault.devices()).map(({ device }) => device).sort(),
      keyslots: await vault.keyslots(),
      located: await vault.locateChunks(blocks.flatMap(({ chunkIds }) => chunkIds)),
      stats: await vaultAdmin(vault).stats(),
      problems: await problems(),
    });
    const before = await answers();
    assert.deepEqual(before.problems, []);
    const damages = [
      () => undefined,
      () => writeFileSync(world.disk.indexPath, "not a database"),
      () => world.disk.remove(),
    ];
    for (const spoil of damages) {
      await vault.close();
      spoil();
      // An open file that nobody closes ends the process, some day.
      let isClosed = false;
      const close = async (): Promise<void> => {
        isClosed = true;
      };
      const report = await rebuildIndex(
        { store: { ...memoryStore(world.disk), close }, indexPath: world.disk.indexPath },
        { clock: world.clock },
      );
      assert.deepEqual([report.packs, report.blocks, report.problems, isClosed], [3, 5, [], true]);
      vault = await world.open();
      assert.deepEqual(await answers(), before);
    }
  });

  test("never gives a number again that a snapshot names", async () => {
    const blocks = someBlocks(2);
    await backUp(world, vault, blocks);
    await vault.close();
    for (const key of packKeys()) world.disk.objects.delete(key);
    await rebuildIndex({ store: memoryStore(world.disk), indexPath: world.disk.indexPath }, { clock: world.clock });
    vault = await world.open();
    const session = await newSession(world, vault);
    assert.deepEqual(await put(world, vault, session, someBlocks(1)), [3]);
  });

  test("goes past a damaged snapshot record, and then nothing is collected until that snapshot is purged", async () => {
    const good = someBlocks(1);
    await backUp(world, vault, good);
    const id = await backUp(world, vault, someBlocks(1));
    await vault.close();
    world.disk.objects.get(`snapshots/${id}`)![50]! ^= 1;
    const report = await rebuildIndex(
      { store: memoryStore(world.disk), indexPath: world.disk.indexPath },
      { clock: world.clock },
    );
    assert.deepEqual(
      report.problems.map(({ object }) => object),
      [`snapshots/${id}`],
    );
    vault = await world.open();
    assert.deepEqual(await readBack(vault, good), hashesOf(good));
    await assert.rejects(collect(), (error) => isAppError(error, "record_corrupt"));
    assert.equal(packKeys().length, 2);
    await remove(id);
    await collect();
    assert.equal(packKeys().length, 1);
    assert.deepEqual(await problems(), []);
  });

  test("waits for running backups", async () => {
    await newSession(world, vault);
    await assert.rejects(
      rebuildIndex({ store: memoryStore(world.disk), indexPath: world.disk.indexPath }, { clock: world.clock }),
      (error) => isAppError(error, "vault_busy"),
    );
  });
});

describe("administration", () => {
  const rejects = async (
    statement: Parameters<ReturnType<typeof vaultAdmin>["apply"]>[0],
    expected: string,
    file?: Uint8Array,
  ) => assert.rejects(vaultAdmin(vault).apply(statement, file), (error) => isAppError(error, expected as never));

  test("the last keyslot stays; a removed one is gone from the store", async () => {
    const [first] = await vault.keyslots();
    const removal = await signed(world.vaultId, world.device, { type: "keyslot-remove", body: { id: first!.id } });
    await rejects(removal, "last_keyslot");
    const file = world.random.bytes(50);
    const addition = await signed(world.vaultId, world.device, keyslotAdd(file, "second"));
    await rejects(addition, "usage");
    await rejects(addition, "usage", world.random.bytes(50));
    await vaultAdmin(vault).apply(addition, file);
    await vaultAdmin(vault).apply(removal);
    assert.ok(!world.disk.objects.has(`keys/${first!.id}.age`));
    assert.deepEqual(
      (await vault.keyslots()).map(({ label }) => label),
      ["second"],
    );
    assert.deepEqual(await problems(), []);
  });

  test("pins hold, the trash gives back, forged statements are refused", async () => {
    const snapshot = await backUp(world, vault, someBlocks(1));
    const make = (type: "remove" | "undelete" | "unpin", signer = world.device) =>
      signed(world.vaultId, signer, { type, body: { snapshot } });
    const until = world.clock.now() + DAY;
    await vaultAdmin(vault).apply(
      await signed(world.vaultId, world.device, { type: "pin", body: { snapshot, until } }),
    );
    await rejects(await make("remove"), "snapshot_pinned");
    await rejects(await make("unpin"), "snapshot_pinned");
    world.clock.advance(DAY);
    await rejects({ ...(await make("remove")), by: world.device.device, sig: new Uint8Array(64) }, "signature_bad");
    await rejects(await make("remove", await newDevice()), "signature_bad");
    await vaultAdmin(vault).apply(await make("remove"));
    assert.equal((await vault.snapshots())[0]!.state, "trash");
    await vaultAdmin(vault).apply(await make("undelete"));
    assert.equal((await vault.snapshots())[0]!.state, "live");
    await rejects(await make("undelete"), "not_found");
  });

  test("a revoked device can go on with nothing", async () => {
    const session = await newSession(world, vault);
    const event = { type: "device-revoke", body: { device: world.device.device } } as const;
    await vaultAdmin(vault).apply(await signed(world.vaultId, world.device, event));
    await assert.rejects(put(world, vault, session, someBlocks(1)), (error) => isAppError(error, "device_revoked"));
  });
});
