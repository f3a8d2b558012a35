import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../tests/fast-check.ts";
import { fromHex } from "../../core/bytes.ts";
import { decodeRefs, encodeRefs } from "./refs.ts";

test("block numbers come back in order", () => {
  const blockNos = fc.uniqueArray(
    fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 2 ** 53 - 1 })),
  );
  fc.assert(
    fc.property(blockNos, (numbers) => {
      const sorted = numbers.toSorted((a, b) => a - b);
      assert.deepEqual(decodeRefs(encodeRefs(sorted)), sorted);
    }),
  );
});

test("neighbours take one byte each", () => {
  assert.equal(encodeRefs(Array.from({ length: 1000 }, (_, i) => i + 1)).length, 1000);
});

test("numbers that do not ascend from 1 are not written", () => {
  for (const wrong of [[0], [2, 2], [3, 1], [Number.NaN]]) assert.throws(() => encodeRefs(wrong), { code: "internal" });
});

test("a distance of 0, an unfinished number and one beyond 2^53 are refused", () => {
  for (const hex of ["00", "0100", "80", "8000", "ffffffffffffff0f01", "ffffffffffffff1f"]) {
    assert.throws(() => decodeRefs(fromHex(hex)), { code: "record_corrupt" }, hex);
  }
});
