import assert from "node:assert/strict";
import { test } from "node:test";
import { pairwiseRatios, spread, verdict } from "./statistics.ts";

test("the median of an even number of values lies between the middle two", () => {
  assert.deepEqual(spread([4, 1, 3, 2]), { median: 2.5, min: 1, max: 4 });
  assert.deepEqual(spread([9, 1, 5]), { median: 5, min: 1, max: 9 });
  assert.throws(() => spread([]), RangeError);
});

test("ratios are taken pair by pair, not median by median", () => {
  assert.deepEqual(pairwiseRatios([1, 10, 3], [2, 20, 2]), { median: 0.5, min: 0.5, max: 1.5 });
  assert.throws(() => pairwiseRatios([1], [1, 2]), RangeError);
});

test("a target is met up to and including its limit", () => {
  assert.equal(verdict(0.5, 0.5), "met, 0 % to spare");
  assert.equal(verdict(0.4, 0.5), "met, 20 % to spare");
  assert.equal(verdict(0.6, 0.5), "missed by 20 %");
});
