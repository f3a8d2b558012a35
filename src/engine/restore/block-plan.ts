// Turns "these files need these chunks" into "open these blocks, once each, in the order in which they lie in packs".

import type { BlockLocation } from "../../wire/v4/vault-port.ts";
import { packOrder } from "../reader/fetch.ts";

/** One chunk that goes to one place of one file. */
export type Piece<File> = {
  readonly file: File;
  /** Its number among these chunks of the file. */
  readonly chunk: number;
  /** 32 bytes each, one after the other. */
  readonly chunkIds: Uint8Array;
  readonly offset: number;
  readonly length: number;
};

export type BlockWork<File> = {
  readonly location: BlockLocation;
  /** Files that need no other block: all their pieces, in order. */
  readonly whole: Map<File, Piece<File>[]>;
  /** Pieces of files that need other blocks too. */
  readonly pieces: Piece<File>[];
};

export type BlockPlan<File> = {
  readonly blocks: BlockWork<File>[];
  /** Files of which a chunk is in no block. */
  readonly missing: Set<File>;
};

/** `locations`: where each piece's chunk lies. `mayBeWhole` says of a file whether all that it needs is among these pieces. */
export function planBlocks<File>(
  pieces: readonly Piece<File>[],
  locations: readonly (BlockLocation | undefined)[],
  mayBeWhole: (file: File) => boolean,
): BlockPlan<File> {
  const missing = new Set<File>();
  const blockOf = new Map<File, number>();
  const several = new Set<File>();
  for (let i = 0; i < pieces.length; i++) {
    const { file } = pieces[i]!;
    const location = locations[i];
    if (!location) missing.add(file);
    else if ((blockOf.get(file) ?? location.blockNo) !== location.blockNo) several.add(file);
    else blockOf.set(file, location.blockNo);
  }
  const blocks = new Map<number, BlockWork<File>>();
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i]!;
    const { file } = piece;
    if (missing.has(file)) continue;
    const work = workOf(blocks, locations[i]!);
    if (several.has(file) || !mayBeWhole(file)) {
      work.pieces.push(piece);
      continue;
    }
    const own = work.whole.get(file);
    if (own) own.push(piece);
    else work.whole.set(file, [piece]);
  }
  return { blocks: [...blocks.values()].sort((a, b) => packOrder(a.location, b.location)), missing };
}

function workOf<File>(blocks: Map<number, BlockWork<File>>, location: BlockLocation): BlockWork<File> {
  const known = blocks.get(location.blockNo);
  if (known) return known;
  const work: BlockWork<File> = { location, whole: new Map(), pieces: [] };
  blocks.set(location.blockNo, work);
  return work;
}
