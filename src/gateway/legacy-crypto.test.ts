// What must hold for the cryptography of protocol 3; its vectors are in tests/v3/vectors.test.ts.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, test } from "node:test";
import {
  cipherLength,
  FILE_KEY_BYTES,
  isLegacyPublicKey,
  makeLegacyKeyPair,
  PLAIN_BYTES_MAX,
  publicKeyOf,
  unwrapFileKey,
  wrapFileKey,
} from "./legacy-crypto.ts";

const fileKey = new Uint8Array(FILE_KEY_BYTES).fill(9);

function spki(modulusLength: number, publicExponent: number): Uint8Array {
  return generateKeyPairSync("rsa", { modulusLength, publicExponent }).publicKey.export({
    type: "spki",
    format: "der",
  });
}

describe("key pairs", () => {
  test("ours has the encoding that old servers insist on", async () => {
    const { publicKey, privateKey } = await makeLegacyKeyPair();
    assert.equal(publicKey.length, 160);
    assert.ok(privateKey.length >= 630 && privateKey.length <= 636, String(privateKey.length));
    assert.deepEqual(publicKeyOf(privateKey), publicKey);
    assert.deepEqual(unwrapFileKey(privateKey, wrapFileKey(publicKey, fileKey)!), fileKey);
  });

  test("the usual exponent is taken too", () => {
    const long = spki(1024, 65_537);
    assert.equal(long.length, 162);
    assert.ok(isLegacyPublicKey(long));
  });

  test("anything else is not", () => {
    const sound = spki(1024, 17);
    for (const key of [spki(2048, 17), new Uint8Array(160), new Uint8Array(162).fill(0xff), sound.subarray(1)]) {
      assert.equal(isLegacyPublicKey(key), false);
      assert.equal(wrapFileKey(key, fileKey), undefined);
    }
    assert.throws(() => publicKeyOf(sound), { code: "v3_key_invalid" });
    assert.throws(() => unwrapFileKey(new Uint8Array(632), new Uint8Array(128)), { code: "v3_key_invalid" });
  });

  test("a modulus that is damaged never ends in an exception", () => {
    const sound = spki(1024, 17);
    for (let at = 25; at < 160; at++) {
      for (const value of [0, 0xff]) wrapFileKey(sound.with(at, value), fileKey);
    }
  });

  test("what is sealed for one key does not open with another, nor when it is no file key", async () => {
    const [mine, other] = await Promise.all([makeLegacyKeyPair(), makeLegacyKeyPair()]);
    assert.equal(unwrapFileKey(other.privateKey, wrapFileKey(mine.publicKey, fileKey)!), undefined);
    assert.equal(unwrapFileKey(mine.privateKey, wrapFileKey(mine.publicKey, fileKey.subarray(1))!), undefined);
  });
});

test("the largest file is the one whose ciphertext size still fits into 32 bits", () => {
  assert.ok(cipherLength(PLAIN_BYTES_MAX) < 2 ** 32);
  assert.ok(cipherLength(PLAIN_BYTES_MAX + 1) >= 2 ** 32);
  assert.deepEqual([0, 1, 15, 16, 17].map(cipherLength), [16, 16, 16, 32, 32]);
});
