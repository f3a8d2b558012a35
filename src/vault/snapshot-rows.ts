// Snapshots as the index knows them, in the order in which they were committed.

import { toHex } from "../core/bytes.ts";
import type { DeviceId, NameToken, SnapshotId } from "../core/ids.ts";
import type { SnapshotRow } from "../wire/v4/vault-port.ts";
import type { Database } from "./database.ts";
import { SNAPSHOT_LIVE, SNAPSHOT_PURGED } from "./schema.ts";

/** Those that are live or in the trash. */
export function visibleSnapshots(database: Database): SnapshotRow[] {
  return database
    .all<SnapshotSql>(
      `SELECT snapshotId, deviceId, plan, tags, seq, receivedAt, addedBytes, state, trashedAt, pinnedUntil
       FROM snapshots WHERE state <> ? ORDER BY seq`,
      SNAPSHOT_PURGED,
    )
    .map(toSnapshotRow);
}

export function liveSnapshots(database: Database): SnapshotRow[] {
  return visibleSnapshots(database).filter(({ state }) => state === "live");
}

type SnapshotSql = {
  snapshotId: Uint8Array;
  deviceId: Uint8Array;
  plan: Uint8Array;
  tags: Uint8Array;
  seq: number;
  receivedAt: number;
  addedBytes: number;
  state: number;
  trashedAt: number | null;
  pinnedUntil: number | null;
};

function toSnapshotRow(row: SnapshotSql): SnapshotRow {
  const tags: NameToken[] = [];
  for (let at = 0; at < row.tags.length; at += 16) tags.push(toHex(row.tags.subarray(at, at + 16)) as NameToken);
  return {
    id: toHex(row.snapshotId) as SnapshotId,
    device: toHex(row.deviceId) as DeviceId,
    plan: toHex(row.plan) as NameToken,
    tags,
    receivedAt: row.receivedAt,
    seq: row.seq,
    state: row.state === SNAPSHOT_LIVE ? "live" : "trash",
    trashedAt: row.trashedAt ?? undefined,
    pinnedUntil: row.pinnedUntil ?? undefined,
    addedBytes: row.addedBytes,
  };
}
