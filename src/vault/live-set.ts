// Mark: which blocks anybody still needs. See docs/vault.md, [Note: what is live].

import { toHex } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import { decodeRefs } from "../wire/v4/refs.ts";
import type { Database } from "./database.ts";
import { BLOCK_QUARANTINED, SNAPSHOT_PURGED } from "./schema.ts";

/** A set of blockNos, one bit each. */
export class BlockSet {
  readonly #bits: Uint8Array;

  /** For numbers below `limit`; larger ones are never in it. */
  constructor(limit: number) {
    this.#bits = new Uint8Array(Math.ceil(limit / 8));
  }

  add(blockNo: number): void {
    const at = Math.floor(blockNo / 8);
    if (at < this.#bits.length) this.#bits[at]! |= 1 << (blockNo % 8);
  }

  has(blockNo: number): boolean {
    return ((this.#bits[Math.floor(blockNo / 8)] ?? 0) & (1 << (blockNo % 8))) !== 0;
  }
}

/**
 * Blocks of snapshots that are live or in the trash (but for `purging`, snapshot row numbers) and of sessions whose lease
 * stands at `now`. Right only inside the transaction that it runs in. Throws `record_corrupt` when it cannot be known.
 */
export function markLive(database: Database, now: number, purging: ReadonlySet<number> = new Set()): BlockSet {
  const live = new BlockSet(Number(database.get("SELECT value FROM meta WHERE name = 'nextBlockNo'")!.value));
  const addRefs = (refs: Uint8Array | null): void => {
    if (refs !== null) for (const blockNo of decodeRefs(refs)) live.add(blockNo);
  };
  refuseUnknownRefs(database, purging);

  for (const [snapshot] of database.tuples<[number]>(
    "SELECT snapshot FROM snapshots WHERE state <> ?",
    SNAPSHOT_PURGED,
  )) {
    if (purging.has(snapshot)) continue;
    addRefs(database.tuples<[Uint8Array | null]>("SELECT refs FROM snapshots WHERE snapshot = ?", snapshot)[0]![0]);
  }
  const leases = database.tuples<[number, Uint8Array | null, Uint8Array | null]>(
    "SELECT session, baseRefs, commitRefs FROM leases WHERE NOT (expiresAt < ? AND commitRefs IS NULL)",
    now,
  );
  const sessions = JSON.stringify(leases.map(([session]) => session));
  for (const [, baseRefs, commitRefs] of leases) {
    addRefs(baseRefs);
    addRefs(commitRefs);
  }
  for (const table of ["session_refs", "blocks"]) {
    const sql = `SELECT blockNo FROM ${table} WHERE session IN (SELECT value FROM json_each(?))`;
    if (leases.length > 0) for (const [blockNo] of database.tuples<[number]>(sql, sessions)) live.add(blockNo);
  }
  for (const blockNo of healingBlocks(database, live)) live.add(blockNo);
  return live;
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
    .tuples<[number]>("SELECT blockNo FROM blocks WHERE state = ?", BLOCK_QUARANTINED)
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
