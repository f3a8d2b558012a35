import assert from "node:assert/strict";
import { test } from "node:test";
import type { Figures } from "./figures.ts";
import { addSample, chartOf, etaMs, type Sample, shareDone, speedOf, WINDOW_MS } from "./speed.ts";

const figures: Figures = {
  ...{
    phase: "encrypting",
    isPaused: false,
    elapsedMs: 0,
    files: 0,
    folders: 0,
    bytes: 0,
    newFiles: 0,
    changedFiles: 0,
  },
  ...{ unchangedFiles: 0, newBytes: 0, addedBytes: 0, sentBytes: 0, problems: 0, current: "", latencyMs: undefined },
  ...{ waits: 0, isWaiting: false, expected: { files: 10, bytes: 100_000_000 } },
};

/** 1 MB/s, told five times a second. */
function after(seconds: number): { samples: readonly Sample[]; last: Figures } {
  let samples: readonly Sample[] = [];
  let last = figures;
  for (let ms = 0; ms <= seconds * 1000; ms += 200) {
    last = { ...figures, elapsedMs: ms, bytes: ms * 1000, sentBytes: ms * 500 };
    samples = addSample(samples, last);
  }
  return { samples, last };
}

test("a steady run shows its speed, and what is left decides when it ends", () => {
  const { samples, last } = after(10);
  assert.equal(Math.round(speedOf(samples) / 1000), 1000);
  assert.equal(Math.round(speedOf(samples, "sentBytes") / 1000), 500);
  assert.equal(Math.round(etaMs(last, samples)! / 1000), 90);
  assert.ok(Math.abs(shareDone(last)! - 0.1) < 0.001);
});

test("no more is remembered than the chart shows", () => {
  const { samples } = after(120);
  assert.ok(samples.length <= WINDOW_MS / 1000 + 3, `${samples.length} samples`);
  const chart = chartOf(samples);
  assert.ok(chart.every(({ speed, ageMs }) => Math.abs(speed - 1e6) < 1 && ageMs <= WINDOW_MS + 1000));
});

test("nothing is promised that nobody knows", () => {
  const { samples, last } = after(10);
  assert.equal(etaMs({ ...last, expected: undefined }, samples), undefined);
  assert.equal(etaMs({ ...last, isPaused: true }, samples), undefined);
  assert.equal(shareDone({ ...last, expected: { files: 0, bytes: 0 } }), undefined);
  assert.equal(shareDone({ ...last, phase: "done" }), 1);
  assert.ok(shareDone({ ...last, bytes: 2e8 })! < 1, "more than was counted is not yet the end");
  assert.equal(speedOf([]), 0);
});
