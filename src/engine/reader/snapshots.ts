// Snapshots as a reader sees them: the vault's row, the record checked against its id and its device's signature, and the sealed
// part opened. A record that does not hold is an answer with `error`, so that one bad record does not hide the others.

import { AppError, isAppError } from "../../core/errors.ts";
import type { DeviceId } from "../../core/ids.ts";
import { openSessionKey } from "../../crypto/session-key.ts";
import { deviceIdOf, verifySignature } from "../../crypto/signature.ts";
import { decodeSnapshotRecord, type SnapshotRecord, snapshotStatement } from "../../wire/v4/snapshot-record.ts";
import type { DeviceRow, SnapshotRow } from "../../wire/v4/vault-port.ts";
import { openSnapshotInfo, type SnapshotInfo } from "../snapshot-info.ts";
import type { VaultReader } from "./reader.ts";

/** A snapshot whose record holds. */
export type OpenedSnapshot = {
  readonly row: SnapshotRow;
  readonly record: SnapshotRecord;
  readonly info: SnapshotInfo;
  readonly deviceName: string;
};

export type ListedSnapshot =
  | (OpenedSnapshot & { readonly error?: undefined })
  | {
      readonly row: SnapshotRow;
      readonly record?: undefined;
      readonly info?: undefined;
      readonly deviceName: string | undefined;
      readonly error: AppError;
    };

export type DeviceKeys = ReadonlyMap<DeviceId, DeviceRow>;

/** All snapshots that are not in the trash (with `trash`, those too), oldest first. */
export async function listSnapshots(
  reader: VaultReader,
  { trash = false }: { readonly trash?: boolean } = {},
): Promise<ListedSnapshot[]> {
  const [rows, devices] = await Promise.all([snapshotRows(reader), deviceKeys(reader)]);
  const listed: ListedSnapshot[] = [];
  for (const row of rows) {
    if (row.state === "live" || trash) listed.push(await tryOpenSnapshot(reader, row, devices));
  }
  return listed;
}

/** Rows in the order in which the vault received them. */
export async function snapshotRows(reader: VaultReader): Promise<SnapshotRow[]> {
  return (await reader.vault.snapshots()).toSorted((a, b) => a.seq - b.seq);
}

export async function deviceKeys(reader: VaultReader): Promise<DeviceKeys> {
  return new Map((await reader.vault.devices()).map((row) => [row.device, row]));
}

export async function tryOpenSnapshot(
  reader: VaultReader,
  row: SnapshotRow,
  devices: DeviceKeys,
): Promise<ListedSnapshot> {
  try {
    return await openSnapshot(reader, row, devices);
  } catch (error) {
    if (!isAppError(error) || error.retry) throw error;
    return { row, deviceName: devices.get(row.device)?.name, error };
  }
}

/** Throws `record_corrupt`, `signature_bad` or `vault_mismatch`. */
export async function openSnapshot(
  reader: VaultReader,
  row: SnapshotRow,
  devices: DeviceKeys,
): Promise<OpenedSnapshot> {
  const { vault, secrets, platform } = reader;
  const what = `Snapshot ${row.id.slice(0, 8)}`;
  const record = await decodeSnapshotRecord(await vault.snapshotRecord(row.id));
  if (record.id !== row.id) throw corrupt(what, "its bytes are those of another record");
  if (record.vault !== vault.vaultId) {
    throw new AppError("vault_mismatch", { context: { detail: `${what} was made for vault ${record.vault}` } });
  }
  const device = await verifyRecord(record, devices, what);
  if (row.device !== record.device || row.plan !== record.plan || row.tags.join() !== record.tags.join()) {
    throw corrupt(what, "the vault's index says something else about it than the record");
  }
  const key = await openSessionKey(record.key, secrets.identity);
  const info = await openSnapshotInfo(platform.primitives, key, record.vault, record.session, record.info);
  if (info.root.length === 0) throw corrupt(what, "it has no root folder");
  return { row, record, info, deviceName: device.name };
}

async function verifyRecord(record: SnapshotRecord, devices: DeviceKeys, what: string): Promise<DeviceRow> {
  const device = devices.get(record.device);
  if (!device) throw signatureBad(`${what} is signed by a device that the vault does not know`);
  if ((await deviceIdOf(device.publicKey)) !== record.device) {
    throw signatureBad(`the public key of device ${device.name} is not the one that its id names`);
  }
  if (!(await verifySignature(device.publicKey, await snapshotStatement(record), record.sig))) {
    throw signatureBad(`${what}, said to be of device ${device.name}`);
  }
  return device;
}

function signatureBad(what: string): AppError {
  return new AppError("signature_bad", { context: { what } });
}

function corrupt(what: string, detail: string): AppError {
  return new AppError("record_corrupt", { context: { what, detail } });
}
