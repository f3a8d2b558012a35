// Thousands of schedules of devices, people, self-care, crashes, damage and restarts on one vault, each step interleaved with the others at every
// call of the store, against a simple model of what must be restorable (promises.ts). One that fails is made as short as it
// goes; `SEED=n KEEP=i,j,… npm test -- model` plays it again. Every run plays the same seeds; `FIRST_SEED=any SCHEDULES=n` explores others.

import assert from "node:assert/strict";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { play, stepsOf } from "./play.ts";
import type { Seeds } from "./play-thread.ts";
import { makeCryptoPrompt } from "./prompt-crypto.ts";
import { shrink } from "./shrink.ts";
import { makeTemplate, type Template } from "./world.ts";

const SCHEDULES = Number(process.env.SCHEDULES ?? 2000);
const FIRST_SEED = process.env.FIRST_SEED ?? "20261123";
const THREADS = 2;
/** More schedules than usual may take longer than a test may. */
const TIMEOUT_MS = 60_000 + SCHEDULES * 300;

test("whatever happens in whatever order, what was promised holds", { timeout: TIMEOUT_MS }, async (t) => {
  if (process.env.SEED !== undefined) return replay(Number(process.env.SEED));
  const first = FIRST_SEED === "any" ? Math.floor(Math.random() * 2 ** 30) : Number(FIRST_SEED);
  t.diagnostic(`${SCHEDULES} schedules, seeds from ${first}`);
  const threads = Array.from({ length: THREADS }, (_, i) =>
    playInThread({ first: first + i, end: first + SCHEDULES, step: THREADS }),
  );
  for (const seed of await Promise.all(threads)) if (seed !== undefined) throw await shortest(seed);
});

/** The first seed that fails. */
async function playInThread(seeds: Seeds): Promise<number | undefined> {
  const thread = new Worker(new URL("./play-thread.ts", import.meta.url), { workerData: seeds });
  // A thread that fails as such makes this throw.
  const [failed] = (await once(thread, "message")) as [number | undefined];
  await thread.terminate();
  return failed;
}

async function replay(seed: number): Promise<void> {
  const keep = process.env.KEEP?.split(",").map(Number);
  await inPromptWorld(async (template) => {
    const steps = stepsOf(seed);
    const failure = await play(template, seed, keep === undefined ? steps : keep.map((i) => steps[i]!));
    if (failure !== undefined) throw failure;
  });
}

function shortest(seed: number): Promise<Error> {
  return inPromptWorld(async (template) => {
    const steps = stepsOf(seed);
    const playOnly = (indices: readonly number[]) =>
      play(
        template,
        seed,
        indices.map((i) => steps[i]!),
      );
    const all = [...steps.keys()];
    const [failure, again] = [await playOnly(all), await playOnly(all)];
    assert.ok(failure, `seed ${seed} failed in its thread, and not when played again`);
    assert.equal(again?.message, failure.message, `seed ${seed} does not fail the same way twice`);
    const kept = await shrink(steps.length, async (indices) => (await playOnly(indices)) !== undefined);
    const cause = await playOnly(kept);
    return new Error(`SEED=${seed} KEEP=${kept.join(",")} fails ${cause?.message}`, { cause });
  });
}

async function inPromptWorld<T>(work: (template: Template) => Promise<T>): Promise<T> {
  const restoreCrypto = makeCryptoPrompt();
  const template = await makeTemplate();
  try {
    return await work(template);
  } finally {
    restoreCrypto();
    rmSync(template.folder, { recursive: true, force: true });
  }
}
