// The only CRC code of the product: the POSIX `cksum` CRC of old clients and v3 frames, and CRC-32C for our own records.
// CRCs find accidents, never attackers: nothing here may decide whether data is authentic.
// Sources: POSIX.1-2024 XCU `cksum`; RFC 3720 section 12.1 and appendix B.4 (CRC-32C). Speed: slicing-by-8 (Kounavis and
// Berry, 2008) and braiding (Kadatch and Jenkins, "Everything we know about CRC but afraid to forget", 2010). Lengths are safe integers that are divided with Math.floor, because `>>` is signed and 32 bits wide.

/** POSIX `cksum`: x^32 + x^26 + … + 1 without its top term, most significant bit first. */
const POSIX_POLYNOMIAL = 0x04c11db7;
/** RFC 3720, 12.1: 0x1EDC6F41 with its bits reversed, for least significant bit first. */
const CASTAGNOLI_REFLECTED = 0x82f63b78;

/** Below this the start and the end of the braid cost more than it saves. */
const BRAIDED_FROM_BYTES = 64;
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

const POSIX_TABLES = posixTables(1);
const BRAID_TABLES = braidTables();
const CASTAGNOLI_TABLES = castagnoliTables();
const X8_POWERS = x8Powers();

/**
 * What `cksum` knows after some bytes: the bare remainder of those bytes, before the length and the final NOT.
 * Equal states stand for interchangeable data, so parts can be checked apart (in any order) and concatenated later.
 */
export type CksumState = { readonly remainder: number; readonly lengthBytes: number };

export const CKSUM_EMPTY: CksumState = { remainder: 0, lengthBytes: 0 };

/** The number that the `cksum` program prints for `bytes`, as an unsigned 32-bit integer. */
export function cksum(bytes: Uint8Array): number {
  return cksumFinish(cksumUpdate(CKSUM_EMPTY, bytes));
}

export function cksumUpdate(state: CksumState, bytes: Uint8Array): CksumState {
  return { remainder: posixRemainder(state.remainder, bytes), lengthBytes: state.lengthBytes + bytes.length };
}

/** The state of a's bytes followed by b's bytes, in O(log length) and without reading any of them. */
export function cksumCombine(a: CksumState, b: CksumState): CksumState {
  const shifted = multiplyModP(a.remainder, x8Power(b.lengthBytes));
  return { remainder: (shifted ^ b.remainder) >>> 0, lengthBytes: a.lengthBytes + b.lengthBytes };
}

/** Appends the length, least significant byte first and without leading zeros, and complements (POSIX `cksum`). */
export function cksumFinish(state: CksumState): number {
  let remainder = state.remainder;
  for (let rest = state.lengthBytes; rest > 0; rest = Math.floor(rest / 256)) {
    remainder = (remainder << 8) ^ POSIX_TABLES[(remainder >>> 24) ^ (rest % 256)]!;
  }
  return ~remainder >>> 0;
}

/** `cksum` over bytes that arrive in pieces. `digest()` may be called at any time and more may follow. */
export class Cksum {
  #state = CKSUM_EMPTY;

  get state(): CksumState {
    return this.#state;
  }

  update(bytes: Uint8Array): this {
    this.#state = cksumUpdate(this.#state, bytes);
    return this;
  }

  digest(): number {
    return cksumFinish(this.#state);
  }
}

/** CRC-32C as an unsigned 32-bit integer. `seed` is the CRC of the bytes before these: `crc32c(b, crc32c(a))` is that of ab. */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  const t = CASTAGNOLI_TABLES;
  let crc = ~seed;
  let i = 0;
  for (const end = bytes.length - 7; i < end; i += 8) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc =
      t[1792 + (crc & 255)]! ^
      t[1536 + ((crc >>> 8) & 255)]! ^
      t[1280 + ((crc >>> 16) & 255)]! ^
      t[1024 + (crc >>> 24)]! ^
      t[768 + bytes[i + 4]!]! ^
      t[512 + bytes[i + 5]!]! ^
      t[256 + bytes[i + 6]!]! ^
      t[bytes[i + 7]!]!;
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ t[(crc & 255) ^ bytes[i]!]!;
  return ~crc >>> 0;
}

function posixRemainder(start: number, bytes: Uint8Array): number {
  if (bytes.length < BRAIDED_FROM_BYTES || !LITTLE_ENDIAN) return bytewise(start | 0, bytes, 0, bytes.length) >>> 0;
  const head = -bytes.byteOffset & 3;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + head, ((bytes.length - head) >>> 4) << 2);
  const crc = braided(bytewise(start | 0, bytes, 0, head), words);
  return bytewise(crc, bytes, head + words.byteLength, bytes.length) >>> 0;
}

function bytewise(start: number, bytes: Uint8Array, from: number, to: number): number {
  let crc = start;
  for (let i = from; i < to; i++) crc = (crc << 8) ^ POSIX_TABLES[(crc >>> 24) ^ bytes[i]!]!;
  return crc;
}

/**
 * Four lanes, each of which takes every fourth word, so that a lane's look-ups need not wait for another's. A lane's remainder is
 * moved on by 16 bytes at a time; over the last four words the lanes are put together. Whole groups of four words only. Words are
 * read as they lie in memory, lowest byte first, so the registers hold their bytes in that order too.
 */
function braided(start: number, words: Int32Array): number {
  const t = BRAID_TABLES;
  const last = words.length - 4;
  let [lane0, lane1, lane2, lane3] = [swapBytes(start), 0, 0, 0];
  for (let i = 0; i < last; i += 4) {
    const a = words[i]! ^ lane0;
    const b = words[i + 1]! ^ lane1;
    const c = words[i + 2]! ^ lane2;
    const d = words[i + 3]! ^ lane3;
    lane0 = t[a & 255]! ^ t[256 + ((a >>> 8) & 255)]! ^ t[512 + ((a >>> 16) & 255)]! ^ t[768 + (a >>> 24)]!;
    lane1 = t[b & 255]! ^ t[256 + ((b >>> 8) & 255)]! ^ t[512 + ((b >>> 16) & 255)]! ^ t[768 + (b >>> 24)]!;
    lane2 = t[c & 255]! ^ t[256 + ((c >>> 8) & 255)]! ^ t[512 + ((c >>> 16) & 255)]! ^ t[768 + (c >>> 24)]!;
    lane3 = t[d & 255]! ^ t[256 + ((d >>> 8) & 255)]! ^ t[512 + ((d >>> 16) & 255)]! ^ t[768 + (d >>> 24)]!;
  }
  let crc = 0;
  for (const [k, lane] of [lane0, lane1, lane2, lane3].entries()) {
    const w = words[last + k]! ^ lane ^ crc;
    crc = t[1024 + (w & 255)]! ^ t[1280 + ((w >>> 8) & 255)]! ^ t[1536 + ((w >>> 16) & 255)]! ^ t[1792 + (w >>> 24)]!;
  }
  return swapBytes(crc);
}

/** Byte k of a word: its remainder with the 15 - k bytes behind it (to the lane's next word), then with the 3 - k of its own word. */
function braidTables(): Int32Array {
  const byte = posixTables(16);
  const tables = new Int32Array(8 * 256);
  for (let k = 0; k < 4; k++) {
    for (let value = 0; value < 256; value++) {
      tables[k * 256 + value] = swapBytes(byte[(15 - k) * 256 + value]!);
      tables[(4 + k) * 256 + value] = swapBytes(byte[(3 - k) * 256 + value]!);
    }
  }
  return tables;
}

function swapBytes(word: number): number {
  return (word >>> 24) | ((word >>> 8) & 0xff00) | ((word << 8) & 0xff0000) | (word << 24);
}

/** Tables of 256: table k holds the remainder of each byte followed by k zero bytes. */
function posixTables(count: number): Int32Array {
  const tables = new Int32Array(count * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = timesX(crc);
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256]!;
    tables[i] = (before << 8) ^ tables[before >>> 24]!;
  }
  return tables;
}

function castagnoliTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ CASTAGNOLI_REFLECTED : crc >>> 1;
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256]!;
    tables[i] = (before >>> 8) ^ tables[before & 255]!;
  }
  return tables;
}

/** x^(8 · bytes) modulo the POSIX polynomial. */
function x8Power(bytes: number): number {
  let power = 1;
  let rest = bytes;
  for (let k = 0; rest > 0; k++, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = multiplyModP(power, X8_POWERS[k]!);
  }
  return power;
}

/** x^(8 · 2^k) for every bit k of a safe integer. */
function x8Powers(): Int32Array {
  const powers = new Int32Array(53);
  powers[0] = 1 << 8;
  for (let k = 1; k < powers.length; k++) powers[k] = multiplyModP(powers[k - 1]!, powers[k - 1]!);
  return powers;
}

/** The product of two polynomials over GF(2), modulo the POSIX polynomial. */
function multiplyModP(a: number, b: number): number {
  let product = 0;
  for (let bit = 31; bit >= 0; bit--) product = timesX(product) ^ ((b >>> bit) & 1 ? a : 0);
  return product;
}

function timesX(polynomial: number): number {
  return (polynomial << 1) ^ (polynomial < 0 ? POSIX_POLYNOMIAL : 0);
}
