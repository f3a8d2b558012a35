import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../tests/fast-check.ts";
import { utf8 } from "./bytes.ts";
import {
  CKSUM_EMPTY,
  Cksum,
  type CksumState,
  cksum,
  cksumCombine,
  cksumFinish,
  cksumUpdate,
  crc32c,
} from "./checksum.ts";

const allBytes = Uint8Array.from({ length: 256 }, (_, i) => i);
const sevens = Uint8Array.from({ length: 1_000_000 }, (_, i) => (7 * i) % 251);

/** The standard read bit by bit, with BigInt so that no JavaScript shift can play a trick. */
function slowCksum(bytes: Uint8Array): number {
  const length: number[] = [];
  for (let rest = BigInt(bytes.length); rest > 0n; rest /= 256n) length.push(Number(rest % 256n));
  let register = 0n;
  for (const byte of [...bytes, ...length]) {
    for (let bit = 7; bit >= 0; bit--) {
      const top = (register >> 31n) ^ BigInt((byte >> bit) & 1);
      register = ((register << 1n) & 0xffffffffn) ^ (top * 0x04c11db7n);
    }
  }
  return Number(register ^ 0xffffffffn);
}

function slowCrc32c(bytes: Uint8Array): number {
  let register = 0xffffffffn;
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const low = (register & 1n) ^ BigInt((byte >> bit) & 1);
      register = (register >> 1n) ^ (low * 0x82f63b78n);
    }
  }
  return Number(register ^ 0xffffffffn);
}

/** `count` copies of `state`, by doubling. */
function repeat(state: CksumState, count: number): CksumState {
  if (count === 0) return CKSUM_EMPTY;
  const half = repeat(state, Math.floor(count / 2));
  const whole = cksumCombine(half, half);
  return count % 2 === 1 ? cksumCombine(whole, state) : whole;
}

const stateOf = (bytes: Uint8Array): CksumState => cksumUpdate(CKSUM_EMPTY, bytes);

describe("cksum", () => {
  test("is the same at every length and every place in memory", () => {
    const memory = Uint8Array.from({ length: 300 }, (_, i) => (i * i * 31 + i) % 256);
    for (let offset = 0; offset < 8; offset++) {
      for (let length = 0; length <= 200; length += length < 90 ? 1 : 7) {
        const bytes = memory.subarray(offset, offset + length);
        assert.equal(cksum(bytes), slowCksum(bytes), `${length} bytes at ${offset}`);
      }
    }
  });

  for (const [name, bytes, expected] of [
    ["nothing", new Uint8Array(0), 0xffffffff],
    ["a", utf8("a"), 0x48c279fe],
    ["abc", utf8("abc"), 0x48aa78a2],
    ["123456789", utf8("123456789"), 0x377a6011],
    ["bytes 00..ff", allBytes, 0x4e4dc3a1],
    ["hello v3", utf8("hello v3\n"), 0x2642caaf],
    ["(7·i) mod 251, a million times", sevens, 0xe72cb1a3],
    ["1 zero", new Uint8Array(1), 0xfb3ee248],
    ["65536 zeros", new Uint8Array(65536), 0xfb3ee248],
  ] as const) {
    test(`gives the published value for ${name}`, () => assert.equal(cksum(bytes), expected));
  }

  test("takes lengths beyond 32 bits", () => {
    const zero = stateOf(new Uint8Array(1));
    assert.equal(cksumFinish(repeat(zero, 4_294_967_295)), 0x38fb2284);
    assert.equal(cksumFinish(repeat(zero, 4_294_967_296)), 0xfb3ee248);
    assert.equal(cksumFinish(repeat(zero, 5_368_709_120)), 0xba788e04);
  });

  test("equals the bitwise reference, whatever the alignment", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(16), (bytes, skip) => {
        const view = bytes.subarray(skip);
        assert.equal(cksum(view), slowCksum(view));
      }),
    );
  });

  test("is the same however the bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (parts) => {
        const stream = new Cksum();
        for (const part of parts) stream.update(part);
        assert.equal(stream.digest(), cksum(Uint8Array.from(parts.flatMap((part) => [...part]))));
      }),
    );
    const byteByByte = new Cksum();
    for (const byte of allBytes) byteByByte.update(Uint8Array.of(byte));
    assert.equal(byteByByte.digest(), 0x4e4dc3a1);
  });

  test("goes on after a digest", () => {
    const stream = new Cksum().update(utf8("1234"));
    stream.digest();
    assert.equal(stream.update(utf8("56789")).digest(), 0x377a6011);
  });
});

describe("cksumCombine", () => {
  test("equals the state of the concatenation", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (a, b) => {
        assert.deepEqual(cksumCombine(stateOf(a), stateOf(b)), stateOf(Uint8Array.from([...a, ...b])));
      }),
    );
  });

  test("is associative over lengths beyond 32 bits", () => {
    const state = fc.record({ remainder: fc.nat(0xffffffff), lengthBytes: fc.nat(2 ** 50) });
    fc.assert(
      fc.property(state, state, state, (a, b, c) => {
        assert.deepEqual(cksumCombine(cksumCombine(a, b), c), cksumCombine(a, cksumCombine(b, c)));
      }),
    );
  });

  test("takes each of the 53 bits of a length", () => {
    // The polynomial is primitive: x has order 2^32 - 1, so that many zero bytes change nothing but the length.
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(2 ** 20), fc.nat(50), (bytes, cycles, more) => {
        const zeros = { remainder: 0, lengthBytes: cycles * (2 ** 32 - 1) + more };
        const expected = cksumUpdate(stateOf(bytes), new Uint8Array(more)).remainder;
        assert.equal(cksumCombine(stateOf(bytes), zeros).remainder, expected);
      }),
    );
  });

  test("joins the halves of a million bytes", () => {
    const joined = cksumCombine(stateOf(sevens.subarray(0, 333_333)), stateOf(sevens.subarray(333_333)));
    assert.equal(cksumFinish(joined), 0xe72cb1a3);
  });
});

describe("crc32c", () => {
  const ascending = allBytes.subarray(0, 32);
  for (const [name, bytes, expected] of [
    ["nothing", new Uint8Array(0), 0],
    ["123456789", utf8("123456789"), 0xe3069283],
    ["32 zeros (RFC 3720 B.4)", new Uint8Array(32), 0x8a9136aa],
    ["32 ones (RFC 3720 B.4)", new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ["32 ascending (RFC 3720 B.4)", ascending, 0x46dd794e],
    ["32 descending (RFC 3720 B.4)", ascending.toReversed(), 0x113fdb5c],
  ] as const) {
    test(`gives the published value for ${name}`, () => assert.equal(crc32c(bytes), expected));
  }

  test("equals the bitwise reference, whatever the alignment and the cut", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(600), (bytes, cut) => {
        const whole = slowCrc32c(bytes);
        assert.equal(crc32c(bytes), whole);
        assert.equal(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut))), whole);
      }),
    );
  });
});
