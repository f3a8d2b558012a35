// Mark: which blocks anybody still needs. See docs/vault.md, [Note: what is live].

import { setImmediate as nextTurn } from "node:timers/promises";
import { toHex } from "../core/bytes.ts";
import { AppError, throwIfAborted } from "../core/errors.ts";
import { decodeRefs } from "../wire/v4/refs.ts";
import type { Database } from "./database.ts";
import { BLOCK_QUARANTINED, SNAPSHOT_PURGED, STATE_IS } from "./schema.ts";

/** A set of blockNos, one bit each. */
export class BlockSet {
  readonly #bits: Uint8Array;

  /** For numbers below `limit`; larger ones are never in it. It begins with what is in `start`. */
  constructor(limit: number, start?: BlockSet) {
    this.#bits = new Uint8Array(Math.ceil(limit / 8));
    if (start !== undefined) this.#bits.set(start.#bits.subarray(0, this.#bits.length));
  }

  add(blockNo: number): void {
    const at = Math.floor(blockNo / 8);
    if (at < this.#bits.length) this.#bits[at]! |= 1 << (blockNo % 8);
  }

  has(blockNo: number): boolean {
    return ((this.#bits[Math.floor(blockNo / 8)] ?? 0) & (1 << (blockNo % 8))) !== 0;
  }
}

/** Snapshots whose blocks are marked already. What a snapshot rests on never changes, so they stay right; one that is purged since only keeps more. */
export type Marked = { readonly snapshots: ReadonlySet<number>; readonly blocks: BlockSet };

/** Marks what snapshots rest on ahead of the transactions that need it, one snapshot at a time, while others use the index. */
export async function markSnapshots(database: Database, signal: AbortSignal | undefined): Promise<Marked> {
  const snapshots = new Set<number>();
  const blocks = new BlockSet(blockLimit(database));
  for (const snapshot of keptSnapshots(database)) {
    const refs = refsOf(database, snapshot);
    // Purged meanwhile, or unknown: the transaction looks at it.
    if (refs === undefined || refs === null) continue;
    addRefs(blocks, refs);
    snapshots.add(snapshot);
    await nextTurn();
    throwIfAborted(signal);
  }
  return { snapshots, blocks };
}

/**
 * Blocks of snapshots that are live or in the trash (but for `purging`, snapshot row numbers) and of sessions whose lease
 * stands at `now`. Right only inside the transaction that it runs in. Throws `record_corrupt` when it cannot be known.
 */
export function markLive(
  database: Database,
  now: number,
  {
    purging = new Set(),
    marked,
  }: { readonly purging?: ReadonlySet<number>; readonly marked?: Marked | undefined } = {},
): BlockSet {
  const live = new BlockSet(blockLimit(database), marked?.blocks);
  refuseUnknownRefs(database, purging);
  for (const snapshot of keptSnapshots(database)) {
    if (!purging.has(snapshot) && !marked?.snapshots.has(snapshot)) addRefs(live, refsOf(database, snapshot) ?? null);
  }
  const leases = database.tuples<[number, Uint8Array | null, Uint8Array | null]>(
    "SELECT session, baseRefs, commitRefs FROM leases WHERE NOT (expiresAt < ? AND commitRefs IS NULL)",
    now,
  );
  const sessions = JSON.stringify(leases.map(([session]) => session));
  for (const [, baseRefs, commitRefs] of leases) {
    addRefs(live, baseRefs);
    addRefs(live, commitRefs);
  }
  for (const table of ["session_refs", "blocks"]) {
    const sql = `SELECT blockNo FROM ${table} WHERE session IN (SELECT value FROM json_each(?))`;
    if (leases.length > 0) for (const [blockNo] of database.tuples<[number]>(sql, sessions)) live.add(blockNo);
  }
  for (const blockNo of healingBlocks(database, live)) live.add(blockNo);
  return live;
}

function blockLimit(database: Database): number {
  return Number(database.get("SELECT value FROM meta WHERE name = 'nextBlockNo'")!.value);
}

function keptSnapshots(database: Database): number[] {
  const sql = "SELECT snapshot FROM snapshots WHERE state <> ?";
  return database.tuples<[number]>(sql, SNAPSHOT_PURGED).map(([snapshot]) => snapshot);
}

function refsOf(database: Database, snapshot: number): Uint8Array | null | undefined {
  const sql = "SELECT refs FROM snapshots WHERE snapshot = ? AND state <> ?";
  return database.tuples<[Uint8Array | null]>(sql, snapshot, SNAPSHOT_PURGED)[0]?.[0];
}

function addRefs(blocks: BlockSet, refs: Uint8Array | null): void {
  if (refs !== null) for (const blockNo of decodeRefs(refs)) blocks.add(blockNo);
}

/** A snapshot whose record was damaged when the index was rebuilt rests on nobody knows what: nothing may be collected then. */
function refuseUnknownRefs(database: Database, purging: ReadonlySet<number>): void {
  const rows = database.tuples<[number, Uint8Array]>(
    "SELECT snapshot, snapshotId FROM snapshots WHERE refs IS NULL AND state <> ?",
    SNAPSHOT_PURGED,
  );
  const first = rows.find(([snapshot]) => !purging.has(snapshot));
  if (first === undefined) return;
  throw new AppError("record_corrupt", {
    context: {
      what: `Snapshot record ${toHex(first[1])}`,
      detail: "what it rests on is unknown, so nothing is collected until it is put back or the snapshot is purged",
    },
  });
}

/**
 * Sound blocks that hold chunks of quarantined ones which are live. Snapshots name the old block; readers find its chunks in
 * the new one, so it must stay. Derived from equal chunkIds each time: there is nothing to keep in step, or to rebuild.
 */
function healingBlocks(database: Database, live: BlockSet): number[] {
  const broken = database
    .tuples<[number]>(`SELECT blockNo FROM blocks WHERE ${STATE_IS}`, BLOCK_QUARANTINED)
    .map(([blockNo]) => blockNo)
    .filter((blockNo) => live.has(blockNo));
  if (broken.length === 0) return [];
  return database
    .tuples<[number]>(
      `SELECT DISTINCT good.blockNo FROM chunks bad CROSS JOIN chunks good ON good.chunkId = bad.chunkId
       JOIN blocks b ON b.blockNo = good.blockNo AND b.state = 0
       WHERE bad.blockNo IN (SELECT value FROM json_each(?))`,
      JSON.stringify(broken),
    )
    .map(([blockNo]) => blockNo);
}
