// What the server notes of devices beside the vault's log: what people call them here, when they were last seen, and where.

import type { DeviceId, VaultId } from "../../core/ids.ts";
import type { Database } from "../../vault/database.ts";

export const NOTE_STEPS: readonly string[] = [
  `CREATE TABLE device_notes (
     vault TEXT NOT NULL, device TEXT NOT NULL, name TEXT, lastSeenAt INTEGER, lastAddress TEXT, PRIMARY KEY (vault, device)
   ) STRICT, WITHOUT ROWID`,
];

export type DeviceNote = {
  device: DeviceId;
  name: string | null;
  lastSeenAt: number | null;
  lastAddress: string | null;
};

export function deviceNotes(database: Database, vault: VaultId): Map<DeviceId, DeviceNote> {
  const sql = "SELECT device, name, lastSeenAt, lastAddress FROM device_notes WHERE vault = ?";
  return new Map(database.all<DeviceNote>(sql, vault).map((note) => [note.device, note]));
}

export function nameDevice(database: Database, vault: VaultId, device: DeviceId, name: string | null): void {
  const sql = `INSERT INTO device_notes (vault, device, name) VALUES (?, ?, ?)
    ON CONFLICT (vault, device) DO UPDATE SET name = excluded.name`;
  database.run(sql, vault, device, name);
}

/** Worth nothing after a power cut, so it does not wait for the disk. */
export function noteSeen(database: Database, vault: VaultId, device: DeviceId, at: number, address: string): void {
  const sql = `INSERT INTO device_notes (vault, device, lastSeenAt, lastAddress) VALUES (?, ?, ?, ?)
    ON CONFLICT (vault, device) DO UPDATE SET lastSeenAt = excluded.lastSeenAt, lastAddress = excluded.lastAddress`;
  database.softTransaction(() => database.run(sql, vault, device, at, address));
}
