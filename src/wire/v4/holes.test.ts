import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../tests/fast-check.ts";
import { holesWithin, liesInHole } from "./holes.ts";

/** Holes in order: gaps and lengths. A gap of 0 makes neighbours that touch. */
const holes = fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 4 })), { maxLength: 8 }).map((pairs) => {
  let end = 0;
  return pairs.map(([gap, length]) => {
    const offset = end + gap;
    end = offset + length;
    return { offset, length };
  });
});

test("finds what looking at every hole finds", () => {
  fc.assert(
    fc.property(holes, fc.nat(50), fc.nat(6), (list, start, length) => {
      const end = start + length + 1;
      const touching = list.filter((hole) => hole.offset < end && start < hole.offset + hole.length);
      assert.deepEqual(holesWithin(list, start, end), touching);
      const isIn = list.some((hole) => hole.offset <= start && end <= hole.offset + hole.length);
      assert.equal(liesInHole(list, start, end), isIn);
    }),
    { numRuns: 500 },
  );
});
