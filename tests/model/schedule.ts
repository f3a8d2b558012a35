// A schedule: what happens, as data made from a seed. Runs it, then lets the dust settle and asks for everything that was promised:
// what can be healed is healed, nothing is left that nobody needs, and when all snapshots are gone so is every pack.

import assert from "node:assert/strict";
import { toHex } from "../../src/core/bytes.ts";
import type { SessionId, SnapshotId } from "../../src/core/ids.ts";
import type { LogEvent } from "../../src/wire/v4/log-entry.ts";
import { commitRefs, hashOf, makePack, PLAN, type Prng, prng, signed, stream } from "../vault/kit.ts";
import { CHUNKS, Game, letThemRun, STEPS } from "./steps.ts";
import { Stage, type Template } from "./world.ts";

const DAY = 86_400_000;

export type ScheduledStep = { readonly kind: string; readonly seed: number };

export function makeSchedule(seed: number, length: number): ScheduledStep[] {
  const random = prng(seed);
  const kinds = Object.entries(STEPS).flatMap(([kind, [weight]]) => Array<string>(weight).fill(kind));
  return Array.from({ length }, () => ({ kind: kinds[random.below(kinds.length)]!, seed: random.below(2 ** 31) }));
}

/** Throws what the schedule found, with the steps that led there. */
export async function runSchedule(template: Template, seed: number, steps: readonly ScheduledStep[]): Promise<void> {
  const stage = new Stage(template, seed);
  const game = new Game(stage);
  try {
    for (const { kind, seed: stepSeed } of steps) {
      const random = prng(stepSeed);
      game.trail.push(kind);
      await STEPS[kind]![1](game, random);
      await stage.buryTheDead();
      if (random.below(3) > 0) await letThemRun(game, random, 16);
      game.observe();
    }
    game.trail.push("settle");
    await settle(game, prng(seed ^ 0x5e771e));
  } catch (cause) {
    throw new Error(`after ${game.trail.join(", ")}: ${(cause as Error).message}`, { cause });
  } finally {
    await stage.end();
  }
}

async function settle(game: Game, random: Prng): Promise<void> {
  const { stage, model } = game;
  while (await stage.turns.turn(0)) await stage.buryTheDead();
  for (const slot of stage.processes.keys()) await stage.close(slot);
  const process = await stage.process(0);
  model.resolve(process.vault.context, stage.disk, game.now);
  for (const session of model.sessions)
    if (session.state === "open" && session.aliveUntil < game.now + DAY) session.state = "maybe";
  stage.clock.advance(3 * DAY);
  for (const session of model.sessions) session.state = "ended";

  await process.admin.scrub();
  game.observe();
  const healer = await healEverything(game, random);
  game.observe();
  const hurt = () =>
    model
      .visible()
      .flatMap(({ id, content, readable }) =>
        [...content.keys()]
          .filter((chunk) => !readable.has(chunk))
          .map((chunk) => `chunk ${chunk} of ${id.slice(0, 8)}`),
      );
  assert.deepEqual(hurt(), [], "not healed");

  // What was sent again outlives the snapshot that brought it, as long as somebody needs it.
  await change(game, "remove", healer);
  await process.admin.collectGarbage({ trashMs: 0, maxDeadShare: 0.1, smallPackBytes: 700, targetPackBytes: 1500 });
  model.snapshots.delete(healer);
  game.model.snapshots.set(healer, {
    id: healer,
    content: new Map(),
    state: "purged",
    trashedAt: 0,
    pin: undefined,
    readable: new Set(),
  });
  const afterwards = game.model.visible();
  for (const snapshot of model.snapshots.values()) if (snapshot.state === "trash") snapshot.state = "purged";
  game.observe();
  if (model.damages === 0) assert.deepEqual((await process.admin.check({ readData: true })).problems, []);
  void afterwards;

  for (const { id, state, pin } of [...model.snapshots.values()]) {
    if (state !== "live") continue;
    if (pin !== undefined) await change(game, "unpin", id);
    await change(game, "remove", id);
  }
  await process.admin.collectGarbage({ trashMs: 0 });
  const { database } = process.vault.context;
  assert.deepEqual(
    [...stage.disk.objects.keys()].filter((key) => /^(packs|snapshots)\//.test(key)),
    [],
    "left behind",
  );
  for (const table of ["packs", "blocks", "chunks", "leases", "session_refs", "intents", "locks"]) {
    assert.deepEqual(database.all(`SELECT * FROM ${table}`), [], `rows left in ${table}`);
  }
  assert.equal(stage.disk.tmp.size, 0, "unfinished writes left behind");
  assert.deepEqual((await process.admin.check({ readData: true })).problems, []);
}

/** One backup of all chunks that there are, as a machine would make it that still has every file. */
async function healEverything(game: Game, random: Prng): Promise<SnapshotId> {
  const { stage, model } = game;
  const { vault } = stage.processes[0]!;
  const session = toHex(random.bytes(16)) as SessionId;
  await vault.openSession({ session, device: stage.devices[1]!.device, plan: PLAN, base: undefined });
  const all = Array.from({ length: CHUNKS }, (_, chunk) => chunk);
  const found = [...(await vault.findChunks(session, model.flat(all)))];
  const missing = all.filter((chunk) => found[chunk] === 0);
  game.observe();
  for (const blockNo of found) {
    assert.ok(blockNo === 0 || model.trusts("maybe", 1, blockNo), `block ${blockNo} is another group's`);
  }
  const view = stage.viewOf(1, random);
  if (missing.length > 0) {
    const blocks = missing.map((chunk) => ({
      sealed: random.bytes(60),
      chunkIds: [model.chunkIds[chunk]!],
      kind: 1 as const,
    }));
    blocks.forEach(({ sealed }, i) => {
      const hash = hashOf(sealed);
      model.blocks.set(hash, { hash, chunks: [missing[i]!], device: 1, damaged: false });
    });
    const { blockNos } = await vault.putPack(session, stream(await makePack(view, session, blocks), 200));
    missing.forEach((chunk, i) => {
      found[chunk] = blockNos[i]!;
    });
  }
  const id = await commitRefs(view, vault, session, found);
  const content = new Map(all.map((chunk) => [chunk, found[chunk]!]));
  model.snapshots.set(id, { id, content, state: "live", trashedAt: 0, pin: undefined, readable: new Set() });
  return id;
}

async function change(game: Game, type: "remove" | "unpin", snapshot: SnapshotId): Promise<void> {
  const { stage, model } = game;
  const event = { type, body: { snapshot } } as LogEvent;
  await stage.processes[0]!.admin.apply(await signed(stage.vaultId, stage.devices[0]!, event));
  const known = model.snapshots.get(snapshot)!;
  known.pin = undefined;
  if (type === "remove") known.state = "trash";
}
