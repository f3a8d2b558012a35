// Bytes that look random and are the same everywhere, for tests and golden vectors. Never for keys.

import { fromHex } from "../src/core/bytes.ts";

/** How a golden vector describes a file: `repeat` (hex) over and over; or bytes from `seed`, over and over after `period`. */
export type FileRecipe = {
  readonly length: number;
  readonly repeat?: string | undefined;
  readonly seed?: number | undefined;
  readonly period?: number | undefined;
};

export function fileOfRecipe({ length, repeat, seed = 1, period = length }: FileRecipe): Uint8Array<ArrayBuffer> {
  if (repeat !== undefined) return repeatedBytes(fromHex(repeat), length);
  return repeatedBytes(pseudoRandomBytes(seed, period), length);
}

/** Little-endian 32-bit words of xorshift32 (Marsaglia, "Xorshift RNGs", 2003; shifts 13, 17, 5) after `seed`, not 0. */
export function pseudoRandomBytes(seed: number, length: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let word = seed;
  for (let i = 0; i < words.length; i++) {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    words[i] = word;
  }
  return new Uint8Array(words.buffer, 0, length);
}

/** `length` bytes that repeat `unit`. */
export function repeatedBytes(unit: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(length);
  for (let at = 0; at < length; at += unit.length) out.set(unit.subarray(0, length - at), at);
  return out;
}
