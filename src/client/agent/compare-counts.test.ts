// What looks like a disaster must be told; what is a normal day must not.

import assert from "node:assert/strict";
import test from "node:test";
import { type Baseline, type Counts, remarksOn } from "./compare-counts.ts";

const MIB = 2 ** 20;
const QUIET: Baseline = { files: 1000, shares: [0.01, 0.02] };

function counts(change: Partial<Counts>): Counts {
  return {
    files: 1000,
    newFiles: 0,
    changedFiles: 10,
    unchangedFiles: 990,
    newBytes: MIB,
    addedBytes: MIB / 2,
    ...change,
  };
}

const CASES: readonly (readonly [
  what: string,
  now: Partial<Counts>,
  before: Baseline | undefined,
  remarks: readonly string[],
])[] = [
  ["a normal day", {}, QUIET, []],
  ["the first run", { newFiles: 1000, changedFiles: 0, unchangedFiles: 0 }, undefined, []],
  ["a folder that is gone", { files: 90, unchangedFiles: 90, changedFiles: 0 }, QUIET, ["fewer-files"]],
  ["a small plan", { files: 1, unchangedFiles: 1, changedFiles: 0 }, { files: 99, shares: [] }, []],
  ["half a spring cleaning", { files: 400, unchangedFiles: 390 }, QUIET, []],
  ["all files rewritten", { changedFiles: 600, unchangedFiles: 400 }, QUIET, ["many-changed"]],
  ["always that many", { changedFiles: 600, unchangedFiles: 400 }, { files: 1000, shares: [0.5, 0.7] }, []],
  [
    "renamed and encrypted",
    { newFiles: 300, changedFiles: 0, unchangedFiles: 700, newBytes: 9 * MIB, addedBytes: 9 * MIB },
    QUIET,
    ["many-changed"],
  ],
  [
    "renamed, and it shrinks",
    { newFiles: 300, changedFiles: 0, unchangedFiles: 700, newBytes: 9 * MIB, addedBytes: 4 * MIB },
    QUIET,
    [],
  ],
  [
    "many new photos",
    { files: 1500, newFiles: 500, changedFiles: 0, unchangedFiles: 1000, newBytes: 9 * MIB, addedBytes: 9 * MIB },
    QUIET,
    [],
  ],
];

for (const [what, now, before, remarks] of CASES) {
  test(`${what}: ${remarks.join(", ") || "nothing"}`, () => {
    assert.deepEqual(remarksOn(counts(now), before, true), remarks);
  });
}

test("where nothing is compressed, nothing is told from size", () => {
  const now = counts({ changedFiles: 300, unchangedFiles: 700, newBytes: 9 * MIB, addedBytes: 9 * MIB });
  assert.deepEqual(remarksOn(now, QUIET, false), []);
  assert.deepEqual(remarksOn(now, QUIET, true), ["many-changed"]);
});
