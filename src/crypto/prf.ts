// SipHash-2-4, the keyed PRF that decides where files are cut (Aumasson & Bernstein, "SipHash: a fast short-input PRF",
// 2012; section numbers below are that paper's). 64-bit words are pairs of 32-bit halves, since BigInt is 100 times slower.
// It must never be used as a MAC or to name anything: 64 bits are too few against collisions, and we read only 32 of them.

import { AppError } from "../core/errors.ts";

export const SIPHASH_KEY_BYTES = 16;

/** SipHash-2-4 under one key. It allocates nothing per call. */
export class SipHash {
  /** The two halves of the last result, unsigned. */
  low = 0;
  high = 0;
  readonly #k0Low: number;
  readonly #k0High: number;
  readonly #k1Low: number;
  readonly #k1High: number;

  constructor(key: Uint8Array) {
    if (key.length !== SIPHASH_KEY_BYTES) {
      throw new AppError("internal", { context: { detail: `a SipHash key has 16 bytes, not ${key.length}` } });
    }
    this.#k0Low = wordAt(key, 0);
    this.#k0High = wordAt(key, 4);
    this.#k1Low = wordAt(key, 8);
    this.#k1High = wordAt(key, 12);
  }

  /** Hashes `bytes[offset, offset + length)`; returns the low 32 bits, unsigned, and leaves all 64 in `low` and `high`. */
  hash(bytes: Uint8Array, offset: number, length: number): number {
    // §2.1: the state is the key under the constants "somepseudorandomlygeneratedbytes".
    let v0l = this.#k0Low ^ 0x70736575;
    let v0h = this.#k0High ^ 0x736f6d65;
    let v1l = this.#k1Low ^ 0x6e646f6d;
    let v1h = this.#k1High ^ 0x646f7261;
    let v2l = this.#k0Low ^ 0x6e657261;
    let v2h = this.#k0High ^ 0x6c796765;
    let v3l = this.#k1Low ^ 0x79746573;
    let v3h = this.#k1High ^ 0x74656462;

    // Two rounds a step (§2.2, c = 2): the whole words, the last word with the length, then §2.3's four rounds (d = 4).
    const words = length >>> 3;
    for (let step = 0; step < words + 3; step++) {
      let low = 0;
      let high = 0;
      if (step < words) {
        low = wordAt(bytes, offset + step * 8);
        high = wordAt(bytes, offset + step * 8 + 4);
      } else if (step === words) {
        const rest = length & 7;
        low = partAt(bytes, offset + words * 8, rest);
        high = partAt(bytes, offset + words * 8 + 4, rest - 4) | (length << 24);
      } else if (step === words + 1) {
        v2l ^= 0xff;
      }
      v3l ^= low;
      v3h ^= high;
      for (let round = 0; round < 2; round++) {
        let sum = (v0l + v1l) | 0;
        v0h = (v0h + v1h + (sum >>> 0 < v1l >>> 0 ? 1 : 0)) | 0;
        v0l = sum;
        sum = (v2l + v3l) | 0;
        v2h = (v2h + v3h + (sum >>> 0 < v3l >>> 0 ? 1 : 0)) | 0;
        v2l = sum;
        let turned = (v1l << 13) | (v1h >>> 19);
        v1h = ((v1h << 13) | (v1l >>> 19)) ^ v0h;
        v1l = turned ^ v0l;
        turned = (v3l << 16) | (v3h >>> 16);
        v3h = ((v3h << 16) | (v3l >>> 16)) ^ v2h;
        v3l = turned ^ v2l;
        // v0 <<< 32 is the swap of its halves.
        turned = v0l;
        v0l = v0h;
        v0h = turned;
        sum = (v2l + v1l) | 0;
        v2h = (v2h + v1h + (sum >>> 0 < v1l >>> 0 ? 1 : 0)) | 0;
        v2l = sum;
        sum = (v0l + v3l) | 0;
        v0h = (v0h + v3h + (sum >>> 0 < v3l >>> 0 ? 1 : 0)) | 0;
        v0l = sum;
        turned = (v1l << 17) | (v1h >>> 15);
        v1h = ((v1h << 17) | (v1l >>> 15)) ^ v2h;
        v1l = turned ^ v2l;
        turned = (v3l << 21) | (v3h >>> 11);
        v3h = ((v3h << 21) | (v3l >>> 11)) ^ v0h;
        v3l = turned ^ v0l;
        turned = v2l;
        v2l = v2h;
        v2h = turned;
      }
      v0l ^= low;
      v0h ^= high;
    }
    this.high = (v0h ^ v1h ^ v2h ^ v3h) >>> 0;
    this.low = (v0l ^ v1l ^ v2l ^ v3l) >>> 0;
    return this.low;
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** The first `count` bytes (at most 4, none when it is not positive) as a little-endian word. */
function partAt(bytes: Uint8Array, at: number, count: number): number {
  let word = 0;
  for (let i = 0; i < Math.min(count, 4); i++) word |= bytes[at + i]! << (8 * i);
  return word;
}
