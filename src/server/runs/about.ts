// Which program and system each device has, as it told last.

import type { DeviceId, VaultId } from "../../core/ids.ts";
import type { Database } from "../../vault/database.ts";

export type DeviceAbout = {
  readonly version: string;
  readonly os: string;
  readonly release: string;
  readonly arch: string;
  readonly toldAt: number;
};

export function saveAbout(database: Database, vault: VaultId, device: DeviceId, about: DeviceAbout): void {
  const { version, os, release, arch, toldAt } = about;
  database.softTransaction(() =>
    database.run(
      "INSERT OR REPLACE INTO device_about (vault, device, version, os, release, arch, toldAt) VALUES (?, ?, ?, ?, ?, ?, ?)",
      vault,
      device,
      version,
      os,
      release,
      arch,
      toldAt,
    ),
  );
}

export function readAbouts(database: Database, vault: VaultId): Map<DeviceId, DeviceAbout> {
  const sql = "SELECT device, version, os, release, arch, toldAt FROM device_about WHERE vault = ?";
  return new Map(
    database.all<DeviceAbout & { device: DeviceId }>(sql, vault).map(({ device, ...about }) => [device, { ...about }]),
  );
}
