// What a server asks of a vault beyond the port: whose a session is, how many are open, where blocks and packs lie. Look-ups only,
// each of them short.

import { type Bytes, fromHex, toHex } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import type { DeviceId, PackId, SessionId } from "../core/ids.ts";
import type { LogDevice } from "../wire/v4/log-state.ts";
import type { BlockLocation } from "../wire/v4/vault-port.ts";
import { locateBlock } from "./block-index.ts";
import type { VaultContext } from "./context.ts";
import { currentState } from "./log.ts";
import { packKey } from "./object-keys.ts";
import { BLOCK_QUARANTINED, SNAPSHOT_PURGED, STATE_IS } from "./schema.ts";

const SLICE_BYTES = 1 << 20;

/** Devices with their state, as the log has them. */
export function logDevices(vault: VaultContext): ReadonlyMap<DeviceId, LogDevice> {
  return currentState(vault).devices;
}

/** undefined for a session that was never opened. */
export function deviceOfSession({ database }: VaultContext, session: SessionId): DeviceId | undefined {
  const sql = "SELECT deviceId FROM sessions WHERE sessionId = ?";
  const row = database.get<{ deviceId: Uint8Array }>(sql, fromHex(session));
  return row && (toHex(row.deviceId) as DeviceId);
}

/** Blocks whose bytes are bad. */
export function damagedBlocks({ database }: VaultContext): number {
  return Number(database.get(`SELECT count(*) AS count FROM blocks WHERE ${STATE_IS}`, BLOCK_QUARANTINED)!.count);
}

/** How many sessions each device has open, and when the first of its leases ends. */
export function openSessions(vault: VaultContext): Map<DeviceId, { count: number; firstEndsAt: number }> {
  const rows = vault.database.tuples<[Uint8Array, number, number]>(
    `SELECT s.deviceId, COUNT(*), MIN(l.expiresAt) FROM leases l JOIN sessions s ON s.session = l.session
     WHERE l.expiresAt > ? GROUP BY s.deviceId`,
    vault.clock.now(),
  );
  return new Map(rows.map(([device, count, firstEndsAt]) => [toHex(device) as DeviceId, { count, firstEndsAt }]));
}

export type DeviceSnapshots = { readonly count: number; readonly lastAt: number; readonly addedBytes: number };

export function snapshotsByDevice({ database }: VaultContext): Map<DeviceId, DeviceSnapshots> {
  const rows = database.tuples<[Uint8Array, number, number, number]>(
    "SELECT deviceId, COUNT(*), MAX(receivedAt), SUM(addedBytes) FROM snapshots WHERE state <> ? GROUP BY deviceId",
    SNAPSHOT_PURGED,
  );
  return new Map(
    rows.map(([device, count, lastAt, addedBytes]) => [toHex(device) as DeviceId, { count, lastAt, addedBytes }]),
  );
}

/** undefined for a number that no block has. */
export function blockLocations(vault: VaultContext, blockNos: readonly number[]): (BlockLocation | undefined)[] {
  return blockNos.map((blockNo) => locateBlock(vault.database, blockNo));
}

/** Throws `not_found`. */
export async function packSize({ store }: VaultContext, pack: PackId): Promise<number> {
  const size = await store.size(packKey(pack));
  if (size === undefined) throw new AppError("not_found", { context: { what: `The pack ${pack}` } });
  return size;
}

/** Throws `not_found` when it is removed meanwhile. */
export async function* readPack(
  { store }: VaultContext,
  pack: PackId,
  offset: number,
  length: number,
): AsyncGenerator<Bytes> {
  for (let at = offset; at < offset + length; at += SLICE_BYTES) {
    const wanted = Math.min(SLICE_BYTES, offset + length - at);
    const slice = await store.getRange(packKey(pack), at, wanted);
    if (slice?.length !== wanted) throw new AppError("not_found", { context: { what: `The pack ${pack}` } });
    yield slice;
  }
}

/** Drops what this process remembers of sessions that have ended without a word. */
export function forgetEndedSessions(vault: VaultContext): void {
  const sql = "SELECT 1 FROM sessions s JOIN leases l ON l.session = s.session WHERE s.sessionId = ?";
  for (const session of [...vault.sessions.keys()]) {
    if (vault.database.get(sql, fromHex(session)) === undefined) vault.sessions.delete(session);
  }
}
