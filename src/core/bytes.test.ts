import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../tests/fast-check.ts";
import {
  ByteReader,
  ByteWriter,
  compareBytes,
  concatBytes,
  equalBytes,
  fromHex,
  memoryBy,
  releaseBytes,
  releaseWhole,
  roomFor,
  toHex,
  tryFromHex,
  tryUtf8Decode,
  utf8,
} from "./bytes.ts";
import { isAppError } from "./errors.ts";

class Refused extends Error {}

const fail = (detail: string): never => {
  throw new Refused(detail);
};

const bytes = fc.uint8Array({ maxLength: 200 });
/** Safe integers, with those around each power of two more often than chance would bring them. */
const whole = fc.oneof(
  fc.maxSafeNat(),
  fc.tuple(fc.nat(52), fc.constantFrom(-1, 0, 1)).map(([bit, off]) => Math.max(0, 2 ** bit + off)),
  fc.constant(Number.MAX_SAFE_INTEGER),
);

type Field =
  | { readonly kind: "u8" | "u16" | "u32" | "u64" | "varint" | "zigzag"; readonly value: number }
  | { readonly kind: "prefixed"; readonly value: Uint8Array };

const field: fc.Arbitrary<Field> = fc.oneof(
  fc.record({ kind: fc.constant("u8" as const), value: fc.nat(0xff) }),
  fc.record({ kind: fc.constant("u16" as const), value: fc.nat(0xffff) }),
  fc.record({ kind: fc.constant("u32" as const), value: fc.nat(0xffffffff) }),
  fc.record({ kind: fc.constantFrom("u64" as const, "varint" as const), value: whole }),
  fc.record({ kind: fc.constant("zigzag" as const), value: fc.integer({ min: -(2 ** 52) + 1, max: 2 ** 52 - 1 }) }),
  fc.record({ kind: fc.constant("prefixed" as const), value: bytes }),
);

function write(fields: readonly Field[], writer = new ByteWriter(1)): Uint8Array<ArrayBuffer> {
  for (const { kind, value } of fields) {
    if (kind === "prefixed") writer.prefixed(value);
    else writer[kind](value);
  }
  return writer.take();
}

function read(input: Uint8Array, kinds: readonly Field["kind"][]): (number | Uint8Array)[] {
  const reader = new ByteReader(input, fail);
  const values = kinds.map((kind) => (kind === "prefixed" ? reader.prefixed(1000).slice() : reader[kind]()));
  reader.end();
  return values;
}

const one = (kind: Field["kind"], hex: string) => read(fromHex(hex), [kind])[0];

describe("ByteWriter and ByteReader", () => {
  test("give back every field that was written", () => {
    fc.assert(
      fc.property(fc.array(field), (fields) => {
        const values = read(
          write(fields),
          fields.map(({ kind }) => kind),
        );
        assert.deepEqual(
          values,
          fields.map(({ value }) => value),
        );
      }),
    );
  });

  test("refuse every truncation and every extra byte", () => {
    fc.assert(
      fc.property(fc.array(field, { minLength: 1, maxLength: 4 }), fc.nat(), (fields, at) => {
        const kinds = fields.map(({ kind }) => kind);
        const whole = write(fields);
        assert.throws(() => read(whole.subarray(0, at % whole.length), kinds), Refused);
        assert.throws(() => read(concatBytes([whole, Uint8Array.of(0)]), kinds), Refused);
      }),
    );
  });

  test("never throw anything but what `fail` throws, whatever the input", () => {
    fc.assert(
      fc.property(bytes, fc.array(field.map(({ kind }) => kind)), (input, kinds) => {
        try {
          read(input, kinds);
        } catch (error) {
          assert.ok(error instanceof Refused, String(error));
        }
      }),
    );
  });

  test("write little-endian", () => {
    const writer = new ByteWriter();
    writer.u16(0x0102);
    writer.u32(0x03040506);
    writer.u64(0x0708090a0b0c);
    assert.equal(toHex(writer.take()), "0201060504030c0b0a0908070000");
  });

  test("code varints and zig-zags as documented", () => {
    for (const [value, hex] of [
      [0, "00"],
      [127, "7f"],
      [128, "8001"],
      [300, "ac02"],
      [2 ** 31, "8080808008"],
      [Number.MAX_SAFE_INTEGER, "ffffffffffffff0f"],
    ] as const) {
      assert.equal(toHex(write([{ kind: "varint", value }])), hex);
      assert.equal(one("varint", hex), value);
    }
    for (const [value, hex] of [
      [0, "00"],
      [-1, "01"],
      [1, "02"],
      [-2, "03"],
    ] as const) {
      assert.equal(toHex(write([{ kind: "zigzag", value }])), hex);
    }
  });

  test("refuse numbers that are coded too long, are too large or have no end", () => {
    for (const hex of ["8000", "ff8000", "ffffffffffffff10", "ffffffffffffff7f", "808080808080808001", "80"]) {
      assert.throws(() => one("varint", hex), Refused, hex);
    }
    assert.throws(() => one("u64", "0000000000002000"), Refused);
    assert.equal(one("u64", "ffffffffffff1f00"), Number.MAX_SAFE_INTEGER);
  });

  test("refuse a field over its limit before looking for its bytes", () => {
    assert.throws(() => new ByteReader(fromHex("ffffffff0f"), fail).prefixed(10), /over its limit/);
    assert.throws(() => new ByteReader(fromHex("00"), fail).bytes(-1), Refused);
  });

  test("read views at any offset of their buffer", () => {
    const reader = new ByteReader(fromHex("ffff010000000200").subarray(2), fail);
    assert.deepEqual([reader.u32(), reader.remaining, reader.u16(), reader.remaining], [1, 2, 2, 0]);
  });

  test("a writer starts anew after take and clear, and what it gave stays as it was", () => {
    const writer = new ByteWriter(4);
    writer.u8(1);
    const taken = writer.take();
    writer.u8(2);
    assert.deepEqual([...taken], [1]);
    assert.deepEqual([...writer.view()], [2]);
    writer.clear();
    assert.equal(writer.length, 0);
  });
});

describe("hex and text", () => {
  test("hex goes there and back, in either case", () => {
    fc.assert(
      fc.property(bytes, (input) => {
        assert.deepEqual(fromHex(toHex(input)), input);
        assert.deepEqual(fromHex(toHex(input).toUpperCase()), input);
      }),
    );
  });

  test("what is not hex of whole bytes is refused", () => {
    for (const text of ["0", "0g", "0x00", " 00", "00\n", "é0"]) {
      assert.equal(tryFromHex(text), undefined, text);
      assert.throws(
        () => fromHex(text),
        (error) => isAppError(error, "usage"),
      );
    }
  });

  test("text goes there and back, and bytes that are not UTF-8 are told", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => tryUtf8Decode(utf8(text)) === text));
    assert.equal(tryUtf8Decode(fromHex("efbbbf61")), "\ufeffa");
    for (const hex of ["ff", "c080", "eda080", "f4908080", "c3"])
      assert.equal(tryUtf8Decode(fromHex(hex)), undefined, hex);
  });
});

describe("comparing and joining", () => {
  test("the order is that of hex strings", () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const [x, y] = [toHex(a), toHex(b)];
        assert.equal(Math.sign(compareBytes(a, b)), x < y ? -1 : x > y ? 1 : 0);
        assert.equal(equalBytes(a, b), x === y);
      }),
    );
  });

  test("joined parts are the parts in order", () => {
    fc.assert(fc.property(fc.array(bytes), (parts) => toHex(concatBytes(parts)) === parts.map(toHex).join("")));
  });
});

test("bytes are given back when they are the whole of their buffer, and left alone when they are not", () => {
  const whole = new Uint8Array(8192);
  const part = new Uint8Array(8192).subarray(1);
  const small = new Uint8Array(16);
  for (const given of [whole, part, small]) releaseWhole(given);
  assert.deepEqual([whole.length, part.length, small.length], [0, 8191, 16]);
});

test("a thread may have its own way with the memory of large buffers", () => {
  const given: ArrayBuffer[] = [];
  const before = memoryBy({ giveBack: (buffer) => void given.push(buffer), take: () => given.pop()! });
  try {
    const first = new Uint8Array(2 ** 20);
    releaseBytes(first);
    const again = roomFor(1000);
    assert.deepEqual([again.buffer === first.buffer, again.length, given.length], [true, 1000, 0]);
  } finally {
    memoryBy(before);
  }
});
