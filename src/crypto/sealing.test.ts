import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../tests/fast-check.ts";
import { toHex } from "../core/bytes.ts";
import { padmeLength, sealAad, sealNonce } from "./sealing.ts";

/** The paper's formula with exact integers. */
function slowPadme(length: number): number {
  if (length < 2) return length;
  const exponent = BigInt(length).toString(2).length - 1;
  const mantissaBits = exponent.toString(2).length;
  const unit = 1n << BigInt(exponent - mantissaBits < 0 ? 0 : exponent - mantissaBits);
  return Number(((BigInt(length) + unit - 1n) / unit) * unit);
}

test("padded lengths are those of the paper's formula", () => {
  for (let length = 0; length < 5000; length++) assert.equal(padmeLength(length), slowPadme(length), `${length}`);
  for (let bit = 1; bit < 53; bit++) {
    for (const near of [-1, 0, 1])
      assert.equal(padmeLength(2 ** bit + near), slowPadme(2 ** bit + near), `2^${bit}+${near}`);
  }
  fc.assert(fc.property(fc.maxSafeNat(), (length) => assert.equal(padmeLength(length), slowPadme(length))));
});

test("padding costs at most 12 % and never shrinks", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 31 }), (length) => {
      const padded = padmeLength(length);
      assert.ok(padded >= length && padded <= length * 1.12);
      assert.equal(padmeLength(padded), padded);
    }),
  );
});

test("nonce and associated data differ whenever anything does", () => {
  const [a, b] = [new Uint8Array(16), new Uint8Array(16).fill(1)];
  const nonces = [sealNonce(1, 0), sealNonce(2, 0), sealNonce(1, 1), sealNonce(1, 2 ** 32)];
  const aads = [
    sealAad(a, a, 1, 0),
    sealAad(b, a, 1, 0),
    sealAad(a, b, 1, 0),
    sealAad(a, a, 2, 0),
    sealAad(a, a, 1, 1),
  ];
  for (const list of [nonces, aads]) assert.equal(new Set(list.map(toHex)).size, list.length);
  assert.equal(nonces[0]!.length, 12);
  assert.equal(aads[0]!.length, 53);
});
