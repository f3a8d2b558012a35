// Writes tests/vectors/chunker.json with the reference twin, never with the fast code. Run it only when CHUNKER_VERSION rises:
// a vector that changes means that every vault stores its data anew.

import { writeFileSync } from "node:fs";
import { fromHex } from "../src/core/bytes.ts";
import { CHUNK_LIMITS, CHUNKER_VERSION } from "../src/engine/chunker.ts";
import { cutReference, gearReference } from "../src/engine/chunker-reference.ts";
import { fileOfRecipe } from "../tests/pseudo-random.ts";

const KEY_A = "000102030405060708090a0b0c0d0e0f";
const KEY_B = "ffeeddccbbaa99887766554433221100";
/** All sizes of CHUNK_LIMITS divided by 512. */
const SMALL = { min: 256, avg: 1024, max: 4096, candidateBits: 3 };

const files = [
  { name: "empty", key: KEY_A, limits: CHUNK_LIMITS, seed: 1, length: 0 },
  { name: "one byte", key: KEY_A, limits: CHUNK_LIMITS, seed: 1, length: 1 },
  { name: "the minimum", key: KEY_A, limits: CHUNK_LIMITS, seed: 2, length: CHUNK_LIMITS.min },
  { name: "8 MiB", key: KEY_A, limits: CHUNK_LIMITS, seed: 3, length: 8 * 2 ** 20 },
  { name: "8 MiB, another key", key: KEY_B, limits: CHUNK_LIMITS, seed: 3, length: 8 * 2 ** 20 },
  { name: "zeros", key: KEY_A, limits: CHUNK_LIMITS, repeat: "00", length: 5 * 2 ** 20 + 1 },
  { name: "a 100,000-byte period", key: KEY_B, limits: CHUNK_LIMITS, seed: 4, period: 100_000, length: 4 * 2 ** 20 },
  { name: "small chunks", key: KEY_A, limits: SMALL, seed: 5, length: 50_000 },
  { name: "small chunks, another key", key: KEY_B, limits: SMALL, seed: 5, length: 50_000 },
  { name: "small chunks of text", key: KEY_A, limits: SMALL, repeat: "7465787420746578740d0a", length: 20_000 },
];

const vectors = {
  about:
    "Cuts by src/engine/chunker-reference.ts. `cuts` are the ends of the chunks. The file is `repeat` (hex), or xorshift32 words (13, 17, 5; little-endian) from `seed`, cut off and repeated after `period` bytes if given.",
  chunkerVersion: CHUNKER_VERSION,
  gear: { key: KEY_A, table: gearReference(fromHex(KEY_A)) },
  files: files.map((file) => ({ ...file, cuts: cutReference(fromHex(file.key), fileOfRecipe(file), file.limits) })),
};
writeFileSync(new URL("../tests/vectors/chunker.json", import.meta.url), `${JSON.stringify(vectors)}\n`);
