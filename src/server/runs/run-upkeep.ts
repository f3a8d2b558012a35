// Upkeep of the history of runs: snapshots that came without a run (of programs that work in a vault's folder, or from before there was a
// history) get one, and what is too old goes.

import { toHex } from "../../core/bytes.ts";
import { LIMITS } from "../../core/config-schema.ts";
import type { DeviceId, NameToken, SessionId, SnapshotId } from "../../core/ids.ts";
import type { Database } from "../../vault/database.ts";
import type { ServedVault } from "../vaults.ts";
import { committed, newRun } from "./run-change.ts";
import { readRun, saveRun } from "./run-rows.ts";

const DAY_MS = 86_400_000;
/** Snapshots that are looked at in one go. */
const SLICE = 2000;

/** Answers how many runs were added. */
export function addUnseenRuns(database: Database, served: ServedVault, now: number): number {
  const mark = database.get<{ seq: number }>("SELECT seq FROM run_marks WHERE vault = ?", served.id)?.seq ?? 0;
  const rows = served.vault.context.database.tuples<
    [number, Uint8Array, Uint8Array, Uint8Array, Uint8Array, number, number]
  >(
    `SELECT seq, sessionId, snapshotId, deviceId, plan, receivedAt, addedBytes FROM snapshots
     WHERE seq > ? ORDER BY seq LIMIT ?`,
    mark,
    SLICE,
  );
  if (rows.length === 0) return 0;
  const oldest = now - LIMITS.runDays.value * DAY_MS;
  return database.transaction(() => {
    let added = 0;
    for (const [, sessionId, snapshotId, deviceId, plan, receivedAt, addedBytes] of rows) {
      const run = toHex(sessionId) as SessionId;
      if (receivedAt < oldest || readRun(database, served.id, run) !== undefined) continue;
      const begun = newRun(served.id, toHex(deviceId) as DeviceId, run, receivedAt);
      const done = committed(begun, toHex(snapshotId) as SnapshotId, receivedAt);
      const bytes = { ...done.run.bytes, added: addedBytes };
      saveRun(database, { ...done, run: { ...done.run, plan: toHex(plan) as NameToken, bytes } });
      added++;
    }
    database.run("INSERT OR REPLACE INTO run_marks (vault, seq) VALUES (?, ?)", served.id, rows.at(-1)![0]);
    return added;
  });
}

/** Forgets what is too old, or too much. */
export function trimRuns(database: Database, now: number): void {
  const { runDays, runDetailsDays, runsPerDevice } = LIMITS;
  database.run("DELETE FROM runs WHERE startedAt < ? AND endedAt IS NOT NULL", now - runDays.value * DAY_MS);
  const details = "UPDATE runs SET details = NULL WHERE details IS NOT NULL AND startedAt < ?";
  database.run(details, now - runDetailsDays.value * DAY_MS);
  const many = database.all<{ vault: string; device: string }>(
    "SELECT vault, device FROM runs GROUP BY vault, device HAVING count(*) > ?",
    runsPerDevice.value,
  );
  for (const { vault, device } of many) {
    database.run(
      `DELETE FROM runs WHERE vault = ? AND device = ? AND endedAt IS NOT NULL AND startedAt < (
         SELECT startedAt FROM runs WHERE vault = ? AND device = ? ORDER BY startedAt DESC LIMIT 1 OFFSET ?)`,
      vault,
      device,
      vault,
      device,
      runsPerDevice.value - 1,
    );
  }
}
