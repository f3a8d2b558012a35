import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes } from "../../core/bytes.ts";
import { gather } from "./gather.ts";

const FULL = 256 * 1024;

for (const sizes of [[], [0], [1], [FULL], [FULL - 1, 2], [10, 3 * FULL, 5], [FULL / 2, FULL / 2, 0, 7]]) {
  test(`slices of ${sizes.join(", ") || "nothing"} keep their bytes and become few`, async () => {
    const sent = sizes.map((size, i) => new Uint8Array(size).map((_, at) => at * 7 + i));
    const got: Uint8Array[] = [];
    for await (const slice of gather(from(sent.map((slice) => slice.slice())))) got.push(slice.slice());
    assert.deepEqual(concatBytes(got), concatBytes(sent));
    for (const slice of got.slice(0, -1)) assert.equal(slice.length, FULL);
  });
}

async function* from(slices: readonly Uint8Array[]): AsyncGenerator<readonly Uint8Array[]> {
  const middle = slices.length >> 1;
  yield slices.slice(0, middle);
  yield slices.slice(middle);
}
