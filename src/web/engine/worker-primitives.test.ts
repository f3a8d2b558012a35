import assert from "node:assert/strict";
import { test } from "node:test";
import { pseudoRandomBytes } from "../../../tests/pseudo-random.ts";
import { webPrimitives } from "../../crypto/primitives.ts";
import { workerPrimitives } from "./worker-primitives.ts";

const [key, nonce, aad] = [new Uint8Array(32).fill(1), new Uint8Array(12), new Uint8Array(5)];
const prefix = Uint8Array.of(7);

test("neighbours in one buffer are named at the same time, and stay what they were", async () => {
  const own = workerPrimitives();
  const bytes = pseudoRandomBytes(1, 300_000);
  const before = bytes.slice();
  const chunks = [bytes.subarray(0, 100_000), bytes.subarray(100_000, 100_001), bytes.subarray(100_001)];
  const named = await Promise.all(chunks.map((chunk) => own.hmacSha256(key, prefix, chunk)));
  for (const [i, chunk] of chunks.entries()) {
    assert.deepEqual(named[i], await webPrimitives.hmacSha256(key, prefix, chunk));
  }
  assert.deepEqual(bytes, before);
});

test("what is sealed at the same time, in parts of any size, opens again", async () => {
  const own = workerPrimitives();
  const plaintexts = [10, 200_000, 5].map((length, i) => pseudoRandomBytes(i, length));
  const parts = plaintexts.map((bytes) => [bytes.subarray(0, 3), bytes.subarray(3), new Uint8Array(0)]);
  const sealed = await Promise.all(parts.map((each, i) => own.gcmSeal(key, nonce, aad, each, i)));
  for (const [i, bytes] of plaintexts.entries()) {
    const expected = await webPrimitives.gcmSeal(key, nonce, aad, bytes);
    assert.deepEqual(sealed[i]!.subarray(i), expected);
    assert.deepEqual(await own.gcmOpen(key, nonce, aad, expected), bytes);
    assert.equal(await own.gcmOpen(key, nonce, aad, expected.with(4, expected[4]! ^ 1)), undefined);
  }
});
