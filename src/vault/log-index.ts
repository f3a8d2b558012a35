// The part of the index that the log determines: entries, devices, keyslots, snapshots. Reads the state that the next entry
// must fit, and writes what one entry changes. All of it runs inside the caller's transaction.

import type { Bytes } from "../core/bytes.ts";
import { concatBytes, fromHex, toHex } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import type { DeviceId, KeyslotId, SnapshotId } from "../core/ids.ts";
import type { KeyslotKind, LogEntry } from "../wire/v4/log-entry.ts";
import { emptyLogState, type LogSnapshot, type LogState } from "../wire/v4/log-state.ts";
import type { SnapshotRecord } from "../wire/v4/snapshot-record.ts";
import type { LogHead } from "../wire/v4/vault-port.ts";
import type { Database } from "./database.ts";
import { SNAPSHOT_LIVE, SNAPSHOT_PURGED, SNAPSHOT_TRASH } from "./schema.ts";

export type DecodedEntry = LogEntry & { readonly id: string };
export type DecodedSnapshot = SnapshotRecord & { readonly id: SnapshotId };

const STATES = ["live", "trash", "purged"] as const;

export function readHead(database: Database): LogHead {
  const row = database.get<{ seq: number; id: Uint8Array }>("SELECT seq, id FROM log ORDER BY seq DESC LIMIT 1");
  return row === undefined ? { seq: 0, id: emptyLogState().head } : { seq: row.seq, id: toHex(row.id) };
}

/** The state after the last entry that the index knows. */
export function readLogState(database: Database): LogState {
  const state = emptyLogState();
  const head = readHead(database);
  state.seq = head.seq;
  state.head = head.id;
  const record = database.get<{ value: Uint8Array }>("SELECT value FROM meta WHERE name = 'record'");
  state.record = record && toHex(record.value);
  for (const row of database.all<DeviceSql>("SELECT * FROM devices")) {
    const device = toHex(row.deviceId) as DeviceId;
    const publicKey = row.publicKey as Bytes;
    state.devices.set(device, {
      device,
      name: row.name,
      publicKey,
      addedAt: row.addedAt,
      revoked: row.revoked !== 0,
      group: row.trustGroup,
    });
  }
  for (const row of database.all<KeyslotSql>("SELECT * FROM keyslots")) {
    const id = toHex(row.keyslotId) as KeyslotId;
    const kind = row.kind as KeyslotKind;
    state.keyslots.set(id, { id, hash: toHex(row.hash), kind, label: row.label, addedAt: row.addedAt });
  }
  for (const row of database.all<SnapshotSql>(
    "SELECT snapshotId, seq, receivedAt, state, trashedAt, pinnedUntil FROM snapshots",
  )) {
    const snapshot = toLogSnapshot(row);
    state.snapshots.set(snapshot.id, snapshot);
  }
  return state;
}

/**
 * Writes what `entry` changes; `record` is that of the snapshot which a commit entry names. The caller has made sure that the
 * entry fits the state before it.
 */
export function writeEntry(database: Database, entry: DecodedEntry, record: DecodedSnapshot | undefined): void {
  database.run("INSERT INTO log (seq, id) VALUES (?, ?)", entry.seq, fromHex(entry.id));
  switch (entry.type) {
    case "genesis":
      database.run("INSERT INTO meta (name, value) VALUES ('record', ?)", fromHex(entry.body.record));
      return;
    case "device-add":
      database.run(
        "INSERT INTO devices (deviceId, name, publicKey, addedAt, revoked) VALUES (?, ?, ?, ?, 0)",
        fromHex(entry.body.device),
        entry.body.name,
        entry.body.publicKey,
        entry.at,
      );
      return;
    case "device-revoke":
      database.run("UPDATE devices SET revoked = 1 WHERE deviceId = ?", fromHex(entry.body.device));
      return;
    case "device-trust":
      database.run(
        "UPDATE devices SET trustGroup = ? WHERE deviceId = ?",
        entry.body.group,
        fromHex(entry.body.device),
      );
      return;
    case "keyslot-add":
      database.run(
        "INSERT INTO keyslots (keyslotId, kind, label, hash, addedAt) VALUES (?, ?, ?, ?, ?)",
        fromHex(entry.body.id),
        entry.body.kind,
        entry.body.label,
        fromHex(entry.body.hash),
        entry.at,
      );
      return;
    case "keyslot-remove":
      database.run("DELETE FROM keyslots WHERE keyslotId = ?", fromHex(entry.body.id));
      return;
    case "commit":
      writeCommit(database, entry, record);
      return;
    case "remove":
      database.run(
        "UPDATE snapshots SET state = ?, trashedAt = ?, pinnedUntil = NULL WHERE snapshotId = ?",
        SNAPSHOT_TRASH,
        entry.at,
        fromHex(entry.body.snapshot),
      );
      return;
    case "undelete":
      database.run(
        "UPDATE snapshots SET state = ?, trashedAt = NULL WHERE snapshotId = ?",
        SNAPSHOT_LIVE,
        fromHex(entry.body.snapshot),
      );
      return;
    case "purge":
      database.run(
        "UPDATE snapshots SET state = ?, refs = NULL WHERE snapshotId = ?",
        SNAPSHOT_PURGED,
        fromHex(entry.body.snapshot),
      );
      return;
    case "pin":
      database.run(
        "UPDATE snapshots SET pinnedUntil = ? WHERE snapshotId = ?",
        entry.body.until,
        fromHex(entry.body.snapshot),
      );
      return;
    case "unpin":
      database.run("UPDATE snapshots SET pinnedUntil = NULL WHERE snapshotId = ?", fromHex(entry.body.snapshot));
  }
}

/** The snapshot appears and its session's protection ends in one step. Without a record it can only be one purged later. */
function writeCommit(
  database: Database,
  entry: DecodedEntry & { type: "commit" },
  record: DecodedSnapshot | undefined,
): void {
  const empty = new Uint8Array();
  database.run(
    `INSERT INTO snapshots (snapshotId, sessionId, deviceId, plan, tags, seq, receivedAt, addedBytes, state, refs)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    fromHex(entry.body.snapshot),
    record ? fromHex(record.session) : empty,
    record ? fromHex(record.device) : empty,
    record ? fromHex(record.plan) : empty,
    record ? concatBytes(record.tags.map(fromHex)) : empty,
    entry.seq,
    entry.at,
    record?.added ?? 0,
    SNAPSHOT_LIVE,
    record?.refs ?? null,
  );
  if (record === undefined) return;
  const session = ensureSession(database, fromHex(record.session), fromHex(record.device), record.key);
  database.run("DELETE FROM leases WHERE session = ?", session);
  database.run("DELETE FROM session_refs WHERE session = ?", session);
  database.run("DELETE FROM session_packs WHERE session = ?", session);
}

/** The row of a session; its sealed key is noted when it was not known. */
export function ensureSession(
  database: Database,
  sessionId: Uint8Array,
  deviceId: Uint8Array,
  sealedKey: Uint8Array | undefined,
): number {
  const row = database.get<{ session: number; deviceId: Uint8Array; hasKey: number }>(
    "SELECT session, deviceId, sealedKey IS NOT NULL AS hasKey FROM sessions WHERE sessionId = ?",
    sessionId,
  );
  if (row === undefined) {
    const sql = "INSERT INTO sessions (sessionId, deviceId, sealedKey) VALUES (?, ?, ?)";
    return database.run(sql, sessionId, deviceId, sealedKey ?? null).lastInsertRowid;
  }
  if (toHex(row.deviceId) !== toHex(deviceId)) {
    throw new AppError("signature_bad", { context: { what: "a session is claimed by two devices" } });
  }
  if (row.hasKey === 0 && sealedKey !== undefined) {
    database.run("UPDATE sessions SET sealedKey = ? WHERE session = ?", sealedKey, row.session);
  }
  return row.session;
}

type DeviceSql = {
  deviceId: Uint8Array;
  name: string;
  publicKey: Uint8Array;
  addedAt: number;
  revoked: number;
  trustGroup: string | null;
};
type KeyslotSql = { keyslotId: Uint8Array; kind: string; label: string; hash: Uint8Array; addedAt: number };
type SnapshotSql = {
  snapshotId: Uint8Array;
  seq: number;
  receivedAt: number;
  state: number;
  trashedAt: number | null;
  pinnedUntil: number | null;
};

function toLogSnapshot(row: SnapshotSql): LogSnapshot {
  return {
    id: toHex(row.snapshotId) as SnapshotId,
    receivedAt: row.receivedAt,
    seq: row.seq,
    state: STATES[row.state]!,
    trashedAt: row.trashedAt ?? undefined,
    pinnedUntil: row.pinnedUntil ?? undefined,
  };
}
