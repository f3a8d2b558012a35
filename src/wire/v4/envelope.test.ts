import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decode as twinDecode, encode as twinEncode } from "@msgpack/msgpack";
import { fc } from "../../../tests/fast-check.ts";
import { type Bytes, fromHex, utf8 } from "../../core/bytes.ts";
import { sha256 } from "../../core/sha256.ts";
import { decodeMap, decodeRecord, encodeMap, encodeRecord } from "./envelope.ts";

const corrupt = { code: "record_corrupt" };

/** Overwrites `bytes` and makes its checksum true again. */
async function forged(record: Bytes, at: number, value: number): Promise<Bytes> {
  const out = record.slice();
  out[at] = value;
  out.set(await sha256(out.subarray(0, -32)), out.length - 32);
  return out;
}

describe("record envelope", () => {
  test("gives back the body, and ends in its id", async () => {
    const { bytes, id } = await encodeRecord("CB4V", { a: 1 });
    assert.deepEqual(bytes.subarray(-32), id);
    assert.deepEqual(await decodeRecord("CB4V", bytes), { body: { a: 1 }, id });
  });

  test("refuses another magic, a flipped bit, a wrong length, and a set reserved field", async () => {
    const { bytes } = await encodeRecord("CB4V", { a: 1 });
    await assert.rejects(decodeRecord("CB4S", bytes), corrupt);
    for (const wrong of [bytes.subarray(0, -1), new Uint8Array([...bytes, 0]), new Uint8Array(0)]) {
      await assert.rejects(decodeRecord("CB4V", wrong), corrupt);
    }
    for (let at = 0; at < bytes.length; at++) {
      const flipped = bytes.slice();
      flipped[at]! ^= 1;
      await assert.rejects(decodeRecord("CB4V", flipped), corrupt, `byte ${at}`);
    }
    await assert.rejects(decodeRecord("CB4V", await forged(bytes, 6, 1)), corrupt);
  });

  test("says so when an intact record is of a later version", async () => {
    const { bytes } = await encodeRecord("CB4V", { a: 1 });
    await assert.rejects(decodeRecord("CB4V", await forged(bytes, 4, 2)), { code: "vault_version" });
  });
});

describe("MessagePack bodies", () => {
  const key = fc.string({ maxLength: 40 }).filter((text) => text !== "__proto__");
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, true, false),
      fc.maxSafeNat(),
      fc.nat(300),
      fc.string({ unit: "grapheme", maxLength: 300 }),
      fc.uint8Array({ maxLength: 300 }),
      fc.array(tie("value"), { maxLength: 20 }),
      fc.dictionary(key, tie("value"), { maxKeys: 20, noNullPrototype: true }),
    ),
  })).value;
  const map = fc.dictionary(key, value, { maxKeys: 5, noNullPrototype: true });

  test("come back as they were, and as the library reads them", () => {
    fc.assert(
      fc.property(map, (body) => {
        const bytes = encodeMap(body);
        assert.deepEqual(decodeMap(bytes, "It"), body);
        assert.deepEqual(twinDecode(bytes), body);
      }),
    );
  });

  test("do not depend on the order of keys", () => {
    assert.deepEqual(encodeMap({ b: 1, a: { d: 2, c: 3 } }), encodeMap({ a: { c: 3, d: 2 }, b: 1 }));
  });

  test("are written of plain values only", () => {
    for (const bad of [undefined, -1, 1.5, Number.NaN, 2 ** 53, "\ud800", 5n, Symbol("x"), () => 0]) {
      assert.throws(() => encodeMap({ list: [{ bad }] }), { code: "internal" }, String(bad));
    }
  });

  for (const [what, hex] of [
    ["a negative number", "81a161ff"],
    ["a float", "81a161cb3ff0000000000000"],
    ["an extension", "81a161d40100"],
    ["a number in more bytes than it needs", "81a161cc01"],
    ["a number beyond 2^53", "81a161cf0020000000000000"],
    ["a text in more bytes than it needs", "81a161d90161"],
    ["bytes in more bytes than they need", "81a161c5000100"],
    ["an array in more bytes than it needs", "81a161dc000100"],
    ["a map in more bytes than it needs", "de0001a16101"],
    ["keys out of order", "82a16201a16102"],
    ["a key twice", "82a16101a16102"],
    ["a key that is no text", "810101"],
    ["the key __proto__", "81a95f5f70726f746f5f5f01"],
    ["a text that is not UTF-8", "81a161a1ff"],
    ["half a surrogate pair", "81a161a3eda080"],
    ["bytes left over", "81a1610100"],
    ["a missing value", "81a161"],
  ] as const) {
    test(`are refused with ${what}`, () => assert.throws(() => decodeMap(fromHex(hex), "It"), corrupt));
  }

  test("are refused when they are too deep or hold too many values, before that costs anything", () => {
    assert.throws(() => decodeMap(new Uint8Array(1 << 20).fill(0x91), "It"), corrupt);
    const nulls = new Uint8Array((1 << 20) + 5).fill(0xc0);
    nulls.set([0xdd, 0x00, 0x10, 0x00, 0x00]);
    assert.throws(() => decodeMap(nulls, "It"), corrupt);
  });

  test("keep a byte order mark", () => {
    const body = { text: `\ufeff${"x".repeat(300)}` };
    assert.deepEqual(decodeMap(encodeMap(body), "It"), body);
    assert.deepEqual(twinEncode(body), encodeMap(body));
    assert.equal(utf8(body.text).length, 303);
  });
});
