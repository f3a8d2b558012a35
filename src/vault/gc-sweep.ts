// The sweep of the index. What is dead is first marked as dropped, in one transaction that looks at everything again: from then on nobody can come
// to rely on it. Its rows then go bit by bit, while others use the index; a collection that dies in between is finished by the next.

import { setImmediate as nextTurn } from "node:timers/promises";
import { fromHex } from "../core/bytes.ts";
import { throwIfAborted } from "../core/errors.ts";
import type { PackId } from "../core/ids.ts";
import type { GcPlan } from "../wire/v4/admin-port.ts";
import type { VaultContext } from "./context.ts";
import type { Database } from "./database.ts";
import { INTENT_REMOVE, intend } from "./intents.ts";
import { type Marked, markLive } from "./live-set.ts";
import { packKey } from "./object-keys.ts";
import { BLOCK_DROPPED, SNAPSHOT_PURGED, STATE_IS } from "./schema.ts";

/** Prefixes of chunkIds; a slice of them is as wide as fits into SLICE_MS. */
const PREFIXES = 2 ** 32;
const FIRST_SLICE = 2 ** 20;
const SLICE_MS = 5;
const PACKS_AT_ONCE = 50;

/** Answers how many packs went. Their files are noted as to be removed. */
export async function sweep(
  vault: VaultContext,
  plan: GcPlan,
  marked: Marked,
  signal: AbortSignal | undefined,
): Promise<number> {
  if (plan.remove.length > 0 || plan.compact.length > 0) drop(vault, plan, marked);
  await forgetChunks(vault, signal);
  let removed = 0;
  for (let at = 0; at < plan.remove.length; at += PACKS_AT_ONCE) {
    removed += forgetPacks(vault, plan.remove.slice(at, at + PACKS_AT_ONCE));
    await nextTurn();
    throwIfAborted(signal);
  }
  if (plan.remove.length > 0) vault.database.transaction(() => forgetUnusedKeys(vault.database));
  return removed;
}

/** Whatever can have come since is marked again inside the transaction, so that what a backup came to rely on stays. */
function drop({ database, clock }: VaultContext, plan: GcPlan, marked: Marked): void {
  database.transaction(() => {
    const live = markLive(database, clock.now(), { marked });
    const blocks = (packId: PackId) =>
      database.tuples<[number, number]>(
        "SELECT blockNo, state FROM blocks WHERE pack = (SELECT pack FROM packs WHERE packId = ?)",
        fromHex(packId),
      );
    for (const packId of plan.remove) {
      if (blocks(packId).some(([blockNo]) => live.has(blockNo))) continue;
      const sql = "UPDATE blocks SET state = ? WHERE pack = (SELECT pack FROM packs WHERE packId = ?)";
      database.run(sql, BLOCK_DROPPED, fromHex(packId));
    }
    for (const packId of plan.compact.flat()) {
      for (const [blockNo, state] of blocks(packId)) {
        if (live.has(blockNo) || state === BLOCK_DROPPED) continue;
        database.run("UPDATE blocks SET state = ? WHERE blockNo = ?", BLOCK_DROPPED, blockNo);
      }
    }
  });
}

/** One pass over the chunk table, in slices: it needs nothing of the packs, which may be damaged. */
async function forgetChunks({ database, clock }: VaultContext, signal: AbortSignal | undefined): Promise<void> {
  if (database.get(`SELECT 1 FROM blocks WHERE ${STATE_IS} LIMIT 1`, BLOCK_DROPPED) === undefined) return;
  database.exec("CREATE TEMP TABLE IF NOT EXISTS dead (blockNo INTEGER PRIMARY KEY)");
  database.transaction(() => {
    database.run("DELETE FROM temp.dead");
    database.run(`INSERT INTO temp.dead SELECT blockNo FROM blocks WHERE ${STATE_IS}`, BLOCK_DROPPED);
  });
  const below = "DELETE FROM chunks WHERE chunkId >= ? AND chunkId < ? AND blockNo IN (SELECT blockNo FROM temp.dead)";
  const last = "DELETE FROM chunks WHERE chunkId >= ? AND blockNo IN (SELECT blockNo FROM temp.dead)";
  let width = FIRST_SLICE;
  for (let from = 0; from < PREFIXES; ) {
    const to = from + width;
    const startedAt = clock.monotonic();
    database.transaction(() => {
      if (to < PREFIXES) database.run(below, prefix(from), prefix(to));
      else database.run(last, prefix(from));
    });
    const tookMs = clock.monotonic() - startedAt;
    from = to;
    width = tookMs > SLICE_MS ? Math.max(1, width >>> 1) : Math.min(2 ** 30, width * 2);
    await nextTurn();
    throwIfAborted(signal);
  }
  database.transaction(() => database.run("DELETE FROM temp.dead"));
}

/** Rows of packs of which all is dropped. */
function forgetPacks({ database, clock }: VaultContext, packIds: readonly PackId[]): number {
  return database.transaction(() => {
    let removed = 0;
    for (const packId of packIds) {
      const row = database.get<{ pack: number }>("SELECT pack FROM packs WHERE packId = ?", fromHex(packId));
      if (row === undefined) continue;
      const sql = "SELECT 1 FROM blocks WHERE pack = ? AND state <> ? LIMIT 1";
      if (database.get(sql, row.pack, BLOCK_DROPPED) !== undefined) continue;
      database.run("DELETE FROM blocks WHERE pack = ?", row.pack);
      database.run("DELETE FROM packs WHERE pack = ?", row.pack);
      intend(database, packKey(packId), INTENT_REMOVE, null, clock.now());
      removed++;
    }
    return removed;
  });
}

/** The row of a session stays for good, so that it is never opened again; its sealed key goes with the last use of it. */
function forgetUnusedKeys(database: Database): void {
  database.run(
    `UPDATE sessions SET sealedKey = NULL WHERE sealedKey IS NOT NULL
     AND session NOT IN (SELECT session FROM leases) AND session NOT IN (SELECT session FROM blocks)
     AND sessionId NOT IN (SELECT sessionId FROM snapshots WHERE state <> ?)`,
    SNAPSHOT_PURGED,
  );
}

function prefix(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
