// Plays schedules in a thread of its own, until one fails: there the test runner follows no promises, which costs a fifth of a schedule, and
// two threads play at a time. Posts the seed that failed, or undefined.

import { rmSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { play, stepsOf } from "./play.ts";
import { makeCryptoPrompt } from "./prompt-crypto.ts";
import { makeTemplate } from "./world.ts";

export type Seeds = { readonly first: number; readonly end: number; readonly step: number };

makeCryptoPrompt();
const { first, end, step } = workerData as Seeds;
const template = await makeTemplate();
let failed: number | undefined;
try {
  for (let seed = first; seed < end && failed === undefined; seed += step) {
    if ((await play(template, seed, stepsOf(seed))) !== undefined) failed = seed;
  }
} finally {
  rmSync(template.folder, { recursive: true, force: true });
}
parentPort!.postMessage(failed);
