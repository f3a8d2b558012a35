import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../tests/fast-check.ts";
import vectors from "../../tests/vectors/siphash.json" with { type: "json" };
import { fromHex, toHex } from "../core/bytes.ts";
import { isAppError } from "../core/errors.ts";
import { SipHash } from "./prf.ts";
import { sipHashReference } from "./prf-reference.ts";

function hashHex(sip: SipHash, bytes: Uint8Array, offset: number, length: number): string {
  const low = sip.hash(bytes, offset, length);
  assert.equal(low, sip.low);
  const out = new Uint8Array(8);
  new DataView(out.buffer).setUint32(0, sip.low, true);
  new DataView(out.buffer).setUint32(4, sip.high, true);
  return toHex(out);
}

test("the official vectors hold for every length from 0 to 64", () => {
  const sip = new SipHash(fromHex(vectors.key));
  const message = Uint8Array.from({ length: 64 }, (_, i) => i);
  assert.equal(vectors.results.length, 65);
  vectors.results.forEach((expected, length) => {
    assert.equal(hashHex(sip, message, 0, length), expected, `length ${length}`);
  });
});

test("the example of the paper's appendix A holds", () => {
  const message = Uint8Array.from({ length: 15 }, (_, i) => i);
  assert.equal(sipHashReference(fromHex(vectors.key), message), 0xa129ca6149be45e5n);
  assert.equal(hashHex(new SipHash(fromHex(vectors.key)), message, 0, 15), "e545be4961ca29a1");
});

test("it equals its reference twin for any key, message, offset and length", () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  fc.assert(
    fc.property(bytes(16), fc.uint8Array({ maxLength: 300 }), fc.nat(100), (key, message, skip) => {
      const offset = Math.min(skip, message.length);
      const sip = new SipHash(key);
      sip.hash(message, offset, message.length - offset);
      const expected = sipHashReference(key, message.subarray(offset));
      assert.equal((BigInt(sip.high) << 32n) | BigInt(sip.low), expected);
    }),
  );
});

test("a key of the wrong length is refused", () => {
  for (const length of [0, 15, 17, 32]) {
    assert.throws(
      () => new SipHash(new Uint8Array(length)),
      (error) => isAppError(error, "internal"),
    );
  }
});
