// Which parts of a chunk have to be written into a file that is all zeros so far.

import type { Hole } from "../../wire/v4/tree-types.ts";

/** File systems give holes in pages of this size. */
const PAGE_BYTES = 4096;

/** A part of the chunk, end exclusive. */
export type Range = { readonly start: number; readonly end: number };

/**
 * Ranges of `content`, which lies at `offset` of its file, without the pages of zeros that touch one of the `holes` (ascending); with
 * `everywhere` without any page of zeros. A recorded hole over bytes that are not zero is written: the content is what counts.
 */
export function dataRanges(
  content: Uint8Array,
  offset: number,
  holes: readonly Hole[],
  everywhere: boolean,
): readonly Range[] {
  const ranges: Range[] = [];
  let hole = 0;
  for (let at = 0; at < content.length; ) {
    const end = Math.min(content.length, at + PAGE_BYTES - ((offset + at) % PAGE_BYTES));
    while (hole < holes.length && holes[hole]!.offset + holes[hole]!.length <= offset + at) hole++;
    const inHole = hole < holes.length && holes[hole]!.offset < offset + end;
    if (!((everywhere || inHole) && isZero(content, at, end))) extend(ranges, at, end);
    at = end;
  }
  return ranges;
}

function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0) return false;
  return true;
}

function extend(ranges: Range[], start: number, end: number): void {
  const last = ranges.at(-1);
  if (last?.end === start) ranges[ranges.length - 1] = { start: last.start, end };
  else ranges.push({ start, end });
}
