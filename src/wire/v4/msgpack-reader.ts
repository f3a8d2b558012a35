// The one reader of MessagePack bodies (docs/format.md, Conventions): the canonical subset that `encodeMap` writes, and nothing
// else. Every body has one coding, so what a signature or an id covers cannot be written in two ways.
// Our own, because the library's decoder takes any coding, any order and any depth (one stack frame for a byte of input).
// Source: the MessagePack specification, msgpack/msgpack spec.md. Its integers are big-endian.

import { ByteReader, tryUtf8Decode } from "../../core/bytes.ts";

const MAX_DEPTH = 8;
/** Values in one body, so that one byte each cannot become a gigabyte of objects. */
const MAX_VALUES = 1 << 20;

/** nil is null, bin is a view into `bytes`. Anything not canonical calls `fail`, which must throw. */
export function readMessagePack(bytes: Uint8Array, fail: (detail: string) => never): unknown {
  const reader = new ByteReader(bytes, fail);
  const value = readValue({ reader, fail, values: 0 }, 1);
  reader.end();
  return value;
}

type Reading = { readonly reader: ByteReader; readonly fail: (detail: string) => never; values: number };

function readValue(reading: Reading, depth: number): unknown {
  if (depth > MAX_DEPTH) reading.fail("it is nested too deeply");
  if (++reading.values > MAX_VALUES) reading.fail("it holds too many values");
  const head = reading.reader.u8();
  if (head < 0x80) return head;
  if (head < 0x90) return readMap(reading, head & 0x0f, depth);
  if (head < 0xa0) return readArray(reading, head & 0x0f, depth);
  if (head < 0xc0) return readText(reading, head & 0x1f);
  switch (head) {
    case 0xc0:
      return null;
    case 0xc2:
      return false;
    case 0xc3:
      return true;
    case 0xc4:
      return reading.reader.bytes(readNumber(reading, 1, 0));
    case 0xc5:
      return reading.reader.bytes(readNumber(reading, 2, 0x100));
    case 0xc6:
      return reading.reader.bytes(readNumber(reading, 4, 0x10000));
    case 0xcc:
      return readNumber(reading, 1, 0x80);
    case 0xcd:
      return readNumber(reading, 2, 0x100);
    case 0xce:
      return readNumber(reading, 4, 0x10000);
    case 0xcf:
      return readNumber(reading, 8, 0x100000000);
    case 0xd9:
      return readText(reading, readNumber(reading, 1, 32));
    case 0xda:
      return readText(reading, readNumber(reading, 2, 0x100));
    case 0xdb:
      return readText(reading, readNumber(reading, 4, 0x10000));
    case 0xdc:
      return readArray(reading, readNumber(reading, 2, 16), depth);
    case 0xdd:
      return readArray(reading, readNumber(reading, 4, 0x10000), depth);
    case 0xde:
      return readMap(reading, readNumber(reading, 2, 16), depth);
    case 0xdf:
      return readMap(reading, readNumber(reading, 4, 0x10000), depth);
    default:
      return reading.fail("it holds a value of a type that records do not use");
  }
}

function readMap(reading: Reading, size: number, depth: number): Record<string, unknown> {
  const map: Record<string, unknown> = {};
  let before: string | undefined;
  for (let i = 0; i < size; i++) {
    const key = readValue(reading, depth + 1);
    if (typeof key !== "string" || key === "__proto__") return reading.fail("a key is not a name");
    if (before !== undefined && key <= before) reading.fail("keys are out of order");
    before = key;
    map[key] = readValue(reading, depth + 1);
  }
  return map;
}

/** Grows with what is there, never by what `size` claims. */
function readArray(reading: Reading, size: number, depth: number): unknown[] {
  const array: unknown[] = [];
  for (let i = 0; i < size; i++) array.push(readValue(reading, depth + 1));
  return array;
}

function readText(reading: Reading, length: number): string {
  const text = tryUtf8Decode(reading.reader.bytes(length));
  return text ?? reading.fail("a text is not UTF-8");
}

/** A big-endian number of `size` bytes; less than `least` would have a shorter coding. */
function readNumber(reading: Reading, size: number, least: number): number {
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + reading.reader.u8();
  if (value > Number.MAX_SAFE_INTEGER) reading.fail("a number is too large");
  if (value < least) reading.fail("a value is coded in more bytes than it needs");
  return value;
}
