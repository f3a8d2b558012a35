// The only CRC code of the product: the POSIX `cksum` CRC of old clients and v3 frames, and CRC-32C for our own records.
// CRCs find accidents, never attackers: nothing here may decide whether data is authentic.
// Sources: POSIX.1-2024 XCU `cksum`; RFC 3720 section 12.1 and appendix B.4 (CRC-32C). Speed: slicing-by-8 (Kounavis and
// Berry, 2008). Lengths are safe integers that are divided with Math.floor, because `>>` is signed and 32 bits wide.

/** POSIX `cksum`: x^32 + x^26 + … + 1 without its top term, most significant bit first. */
const POSIX_POLYNOMIAL = 0x04c11db7;
/** RFC 3720, 12.1: 0x1EDC6F41 with its bits reversed, for least significant bit first. */
const CASTAGNOLI_REFLECTED = 0x82f63b78;

const POSIX_TABLES = posixTables();
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
  const t = POSIX_TABLES;
  let crc = start | 0;
  let i = 0;
  for (const end = bytes.length - 7; i < end; i += 8) {
    crc ^= (bytes[i]! << 24) | (bytes[i + 1]! << 16) | (bytes[i + 2]! << 8) | bytes[i + 3]!;
    crc =
      t[1792 + (crc >>> 24)]! ^
      t[1536 + ((crc >>> 16) & 255)]! ^
      t[1280 + ((crc >>> 8) & 255)]! ^
      t[1024 + (crc & 255)]! ^
      t[768 + bytes[i + 4]!]! ^
      t[512 + bytes[i + 5]!]! ^
      t[256 + bytes[i + 6]!]! ^
      t[bytes[i + 7]!]!;
  }
  for (; i < bytes.length; i++) crc = (crc << 8) ^ t[(crc >>> 24) ^ bytes[i]!]!;
  return crc >>> 0;
}

/** Eight tables of 256: table k holds the remainder of each byte followed by k zero bytes. */
function posixTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
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
