// What tests/platform.ts promises, in Node and in the browser alike.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromHex, toHex, utf8 } from "../src/core/bytes.ts";
import { platform, zstd } from "./platform.ts";
import { pseudoRandomBytes } from "./pseudo-random.ts";

/** By the zstd program 1.5.4, `zstd --no-check`, of a file (its size is in the header) and of standard input (it is not). */
const FRAME_WITH_SIZE = fromHex("28b52ffd200b59000043796265724261636b7570");
const FRAME_WITHOUT_SIZE = fromHex("28b52ffd005859000043796265724261636b7570");

describe("zstd", () => {
  for (const length of [0, 1, 1000, 300_000]) {
    test(`${length} bytes come back`, async () => {
      const data = pseudoRandomBytes(1, length).map((byte) => byte & 0x0f);
      const frame = await zstd.compress(data, 3);
      if (length > 100) assert.ok(frame.length < 0.6 * length);
      assert.deepEqual(await zstd.decompress(frame, length), data);
    });
  }

  test("frames of another program are read, with their size in the header or without", async () => {
    for (const frame of [FRAME_WITH_SIZE, FRAME_WITHOUT_SIZE]) {
      assert.deepEqual(await zstd.decompress(frame, 11), utf8("CyberBackup"));
    }
  });

  test("a frame of another length, a cut one and one that is none are undefined", async () => {
    for (const frame of [FRAME_WITH_SIZE, FRAME_WITHOUT_SIZE]) {
      assert.equal(await zstd.decompress(frame, 10), undefined);
      assert.equal(await zstd.decompress(frame, 12), undefined);
      assert.equal(await zstd.decompress(frame.subarray(0, -1), 11), undefined);
    }
    assert.equal(await zstd.decompress(utf8("not a frame"), 11), undefined);
    assert.equal(await zstd.decompress(new Uint8Array(0), 0), undefined);
  });

  test("a frame that claims 2^62 bytes takes no such memory", async () => {
    assert.equal(await zstd.decompress(fromHex("28b52ffde00000000000000040590000437962657242"), 11), undefined);
  });
});

describe("primitives", () => {
  test("SHA-256 of abc (FIPS 180-4) and AES-256-GCM there and back", async () => {
    const { sha256, gcmSeal, gcmOpen } = platform.primitives;
    assert.equal(toHex(await sha256(utf8("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const [key, nonce, aad] = [platform.random.bytes(32), platform.random.bytes(12), utf8("aad")];
    const sealed = await gcmSeal(key, nonce, aad, utf8("secret"));
    assert.deepEqual(await gcmOpen(key, nonce, aad, sealed), utf8("secret"));
    sealed[0]! ^= 1;
    assert.equal(await gcmOpen(key, nonce, aad, sealed), undefined);
  });
});
