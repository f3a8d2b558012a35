// Garbage collection, safe beside running backups. Its steps, each safe to die after: purge entries and their records (format.md,
// invariant 7); expired leases end; one transaction marks and drops what is dead; files of packs without life go; packs with
// much garbage are rewritten (compaction.ts); what nobody can explain goes. See docs/vault.md, [Note: garbage collection].

import { toHex } from "../core/bytes.ts";
import { AppError, throwIfAborted } from "../core/errors.ts";
import type { PackId, SnapshotId } from "../core/ids.ts";
import type { GcOptions, GcPlan, GcResult } from "../wire/v4/admin-port.ts";
import { compactPacks } from "./compaction.ts";
import type { VaultContext } from "./context.ts";
import type { Database } from "./database.ts";
import { removeOrphans } from "./gc-orphans.ts";
import { type PackUse, planGc, TRASH_MS } from "./gc-plan.ts";
import { sweep } from "./gc-sweep.ts";
import { INTENT_COMPACT, INTENT_REMOVE, intentsOf } from "./intents.ts";
import { type BlockSet, type Marked, markLive, markSnapshots } from "./live-set.ts";
import { withLock } from "./locks.ts";
import { appendStatement, ownStatement, rollForward } from "./log.ts";
import { readHead } from "./log-index.ts";
import { snapshotKey } from "./object-keys.ts";
import { BLOCK_DROPPED, BLOCK_OK, BLOCK_QUARANTINED, SNAPSHOT_TRASH } from "./schema.ts";
import { endLease } from "./sessions.ts";

const DAY_MS = 24 * 60 * 60_000;

/** With `marked` a snapshot that is due may count as live still: then its blocks go with the next collection. */
export function previewGc(vault: VaultContext, options: GcOptions = {}, marked?: Marked): GcPlan {
  const due = dueSnapshots(vault, options.trashMs ?? TRASH_MS);
  const purging = new Set(due.map(({ snapshot }) => snapshot));
  const ids = due.map(({ id }) => id);
  const live = markLive(vault.database, vault.clock.now(), { purging, marked });
  return planGc(readPackUses(vault.database, live), ids, options);
}

export function runGc(vault: VaultContext, options: GcOptions = {}): Promise<GcResult> {
  return withLock(vault.database, vault.clock, "gc", async () => {
    await rollForward(vault);
    await finishIntents(vault);
    const before = storedBytes(vault.database);
    const purgedSnapshots = await purgeTrash(vault, options.trashMs ?? TRASH_MS);
    throwIfAborted(options.signal);
    reapLeases(vault);
    const marked = await markSnapshots(vault.database, options.signal);
    const plan = previewGc(vault, options, marked);
    const removedPacks = await sweep(vault, plan, marked, options.signal);
    await removeIntended(vault);
    const { compactedPacks, writtenPacks } = await compactPacks(vault, plan, options);
    await removeIntended(vault);
    const { removed, unexpected } = await removeOrphans(vault, options.signal);
    await vault.store.sweep(vault.clock.now() - DAY_MS);
    return {
      purgedSnapshots,
      removedPacks,
      compactedPacks,
      writtenPacks,
      freedBytes: before - storedBytes(vault.database),
      removedOrphans: removed,
      unexpected,
    };
  });
}

/** Each entry is durable before its record goes; blocks that only it used go later, in a collection. */
export async function purgeTrash(vault: VaultContext, olderThanMs: number): Promise<SnapshotId[]> {
  const due = dueSnapshots(vault, olderThanMs).map(({ id }) => id);
  const purged: SnapshotId[] = [];
  for (const id of due) {
    if (!(await purge(vault, id, olderThanMs))) continue;
    await vault.store.remove(snapshotKey(id));
    purged.push(id);
  }
  return purged;
}

/** False when somebody has brought the snapshot back, or removed it anew, by the time the log gets to this entry. */
async function purge(vault: VaultContext, id: SnapshotId, olderThanMs: number): Promise<boolean> {
  const notDue = new AppError("snapshot_pinned", { context: { snapshot: id, until: "it is due" } });
  try {
    await appendStatement(vault, ownStatement({ type: "purge", body: { snapshot: id } }), (state) => {
      const snapshot = state.snapshots.get(id);
      const isDue = snapshot?.state === "trash" && snapshot.trashedAt! <= vault.clock.now() - olderThanMs;
      if (!isDue) throw notDue;
    });
    return true;
  } catch (error) {
    if (error === notDue) return false;
    throw error;
  }
}

function dueSnapshots(vault: VaultContext, olderThanMs: number): { snapshot: number; id: SnapshotId }[] {
  return vault.database
    .tuples<[number, Uint8Array]>(
      "SELECT snapshot, snapshotId FROM snapshots WHERE state = ? AND trashedAt <= ? ORDER BY seq",
      SNAPSHOT_TRASH,
      vault.clock.now() - olderThanMs,
    )
    .map(([snapshot, id]) => ({ snapshot, id: toHex(id) as SnapshotId }));
}

/** What an earlier collection left half done: we hold its lock, so it is gone. The packs that it compacted are still there. */
async function finishIntents(vault: VaultContext): Promise<void> {
  vault.database.transaction(() => {
    vault.database.run("UPDATE intents SET kind = ? WHERE kind = ?", INTENT_REMOVE, INTENT_COMPACT);
  });
  await removeIntended(vault);
}

/** Removes every object that is noted as to be removed, then the notes. */
async function removeIntended(vault: VaultContext): Promise<void> {
  const keys = intentsOf(vault.database, INTENT_REMOVE);
  if (keys.length === 0) return;
  for (const key of keys) await vault.store.remove(key);
  vault.database.transaction(() => {
    const sql = "DELETE FROM intents WHERE kind = ? AND key IN (SELECT value FROM json_each(?))";
    vault.database.run(sql, INTENT_REMOVE, JSON.stringify(keys));
  });
}

/** Ends leases that have expired, but for those whose log entry may still be written, or is there and not yet known. */
function reapLeases(vault: VaultContext): void {
  const { database } = vault;
  const now = vault.clock.now();
  database.transaction(() => {
    const sql = `SELECT session FROM leases WHERE expiresAt < ?
      AND (commitRefs IS NULL OR commitSeq IS NULL OR commitSeq <= ?)`;
    const { seq } = readHead(database);
    for (const [session] of database.tuples<[number]>(sql, now, seq)) endLease(database, session);
    // Intents that a crash left behind: their session is over, or they had none and are old.
    database.run(
      `DELETE FROM intents WHERE kind = 1 AND (session IS NOT NULL AND session NOT IN (SELECT session FROM leases)
       OR session IS NULL AND createdAt < ?)`,
      now - DAY_MS,
    );
  });
}

function readPackUses(database: Database, live: BlockSet): PackUse[] {
  const packs = database.tuples<[number, Uint8Array, number]>(
    "SELECT pack, packId, sizeBytes FROM packs ORDER BY pack",
  );
  return packs.map(([pack, packId, sizeBytes]) => {
    const blocks = database.tuples<[number, number, number]>(
      "SELECT blockNo, length, state FROM blocks WHERE pack = ?",
      pack,
    );
    const needed = blocks.filter(([blockNo, , state]) => state !== BLOCK_DROPPED && live.has(blockNo));
    return {
      packId: toHex(packId) as PackId,
      sizeBytes,
      liveBytes: needed.filter(([, , state]) => state === BLOCK_OK).reduce((sum, [, length]) => sum + length, 0),
      liveBlocks: needed.length,
      deadBlocks: blocks.length - needed.length,
      isFrozen: needed.some(([, , state]) => state === BLOCK_QUARANTINED),
    };
  });
}

function storedBytes(database: Database): number {
  return Number(database.get("SELECT coalesce(sum(sizeBytes), 0) AS bytes FROM packs")!.bytes);
}
