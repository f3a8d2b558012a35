// Counts and sizes, from the index alone.

import type { VaultStats } from "../wire/v4/admin-port.ts";
import type { Database } from "./database.ts";
import { BLOCK_DROPPED, BLOCK_QUARANTINED, SNAPSHOT_LIVE, SNAPSHOT_TRASH, STATE_IS } from "./schema.ts";

export function readStats(database: Database): VaultStats {
  const one = (sql: string, ...values: number[]): number => Number(Object.values(database.get(sql, ...values)!)[0]);
  return {
    snapshots: one("SELECT count(*) FROM snapshots WHERE state = ?", SNAPSHOT_LIVE),
    trashedSnapshots: one("SELECT count(*) FROM snapshots WHERE state = ?", SNAPSHOT_TRASH),
    packs: one("SELECT count(*) FROM packs"),
    packBytes: one("SELECT coalesce(sum(sizeBytes), 0) FROM packs"),
    blocks: one("SELECT count(*) FROM blocks"),
    blockBytes: one("SELECT coalesce(sum(length), 0) FROM blocks"),
    chunks: one("SELECT count(*) FROM chunks"),
    damagedBlocks: one(`SELECT count(*) FROM blocks WHERE ${STATE_IS}`, BLOCK_QUARANTINED),
    droppedBytes: one(`SELECT coalesce(sum(length), 0) FROM blocks WHERE ${STATE_IS}`, BLOCK_DROPPED),
    openSessions: one("SELECT count(*) FROM leases"),
    logEntries: one("SELECT count(*) FROM log"),
  };
}
