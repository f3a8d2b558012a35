// Looking up holes of a file. A large file can have very many, and they are asked for chunk by chunk.

import type { Hole } from "./tree-types.ts";

/** The holes, ascending, that touch [start, end) of the file. */
export function holesWithin(holes: readonly Hole[], start: number, end: number): readonly Hole[] {
  const first = firstEndingAfter(holes, start);
  let after = first;
  while (after < holes.length && holes[after]!.offset < end) after++;
  return holes.slice(first, after);
}

/** True when [start, end) of the file lies in one hole. */
export function liesInHole(holes: readonly Hole[], start: number, end: number): boolean {
  const hole = holes[firstEndingAfter(holes, start)];
  return hole !== undefined && hole.offset <= start && end <= hole.offset + hole.length;
}

function firstEndingAfter(holes: readonly Hole[], offset: number): number {
  let low = 0;
  let high = holes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holes[middle]!.offset + holes[middle]!.length > offset) high = middle;
    else low = middle + 1;
  }
  return low;
}
