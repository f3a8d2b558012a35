import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../tests/fast-check.ts";
import { webPrimitives } from "../crypto/primitives.ts";
import { nodePrimitives } from "./primitives.ts";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const data = fc.uint8Array({ maxLength: 5000 });

test("Node's primitives equal WebCrypto's", async () => {
  await fc.assert(
    fc.asyncProperty(bytes(32), bytes(12), data, data, async (key, nonce, first, second) => {
      assert.deepEqual(nodePrimitives.sha256(first), await webPrimitives.sha256(first));
      const [mac, webMac] = [nodePrimitives, webPrimitives].map((each) => each.hmacSha256(key, first, second));
      assert.deepEqual(mac, await webMac);
      const sealed = await nodePrimitives.gcmSeal(key, nonce, first, [second]);
      assert.deepEqual(sealed, await webPrimitives.gcmSeal(key, nonce, first, [second]));
      for (const each of [nodePrimitives, webPrimitives]) {
        assert.deepEqual(await each.gcmOpen(key, nonce, first, sealed), new Uint8Array(second));
      }
    }),
    { numRuns: 50 },
  );
});

test("parts are sealed as one, behind the room that is asked for", async () => {
  const [key, nonce, aad] = [new Uint8Array(32), new Uint8Array(12), new Uint8Array(5)];
  const whole = Uint8Array.from({ length: 400_000 }, (_, i) => i * 7);
  const expected = await webPrimitives.gcmSeal(key, nonce, aad, [whole]);
  const parts = [whole.subarray(0, 12), whole.subarray(12, 300_001), new Uint8Array(0), whole.subarray(300_001)];
  for (const each of [nodePrimitives, webPrimitives]) {
    const sealed = await each.gcmSeal(key, nonce, aad, parts, 16);
    assert.deepEqual(sealed.subarray(0, 16), new Uint8Array(16));
    assert.deepEqual(sealed.subarray(16), expected);
  }
});

test("a tag that does not fit gives undefined", async () => {
  const [key, nonce, aad] = [new Uint8Array(32), new Uint8Array(12), new Uint8Array(5)];
  const sealed = await nodePrimitives.gcmSeal(key, nonce, aad, [new Uint8Array(20)]);
  for (const each of [nodePrimitives, webPrimitives]) {
    for (let at = 0; at < sealed.length; at++) {
      assert.equal(await each.gcmOpen(key, nonce, aad, sealed.with(at, sealed[at]! ^ 1)), undefined);
    }
    assert.equal(await each.gcmOpen(key, nonce, aad.subarray(1), sealed), undefined);
    assert.equal(await each.gcmOpen(key, nonce, aad, sealed.subarray(0, 15)), undefined);
  }
});

test("results are plain arrays with buffers of their own, fit to be transferred", async () => {
  const key = new Uint8Array(32);
  const sealed = await nodePrimitives.gcmSeal(key, new Uint8Array(12), key, [key]);
  const results = [
    sealed,
    await nodePrimitives.sha256(key),
    await nodePrimitives.hmacSha256(key, key, key),
    await nodePrimitives.gcmOpen(key, new Uint8Array(12), key, sealed),
  ];
  for (const result of results) {
    assert.equal(Object.getPrototypeOf(result), Uint8Array.prototype);
    assert.equal(result!.buffer.byteLength, result!.length);
  }
});
