// Two sessions, removals, undeletes, collections with compaction and an advancing clock, in random order against a simple model:
// a snapshot that is live or in the trash can always be read in full, a session's answers hold until it commits, and nothing
// else is promised. `SEED=n` runs one sequence again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes } from "../../src/core/bytes.ts";
import { isAppError } from "../../src/core/errors.ts";
import type { SessionId, SnapshotId } from "../../src/core/ids.ts";
import { vaultAdmin } from "../../src/vault/admin.ts";
import type { LocalVault } from "../../src/vault/local-vault.ts";
import {
  commitRefs,
  hashesOf,
  newSession,
  newWorld,
  type Prng,
  prng,
  put,
  randomBlock,
  readBack,
  signed,
  type TestBlock,
  type World,
} from "./kit.ts";

const MINUTE = 60_000;
const STEPS = 60;
const SEEDS = process.env.SEED ? [Number(process.env.SEED)] : Array.from({ length: 8 }, (_, i) => i + 1);

type Run = {
  readonly session: SessionId;
  readonly blocks: Map<number, TestBlock>;
  /** Two openings of one vault, as two processes would have. */
  readonly vault: LocalVault;
  counter: number;
};

for (const seed of SEEDS) {
  test(`seed ${seed}`, async () => {
    const world = await newWorld(seed);
    const random = prng(seed * 7919);
    const vaults = [await world.open(), await world.open()] as const;
    const runs: (Run | undefined)[] = [undefined, undefined];
    const snapshots = new Map<SnapshotId, Map<number, TestBlock>>();
    const trail: string[] = [];
    try {
      for (let step = 0; step < STEPS; step++) {
        const at = random.below(2);
        trail.push(await act(world, random, vaults[at]!, runs, at, snapshots));
        await checkPromises(vaults[1 - at]!, snapshots);
      }
      assert.deepEqual((await vaultAdmin(vaults[0]).check({ readData: true })).problems, []);
    } catch (error) {
      throw new Error(`seed ${seed}, after ${trail.join(", ")}`, { cause: error });
    }
    for (const vault of vaults) await vault.close();
    world.disk.remove();
  });
}

async function act(
  world: World,
  random: Prng,
  vault: LocalVault,
  runs: (Run | undefined)[],
  at: number,
  snapshots: Map<SnapshotId, Map<number, TestBlock>>,
): Promise<string> {
  const run = runs[at];
  const choice = random.below(12);
  if (run === undefined && choice < 7) {
    const base = random.below(2) === 0 ? pick(random, [...snapshots.keys()]) : undefined;
    const session = await newSession(world, vault, base);
    const rows = await vault.snapshots();
    const accepted = base !== undefined && rows.some(({ id }) => id === base);
    runs[at] = { session, blocks: new Map(accepted ? snapshots.get(base)! : []), vault, counter: 0 };
    return "open";
  }
  if (choice < 3) {
    await attempt(runs, at, async () => {
      const blocks = Array.from({ length: 1 + random.below(4) }, () => randomBlock(random, 2, 80));
      const blockNos = await put(world, vault, run!.session, blocks, { firstCounter: run!.counter });
      run!.counter += blocks.length;
      blockNos.forEach((blockNo, i) => {
        if (random.below(2) === 0) run!.blocks.set(blockNo, blocks[i]!);
      });
    });
    return "put";
  }
  if (choice < 5) {
    await attempt(runs, at, async () => {
      const known = [...snapshots.values()].flatMap((blocks) => [...blocks.values()]);
      const asked = known.filter(() => random.below(3) === 0);
      const found = await vault.findChunks(run!.session, concatBytes(asked.map(({ chunkIds }) => chunkIds[0]!)));
      asked.forEach((block, i) => {
        if (found[i] !== 0) run!.blocks.set(found[i]!, block);
      });
    });
    return "find";
  }
  if (choice < 7) {
    await attempt(runs, at, async () => {
      const id = await commitRefs(world, vault, run!.session, [...run!.blocks.keys()]);
      snapshots.set(id, run!.blocks);
      runs[at] = undefined;
    });
    return "commit";
  }
  if (choice < 9) {
    const id = pick(random, [...snapshots.keys()]);
    const row = (await vault.snapshots()).find((snapshot) => snapshot.id === id);
    if (row === undefined) return "-";
    const type = row.state === "live" ? "remove" : "undelete";
    const event = { type, body: { snapshot: row.id } } as const;
    await vaultAdmin(vault).apply(await signed(world.vaultId, world.device, event));
    return type;
  }
  if (choice < 11) {
    const options = {
      trashMs: random.below(2) * 30 * MINUTE,
      maxDeadShare: 0.1,
      smallPackBytes: 600,
      targetPackBytes: 900,
    };
    // The other side goes on while it runs.
    const other = runs[1 - at];
    const during =
      other && put(world, other.vault, other.session, [randomBlock(random)], { firstCounter: other.counter++ });
    const [, putResult] = await Promise.allSettled([vaultAdmin(vault).collectGarbage(options), during]);
    if (putResult.status === "rejected" && !isAppError(putResult.reason, "session_unknown")) throw putResult.reason;
    return "collect";
  }
  world.clock.advance(random.below(8) * MINUTE);
  return "wait";
}

/** A session that was silent for too long may be over: then its run begins anew, and nothing was promised. */
async function attempt(runs: (Run | undefined)[], at: number, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isAppError(error, "session_unknown")) throw error;
    runs[at] = undefined;
  }
}

async function checkPromises(
  vault: LocalVault,
  snapshots: ReadonlyMap<SnapshotId, ReadonlyMap<number, TestBlock>>,
): Promise<void> {
  const expected = new Map<number, TestBlock>();
  for (const { id } of await vault.snapshots()) {
    for (const [blockNo, block] of snapshots.get(id)!) expected.set(blockNo, block);
  }
  const blocks = [...expected.values()];
  assert.deepEqual(await readBack(vault, blocks), hashesOf(blocks));
}

function pick<T>(random: Prng, items: readonly T[]): T | undefined {
  return items[random.below(Math.max(1, items.length))];
}
