// The one module that reads and writes integers, hex and text in bytes. All integers of our formats are little-endian.
// Readers never run past the end: a short input is a BytesError-like AppError given by the caller's `fail`.

import { AppError } from "./errors.ts";

export type Bytes = Uint8Array<ArrayBuffer>;

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function utf8(text: string): Bytes {
  return textEncoder.encode(text);
}

/** Decodes strict UTF-8 (a BOM is kept); undefined when the bytes are not UTF-8. */
export function tryUtf8Decode(bytes: Uint8Array): string | undefined {
  try {
    return textDecoder.decode(bytes);
  } catch {
    return undefined;
  }
}

const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));

export function toHex(bytes: Uint8Array): string {
  let out = "";
  for (let i = 0; i < bytes.length; i++) out += HEX[bytes[i]!];
  return out;
}

/** Parses lower- or upper-case hex; undefined when it is not hex of whole bytes. */
export function tryFromHex(hex: string): Bytes | undefined {
  if (hex.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(hex)) return undefined;
  const out = new Uint8Array(hex.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16);
  return out;
}

export function fromHex(hex: string): Bytes {
  const out = tryFromHex(hex);
  if (!out) throw new AppError("usage", { context: { detail: `"${hex}" is not hexadecimal.` } });
  return out;
}

export function concatBytes(parts: readonly Uint8Array[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/** Well above the pools that Node cuts small buffers from (64 KiB in Node 26), which cannot be given back. */
const RELEASE_FROM_BYTES = 256 * 1024;
/** Below this the collector costs less than the call. */
const RELEASE_WHOLE_FROM_BYTES = 4 * 1024;

/** How a thread does with the memory of large buffers. */
export type Memory = {
  giveBack(buffer: ArrayBuffer): void;
  /** At least so many bytes of whatever content. */
  take(length: number): ArrayBuffer;
};

let memory: Memory = {
  giveBack: (buffer) => void buffer.transfer(0),
  take: (length) => new ArrayBuffer(length),
};

/** Another way for this thread, where that one gives nothing back (web/engine/release.ts); answers the one before. */
export function memoryBy(way: Memory): Memory {
  const before = memory;
  memory = way;
  return before;
}

/** For whoever fills all of it: what is in it may be anything that this thread has released. */
export function roomFor(length: number): Bytes {
  return new Uint8Array(memory.take(length), 0, length);
}

/**
 * Gives the memory of a large buffer back at once instead of at some later garbage collection; every view of it becomes empty.
 * Only for whoever made the buffer and knows that nobody else looks at it. Small ones, which may share a pool, are left alone.
 */
export function releaseBytes(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= RELEASE_FROM_BYTES) memory.giveBack(buffer);
}

/**
 * The same for bytes that came from Node and that nobody else holds: a slice off a socket, what a cipher gave. They are given back when
 * they are the whole of their buffer, which a piece of a pool never is.
 */
export function releaseWhole(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (
    buffer instanceof ArrayBuffer &&
    buffer.byteLength === bytes.byteLength &&
    bytes.length >= RELEASE_WHOLE_FROM_BYTES
  )
    memory.giveBack(buffer);
}

/** Byte-wise order, as memcmp: negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

/** A growing little-endian writer. `take()` gives a copy of what was written and starts anew. */
export class ByteWriter {
  #buffer: Bytes;
  #view: DataView<ArrayBuffer>;
  #length = 0;

  constructor(capacity = 256) {
    this.#buffer = new Uint8Array(capacity);
    this.#view = new DataView(this.#buffer.buffer);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    this.#room(1);
    this.#buffer[this.#length++] = value;
  }

  u16(value: number): void {
    this.#room(2);
    this.#view.setUint16(this.#length, value, true);
    this.#length += 2;
  }

  u32(value: number): void {
    this.#room(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  /** Unsigned 64-bit from a safe integer. */
  u64(value: number): void {
    this.#room(8);
    this.#view.setUint32(this.#length, value % 2 ** 32, true);
    this.#view.setUint32(this.#length + 4, Math.floor(value / 2 ** 32), true);
    this.#length += 8;
  }

  /** LEB128 of a non-negative safe integer: 7 bits a byte, low bits first, at most 8 bytes. */
  varint(value: number): void {
    this.#room(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#length++] = (rest % 0x80) | 0x80;
      rest = rest < 0x80000000 ? rest >>> 7 : Math.floor(rest / 0x80);
    }
    this.#buffer[this.#length++] = rest;
  }

  /** A signed safe integer as zig-zag varint: 0, -1, 1, -2 … become 0, 1, 2, 3 … (|value| < 2^52). */
  zigzag(value: number): void {
    this.varint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  bytes(value: Uint8Array): void {
    this.#room(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  /** A binary string (core/raw-path): one byte a character. */
  rawString(value: string): void {
    this.#room(value.length);
    for (let i = 0; i < value.length; i++) this.#buffer[this.#length++] = value.charCodeAt(i);
  }

  /** A varint length, then the bytes. */
  prefixed(value: Uint8Array): void {
    this.varint(value.length);
    this.bytes(value);
  }

  /** What was written so far, not copied: valid until the next write. */
  view(): Bytes {
    return this.#buffer.subarray(0, this.#length);
  }

  take(): Bytes {
    const out = this.#buffer.slice(0, this.#length);
    this.#length = 0;
    return out;
  }

  clear(): void {
    this.#length = 0;
  }

  #room(extra: number): void {
    const need = this.#length + extra;
    if (need <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(need, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** A little-endian reader over untrusted bytes. Every read past the end calls `fail`, which must throw. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fail: (detail: string) => never;
  offset: number;

  constructor(bytes: Uint8Array, fail: (detail: string) => never, offset = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#fail = fail;
    this.offset = offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.offset;
  }

  u8(): number {
    return this.#bytes[this.#step(1)]!;
  }

  u16(): number {
    return this.#view.getUint16(this.#step(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#step(4), true);
  }

  /** Unsigned 64-bit that must be a safe integer. */
  u64(): number {
    const at = this.#step(8);
    const value = this.#view.getUint32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true);
    if (value > Number.MAX_SAFE_INTEGER) this.#fail("a 64-bit number is too large");
    return value;
  }

  /** LEB128 as `ByteWriter.varint` writes it; a longer than needed coding is refused. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0 && i > 0) this.#fail("a number is coded in more bytes than it needs");
        if (value > Number.MAX_SAFE_INTEGER) this.#fail("a number is too large");
        return value;
      }
      scale *= 0x80;
    }
    return this.#fail("a number is too long");
  }

  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** A view of the next `length` bytes, not copied. */
  bytes(length: number): Uint8Array {
    const at = this.#step(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** A copy of the next `length` bytes. */
  copy(length: number): Bytes {
    const at = this.#step(length);
    return this.#bytes.slice(at, at + length) as Bytes;
  }

  prefixed(maxLength: number): Uint8Array {
    const length = this.varint();
    if (length > maxLength) this.#fail(`a field of ${length} bytes is over its limit of ${maxLength}`);
    return this.bytes(length);
  }

  /** Refuses bytes that are left over. */
  end(): void {
    if (this.remaining !== 0) this.#fail(`${this.remaining} bytes too many`);
  }

  #step(length: number): number {
    const at = this.offset;
    if (length < 0 || at + length > this.#bytes.length) this.#fail("it ends too early");
    this.offset = at + length;
    return at;
  }
}
