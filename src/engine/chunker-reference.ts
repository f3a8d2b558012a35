// The slow, readable twin of chunker.ts: it states the rules plainly, offset by offset, with no state but the last cut.
// Nothing but tests and the script that writes golden vectors may import it.

import { sipHashReference } from "../crypto/prf-reference.ts";
import { CHUNK_LIMITS, type ChunkLimits, THRESHOLD_LOOSE, THRESHOLD_STRICT } from "./chunker.ts";

/** The ends of all chunks of `file`. */
export function cutReference(chunkerKey: Uint8Array, file: Uint8Array, limits: ChunkLimits = CHUNK_LIMITS): number[] {
  const gear = gearReference(chunkerKey);
  const cuts: number[] = [];
  let start = 0;
  for (let offset = 1; offset <= file.length; offset++) {
    const size = offset - start;
    const isCut =
      offset === file.length ||
      size === limits.max ||
      (size >= limits.min &&
        isCandidate(gear, file, offset, limits.candidateBits) &&
        prfAt(chunkerKey, file, offset) < (size < limits.avg ? THRESHOLD_STRICT : THRESHOLD_LOOSE));
    if (isCut) {
      cuts.push(offset);
      start = offset;
    }
  }
  return cuts;
}

/** The 256 numbers that the gear hash adds up, as signed 32-bit integers. */
export function gearReference(chunkerKey: Uint8Array): number[] {
  return Array.from({ length: 256 }, (_, byte) => {
    const value = Number(BigInt.asUintN(32, sipHashReference(chunkerKey, new Uint8Array([0x67, byte]))));
    // A run of this byte would have 12 leading zeros at each offset.
    const clash = (2 ** 32 - value) % 2 ** 32 < 2 ** 20;
    return (clash ? value + 2 ** 31 : value) | 0;
  });
}

/** Whether the sum of gear[byte k before the cut] * 2^(k-1), over the last 32 bytes, begins with that many zero bits. */
function isCandidate(gear: readonly number[], file: Uint8Array, offset: number, candidateBits: number): boolean {
  if (offset < 64) return false;
  let sum = 0;
  for (let k = 1; k <= 32; k++) sum = (sum + (gear[file[offset - k]!]! << (k - 1))) | 0;
  return sum >>> 0 < 2 ** (32 - candidateBits);
}

function prfAt(chunkerKey: Uint8Array, file: Uint8Array, offset: number): number {
  return Number(BigInt.asUintN(32, sipHashReference(chunkerKey, file.subarray(offset - 64, offset))));
}
