// Every way to die: a store and an index that stop at their n-th operation, for every n of each scenario, in two ways of dying.
// Reopened on what is left: whatever was acknowledged can be fetched block by block, nothing is wrong but orphans, and a later
// garbage collection leaves none.
import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { concatBytes } from "../../src/core/bytes.ts";
import type { SnapshotId } from "../../src/core/ids.ts";
import { type FaultCounter, faultStore, stopAfter } from "../../src/storage/fault-store.ts";
import { memoryStore } from "../../src/storage/memory-store.ts";
import { vaultAdmin } from "../../src/vault/admin.ts";
import type { LocalVault } from "../../src/vault/local-vault.ts";
import type { VaultOptions } from "../../src/vault/open-vault.ts";
import { rebuildIndex } from "../../src/vault/rebuild.ts";
import { makeDigestsPrompt } from "../prompt-digest.ts";
import {
  backUp,
  commitRefs,
  hashesOf,
  keyslotAdd,
  makeRecord,
  newSession,
  newWorld,
  put,
  randomBlock,
  readBack,
  signed,
  type TestBlock,
  type World,
} from "./kit.ts";

makeDigestsPrompt();

const DAY = 86_400_000;

/** What must hold after a crash, as far as the scenario got. */
type Ledger = {
  /** Blocks of each snapshot that may exist. */
  readonly blocks: Map<SnapshotId, readonly TestBlock[]>;
  /** Acknowledged, and not asked to be removed since. */
  readonly kept: Set<SnapshotId>;
  /** Keyslot labels that must be there, and that must not. */
  readonly keyslots: Set<string>;
  readonly removedKeyslots: Set<string>;
};

type Scenario = {
  readonly name: string;
  /** Ways of dying; torn writes differ from clean ones only where objects are streamed. */
  readonly modes?: readonly ("clean" | "torn")[];
  /** Some of its commits are vouched for by a flush, and not at once. */
  readonly losesIndex?: true;
  prepare?(world: World, vault: LocalVault, ledger: Ledger): Promise<void>;
  run(world: World, vault: LocalVault, ledger: Ledger): Promise<void>;
};

const SCENARIOS: readonly Scenario[] = [
  {
    name: "a backup of two packs on a base",
    modes: ["clean", "torn"],
    losesIndex: true,
    async prepare(world, vault, ledger) {
      await recordedBackup(world, vault, ledger, someBlocks(world, 2));
    },
    async run(world, vault, ledger) {
      const [base] = ledger.kept;
      const session = await newSession(world, vault, base);
      const blocks = someBlocks(world, 4);
      const refs = [1, 2, ...(await put(world, vault, session, blocks.slice(0, 2)))];
      await vault.findChunks(session, concatBytes(ledger.blocks.get(base!)![0]!.chunkIds));
      refs.push(...(await put(world, vault, session, blocks.slice(2), { firstCounter: 2 })));
      const record = await makeRecord(world, vault, session, refs);
      ledger.blocks.set(record.id, [...ledger.blocks.get(base!)!, ...blocks]);
      await vault.commit(session, record.bytes);
      ledger.kept.add(record.id);
    },
  },
  {
    name: "removing and bringing back",
    losesIndex: true,
    async prepare(world, vault, ledger) {
      await recordedBackup(world, vault, ledger, someBlocks(world, 2));
      await recordedBackup(world, vault, ledger, someBlocks(world, 2));
    },
    async run(world, vault, ledger) {
      const [first, second] = [...ledger.kept];
      await change(world, vault, "remove", first!);
      await change(world, vault, "remove", second!);
      await change(world, vault, "undelete", first!);
    },
  },
  {
    name: "purging and collecting",
    async prepare(world, vault, ledger) {
      for (let i = 0; i < 3; i++) await recordedBackup(world, vault, ledger, someBlocks(world, 2));
      const [first, second] = [...ledger.kept];
      for (const id of [first!, second!]) {
        await change(world, vault, "remove", id);
        doom(ledger, id);
      }
    },
    async run(_world, vault) {
      await vaultAdmin(vault).collectGarbage({ trashMs: 0 });
    },
  },
  {
    name: "compacting packs of several sessions",
    modes: ["clean", "torn"],
    async prepare(world, vault, ledger) {
      for (let i = 0; i < 3; i++) {
        const blocks = someBlocks(world, 4);
        const session = await newSession(world, vault);
        const refs = await put(world, vault, session, blocks);
        const whole = await commitRefs(world, vault, session, refs);
        const next = await newSession(world, vault);
        const part = await commitRefs(world, vault, next, [refs[i]!]);
        ledger.blocks.set(part, [blocks[i]!]);
        ledger.kept.add(part);
        await change(world, vault, "remove", whole);
        ledger.blocks.set(whole, blocks);
        doom(ledger, whole);
      }
    },
    async run(_world, vault) {
      await vaultAdmin(vault).collectGarbage({ trashMs: 0, targetPackBytes: 500 });
    },
  },
  {
    name: "changing keyslots",
    async run(world, vault, ledger) {
      const file = world.random.bytes(60);
      await vaultAdmin(vault).apply(await signed(world.vaultId, world.device, keyslotAdd(file, "second")), file);
      ledger.keyslots.add("second");
      const first = (await vault.keyslots()).find(({ label }) => label === "first")!;
      ledger.keyslots.delete("first");
      const removal = { type: "keyslot-remove", body: { id: first.id } } as const;
      await vaultAdmin(vault).apply(await signed(world.vaultId, world.device, removal));
      ledger.removedKeyslots.add("first");
    },
  },
];

for (const scenario of SCENARIOS) {
  for (const mode of scenario.modes ?? (["clean"] as const)) {
    test(`${scenario.name}, stopped at every operation (${mode})`, async (t) => {
      let total = 0;
      for (let limit = 0; ; limit++) {
        const { finished, world, ledger } = await dieAfter(scenario, limit, mode);
        await checkAftermath(world, ledger, `stopped after operation ${limit}`);
        world.disk.remove();
        total = limit;
        if (finished) break;
      }
      t.diagnostic(`${total} operations`);
      assert.ok(total >= 5, "the scenario does next to nothing");
    });
  }
}

describe("a second crash", () => {
  test("while recovering from the first one", async () => {
    const scenario = SCENARIOS[0]!;
    for (let first = 1; ; first += 2) {
      let finished = false;
      for (let second = 0; second < 3; second++) {
        const dead = await dieAfter(scenario, first, "clean");
        finished = dead.finished;
        const counter = stopAfter(second);
        const reopened = await openWith(dead.world, counter, "clean").catch(() => undefined);
        await reopened?.close();
        await checkAftermath(dead.world, dead.ledger, `stopped after ${first}, then after ${second}`);
        dead.world.disk.remove();
      }
      if (finished) break;
    }
  });
});

test("a pack that got its name is there for the next run, wherever the first one died", async () => {
  for (let limit = 0; ; limit++) {
    const { finished, world } = await dieAfter(SCENARIOS[0]!, limit, "clean");
    const named = [...world.disk.objects.keys()].filter((key) => key.startsWith("packs/")).length;
    const vault = await world.open();
    assert.equal((await vaultAdmin(vault).stats()).packs, named, `stopped after operation ${limit}`);
    await vault.close();
    world.disk.remove();
    if (finished) break;
  }
});

for (const scenario of SCENARIOS.filter(({ losesIndex }) => losesIndex)) {
  test(`${scenario.name}, stopped at every operation by a power cut that undoes what no flush has vouched for`, async () => {
    for (let limit = 0; ; limit++) {
      const { finished, world, ledger } = await dieAfter(scenario, limit, "clean", "power");
      await checkNumbers(world, ledger, `power cut after operation ${limit}`);
      await checkAftermath(world, ledger, `power cut after operation ${limit}`);
      world.disk.remove();
      if (finished) break;
    }
  });
}

async function dieAfter(
  scenario: Scenario,
  limit: number,
  mode: "clean" | "torn",
  cut: "process" | "power" = "process",
) {
  const world = await newWorld();
  const ledger: Ledger = {
    blocks: new Map(),
    kept: new Set(),
    keyslots: new Set(["first"]),
    removedKeyslots: new Set(),
  };
  const before = await world.open();
  await scenario.prepare?.(world, before, ledger);
  await before.close();

  const counter = stopAfter(limit);
  const { indexPath } = world.disk;
  const safe = safeCopy(indexPath);
  safe.take();
  const flush = async (): Promise<void> => {
    counter.step();
    safe.take();
  };
  let vault: LocalVault | undefined;
  let finished = false;
  try {
    vault = await openWith(world, counter, mode, cut === "power" ? { flush } : {});
    await scenario.run(world, vault, ledger);
    finished = !counter.isStopped;
  } catch (error) {
    if (!counter.isStopped) throw error;
  }
  await vault?.close();
  if (cut === "power") safe.putBack();
  return { finished, world, ledger };
}

function openWith(
  world: World,
  counter: FaultCounter,
  mode: "clean" | "torn",
  options: VaultOptions = {},
): Promise<LocalVault> {
  return world.open({ beforeCommit: () => counter.step(), ...options }, (store) =>
    faultStore(store, counter, { mode }),
  );
}

/** The index as it was last known to be on the disk: its file and its log. */
function safeCopy(indexPath: string) {
  const kept = new Map<string, Uint8Array>();
  const files = [indexPath, `${indexPath}-wal`];
  return {
    take: () => {
      for (const file of files) kept.set(file, existsSync(file) ? readFileSync(file) : new Uint8Array());
    },
    putBack: () => {
      for (const file of [...files, `${indexPath}-shm`]) rmSync(file, { force: true });
      for (const [file, bytes] of kept) writeFileSync(file, bytes);
    },
  };
}

async function checkAftermath(world: World, ledger: Ledger, when: string): Promise<void> {
  const vault = await world.open();
  const admin = vaultAdmin(vault);
  await checkPromises(vault, ledger, when);
  const first = await admin.check({ readData: true });
  assert.deepEqual(
    first.problems.filter(({ code }) => code !== "unexpected"),
    [],
    when,
  );

  world.clock.advance(3 * DAY);
  // The lock of the collection that died is held by this very process.
  vault.context.database.run("DELETE FROM locks");
  await admin.collectGarbage({ trashMs: 365 * DAY });
  await checkPromises(vault, ledger, `${when}, collected`);
  assert.deepEqual((await admin.check({ readData: true })).problems, [], `${when}, collected`);
  assert.equal(world.disk.tmp.size, 0, when);
  assert.deepEqual(vault.context.database.all("SELECT * FROM intents"), [], when);

  // Life goes on.
  const more = someBlocks(world, 1);
  await backUp(world, vault, more);
  assert.deepEqual(await readBack(vault, more), hashesOf(more), when);
  await vault.close();
}

/** No number that lies in a pack is given again: the index can be made anew from the objects alone. */
async function checkNumbers(world: World, ledger: Ledger, when: string): Promise<void> {
  let vault = await world.open();
  await backUp(world, vault, someBlocks(world, 3));
  await vault.close();
  // Leases are not in the objects: what they held is over.
  world.clock.advance(DAY);
  const { disk, clock } = world;
  const report = await rebuildIndex({ store: memoryStore(disk), indexPath: disk.indexPath }, { clock });
  assert.deepEqual(report.problems, [], when);
  vault = await world.open();
  await checkPromises(vault, ledger, `${when}, rebuilt`);
  await vault.close();
}

async function checkPromises(vault: LocalVault, ledger: Ledger, when: string): Promise<void> {
  const present = new Set((await vault.snapshots()).map(({ id }) => id));
  for (const id of ledger.kept) assert.ok(present.has(id), `${when}: snapshot ${id} is gone`);
  for (const id of present) {
    const blocks = ledger.blocks.get(id);
    if (blocks !== undefined) assert.deepEqual(await readBack(vault, blocks), hashesOf(blocks), when);
    await vault.snapshotRecord(id);
  }
  const slots = await vault.keyslots();
  for (const { id } of slots) assert.ok((await vault.keyslotFile(id)).length > 0, when);
  const labels = new Set(slots.map(({ label }) => label));
  for (const label of ledger.keyslots) assert.ok(labels.has(label), `${when}: keyslot ${label} is gone`);
  for (const label of ledger.removedKeyslots) assert.ok(!labels.has(label), `${when}: keyslot ${label} is back`);
}

async function recordedBackup(world: World, vault: LocalVault, ledger: Ledger, blocks: TestBlock[]): Promise<void> {
  const id = await backUp(world, vault, blocks);
  ledger.blocks.set(id, blocks);
  ledger.kept.add(id);
}

function doom(ledger: Ledger, id: SnapshotId): void {
  ledger.kept.delete(id);
}

async function change(world: World, vault: LocalVault, type: "remove" | "undelete", snapshot: SnapshotId) {
  return vaultAdmin(vault).apply(await signed(world.vaultId, world.device, { type, body: { snapshot } }));
}

function someBlocks(world: World, count: number): TestBlock[] {
  return Array.from({ length: count }, () => randomBlock(world.random, 2, 120));
}
