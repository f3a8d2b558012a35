import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRange } from "./range.ts";

const cases: [header: string | undefined, expected: ReturnType<typeof parseRange>][] = [
  [undefined, "all"],
  ["bytes=0-0", { start: 0, length: 1 }],
  ["bytes=2-", { start: 2, length: 8 }],
  ["bytes=2-99", { start: 2, length: 8 }],
  ["bytes=-3", { start: 7, length: 3 }],
  ["bytes=-99", { start: 0, length: 10 }],
  ["bytes=10-", "none"],
  ["bytes=-0", "none"],
  ["bytes=5-2", "all"],
  ["bytes=-", "all"],
  ["bytes=0-1,3-4", "all"],
  ["items=0-1", "all"],
  ["bytes=a-b", "all"],
];

for (const [header, expected] of cases) {
  test(`${header} of ten bytes`, () => assert.deepEqual(parseRange(header, 10), expected));
}
