// Thousands of schedules of devices, people, self-care, crashes, damage and restarts on one vault, each step interleaved with the others at every
// call of the store, against a simple model of what must be restorable (promises.ts). One that fails is made as short as it
// goes; `SEED=n KEEP=i,j,… npm test -- model` plays it again. Every run plays the same seeds; `FIRST_SEED=any SCHEDULES=n` explores others.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { after, before, test } from "node:test";
import { makeCryptoPrompt } from "./prompt-crypto.ts";
import { makeSchedule, runSchedule, type ScheduledStep } from "./schedule.ts";
import { shrink } from "./shrink.ts";
import { makeTemplate, type Template } from "./world.ts";

const STEPS = 25;
const SCHEDULES = Number(process.env.SCHEDULES ?? 1000);
const FIRST_SEED = process.env.FIRST_SEED ?? "20261123";

let template: Template;
let restoreCrypto: () => void;

before(async () => {
  restoreCrypto = makeCryptoPrompt();
  template = await makeTemplate();
});

after(() => {
  restoreCrypto();
  rmSync(template.folder, { recursive: true, force: true });
});

test("whatever happens in whatever order, what was promised holds", async (t) => {
  const seeds = process.env.SEED === undefined ? undefined : [Number(process.env.SEED)];
  if (seeds !== undefined) return replay(seeds[0]!);
  const first = FIRST_SEED === "any" ? Math.floor(Math.random() * 2 ** 30) : Number(FIRST_SEED);
  t.diagnostic(`seeds from ${first}`);
  const startedAt = performance.now();
  for (let seed = first; seed < first + SCHEDULES; seed++) {
    const steps = makeSchedule(seed, STEPS);
    const failure = await play(seed, steps);
    if (failure !== undefined) throw await shortest(seed, steps, failure);
  }
  t.diagnostic(`${SCHEDULES} schedules in ${Math.round(performance.now() - startedAt)} ms`);
});

async function replay(seed: number): Promise<void> {
  const steps = makeSchedule(seed, STEPS);
  const keep = process.env.KEEP?.split(",").map(Number);
  const failure = await play(seed, keep === undefined ? steps : keep.map((i) => steps[i]!));
  if (failure !== undefined) throw failure;
}

async function play(seed: number, steps: readonly ScheduledStep[]): Promise<Error | undefined> {
  return runSchedule(template, seed, steps).then(
    () => undefined,
    (error: Error) => error,
  );
}

async function shortest(seed: number, steps: readonly ScheduledStep[], failure: Error): Promise<Error> {
  const again = await play(seed, steps);
  assert.equal(again?.message, failure.message, `seed ${seed} does not fail the same way twice`);
  const kept = await shrink(
    steps.length,
    async (indices) =>
      (await play(
        seed,
        indices.map((i) => steps[i]!),
      )) !== undefined,
  );
  const cause = await play(
    seed,
    kept.map((i) => steps[i]!),
  );
  return new Error(`SEED=${seed} KEEP=${kept.join(",")} fails ${cause?.message}`, { cause });
}
