// Trust groups: whose blocks a device relies on. A block is of the group that the device which brought it is in now, so one that is set
// apart takes all that it ever brought with it. Where nobody is set apart, which is the rule, this is one look-up and nothing else.
// See docs/vault.md, [Note: trust groups].

import { fromHex } from "../core/bytes.ts";
import type { DeviceId } from "../core/ids.ts";
import { unsoundAmong } from "./block-index.ts";
import type { Database } from "./database.ts";

/** Of a block `b`: it was brought by device ?1, or by one of the group ?2. A group that is NULL equals none. */
const IS_TRUSTED = `SELECT 1 FROM sessions s JOIN devices d ON d.deviceId = s.deviceId
  WHERE s.session = b.session AND (d.deviceId = ?1 OR d.trustGroup = ?2)`;

/**
 * Whether the device may rely on a block; undefined where it may on all. An answer is good until the index changes. Those `ahead` are asked
 * for in one query: with a group in use, a question about 512 chunks takes 1.4 times as long, not 1.7.
 */
export function trustOf(
  database: Database,
  device: DeviceId,
  ahead: readonly number[] = [],
): ((blockNo: number) => boolean) | undefined {
  if (!hasGroups(database)) return undefined;
  const { deviceId, group } = memberOf(database, device);
  const sql = `SELECT value, EXISTS (SELECT 1 FROM blocks b WHERE b.blockNo = value AND EXISTS (${IS_TRUSTED})) FROM json_each(?3)`;
  const ask = (blockNos: readonly number[]) =>
    database.tuples<[number, number]>(sql, deviceId, group, JSON.stringify(blockNos));
  const known = new Map(ahead.length === 0 ? [] : ask([...new Set(ahead)]));
  return (blockNo) => {
    if (!known.has(blockNo)) known.set(blockNo, ask([blockNo])[0]![1]);
    return known.get(blockNo) === 1;
  };
}

/** Those of `blockNos` that the device cannot rely on: not there, quarantined, dropped, or of devices outside of its group. */
export function unreliableAmong(database: Database, device: DeviceId, blockNos: readonly number[]): number[] {
  if (!hasGroups(database)) return unsoundAmong(database, blockNos);
  const { deviceId, group } = memberOf(database, device);
  return database
    .tuples<[number]>(
      `SELECT value FROM json_each(?3) WHERE NOT EXISTS
       (SELECT 1 FROM blocks b WHERE b.blockNo = value AND b.state = 0 AND EXISTS (${IS_TRUSTED}))`,
      deviceId,
      group,
      JSON.stringify(blockNos),
    )
    .map(([blockNo]) => blockNo);
}

/** By an index of those that are set apart, so that a vault with thousands of devices pays nothing for them. */
function hasGroups(database: Database): boolean {
  return database.get("SELECT 1 FROM devices WHERE trustGroup IS NOT '' LIMIT 1") !== undefined;
}

function memberOf(database: Database, device: DeviceId): { deviceId: Uint8Array; group: string | null } {
  const deviceId = fromHex(device);
  const sql = "SELECT trustGroup FROM devices WHERE deviceId = ?";
  const row = database.get<{ trustGroup: string | null }>(sql, deviceId);
  return { deviceId, group: row?.trustGroup ?? null };
}
