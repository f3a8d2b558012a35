// Turns "these files need these chunks" into "open these blocks, once each, in the order in which they lie in packs".

import type { BlockLocation } from "../../wire/v4/vault-port.ts";
import type { ChunkKey } from "../reader/chunk-table.ts";
import { packOrder } from "../reader/fetch.ts";

/** One chunk that goes to one place of one file. */
export type Piece<File> = {
  readonly file: File;
  readonly key: ChunkKey;
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

/** `mayBeWhole` says of a file whether all that it needs is among these pieces. */
export function planBlocks<File>(
  pieces: readonly Piece<File>[],
  locate: (key: ChunkKey) => BlockLocation | undefined,
  mayBeWhole: (file: File) => boolean,
): BlockPlan<File> {
  const missing = new Set<File>();
  const blockOf = new Map<File, number>();
  const several = new Set<File>();
  for (const { file, key } of pieces) {
    const location = locate(key);
    if (!location) missing.add(file);
    else if ((blockOf.get(file) ?? location.blockNo) !== location.blockNo) several.add(file);
    else blockOf.set(file, location.blockNo);
  }
  const blocks = new Map<number, BlockWork<File>>();
  for (const piece of pieces) {
    const { file } = piece;
    if (missing.has(file)) continue;
    const location = locate(piece.key)!;
    const work: BlockWork<File> = blocks.get(location.blockNo) ?? { location, whole: new Map(), pieces: [] };
    blocks.set(location.blockNo, work);
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
