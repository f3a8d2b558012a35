// What garbage collection is going to do, as data: a dry run prints it, a person confirms it, gc-run.ts executes it.

import type { PackId, SnapshotId } from "../core/ids.ts";
import type { GcOptions, GcPlan } from "../wire/v4/admin-port.ts";

export const TRASH_MS = 7 * 24 * 60 * 60_000;
const MAX_DEAD_SHARE = 0.25;
const SMALL_PACK_BYTES = 4 * 2 ** 20;
const TARGET_PACK_BYTES = 32 * 2 ** 20;
/** Fewer small packs than this are left alone: each merge copies what it merges. */
const SMALL_PACKS_TO_MERGE = 8;

export type PackUse = {
  readonly packId: PackId;
  readonly sizeBytes: number;
  /** Sealed bytes of blocks that somebody needs. */
  readonly liveBytes: number;
  readonly liveBlocks: number;
  readonly deadBlocks: number;
  /** True when a live block in it is damaged: it cannot be copied, and may yet be read in part. */
  readonly isFrozen: boolean;
};

export function planGc(packs: readonly PackUse[], purge: readonly SnapshotId[], options: GcOptions = {}): GcPlan {
  const { maxDeadShare = MAX_DEAD_SHARE, smallPackBytes = SMALL_PACK_BYTES } = options;
  const remove = packs.filter(({ liveBlocks }) => liveBlocks === 0);
  const movable = packs.filter(({ liveBlocks, isFrozen }) => liveBlocks > 0 && !isFrozen);
  const wasteful = new Set(movable.filter((pack) => pack.deadBlocks > 0 && deadShare(pack) > maxDeadShare));
  const small = movable.filter((pack) => !wasteful.has(pack) && pack.sizeBytes < smallPackBytes);
  const merged = small.length >= SMALL_PACKS_TO_MERGE ? small : [];
  const targetBytes = options.targetPackBytes ?? TARGET_PACK_BYTES;
  // A small pack that would be alone in its group would only be written again as it is.
  const compact = [
    ...groups([...wasteful], targetBytes),
    ...groups(merged, targetBytes).filter(({ length }) => length > 1),
  ];
  const moved = compact.flat();
  const sum = (list: readonly PackUse[], of: (pack: PackUse) => number) => list.reduce((n, pack) => n + of(pack), 0);
  return {
    purge,
    remove: remove.map(({ packId }) => packId),
    compact: compact.map((group) => group.map(({ packId }) => packId)),
    keptPacks: packs.length - remove.length - moved.length,
    freedBytes: sum(remove, (pack) => pack.sizeBytes) + sum([...wasteful], (pack) => pack.sizeBytes - pack.liveBytes),
    copiedBytes: sum(moved, (pack) => pack.liveBytes),
  };
}

function deadShare({ sizeBytes, liveBytes }: PackUse): number {
  return sizeBytes === 0 ? 0 : 1 - liveBytes / sizeBytes;
}

/** In the order given, so that what was written together stays together. */
function groups(packs: readonly PackUse[], targetBytes: number): PackUse[][] {
  const found: PackUse[][] = [];
  let room = 0;
  for (const pack of packs) {
    if (found.length === 0 || pack.liveBytes > room) {
      found.push([]);
      room = targetBytes;
    }
    found.at(-1)!.push(pack);
    room -= pack.liveBytes;
  }
  return found;
}
