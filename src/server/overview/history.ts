// Sizes over time: sampled once an hour, kept for two weeks by the hour and for years by the day (docs/protocol-v4.md, Overview, alerts and
// history). The last sample of a day is that day's.

import { toHex } from "../../core/bytes.ts";
import { LIMITS } from "../../core/config-schema.ts";
import type { VaultId } from "../../core/ids.ts";
import type { Database } from "../../vault/database.ts";
import { SNAPSHOT_LIVE } from "../../vault/schema.ts";
import { type DiskSample, OVERVIEW_LIMITS, type VaultSample } from "../../wire/v4/api/overview-routes.ts";
import type { ServedVault } from "../vaults.ts";

export const HISTORY_STEPS: readonly string[] = [
  `
  CREATE TABLE vault_samples (
    vault TEXT NOT NULL, step INTEGER NOT NULL, at INTEGER NOT NULL, storedBytes INTEGER NOT NULL, snapshots INTEGER NOT NULL,
    chunks INTEGER NOT NULL, protectedBytes INTEGER NOT NULL, allBytes INTEGER NOT NULL, newBytes INTEGER NOT NULL,
    addedBytes INTEGER NOT NULL, PRIMARY KEY (vault, step, at)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE disk_samples (
    step INTEGER NOT NULL, at INTEGER NOT NULL, totalBytes INTEGER NOT NULL, freeBytes INTEGER NOT NULL, PRIMARY KEY (step, at)
  ) STRICT, WITHOUT ROWID;
  `,
];

export const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** What the straight line through the free space is drawn through. */
const TREND_MS = 14 * DAY_MS;
const TREND_LEAST_MS = 2 * DAY_MS;

export type Step = "hour" | "day";
const LENGTH_MS: Readonly<Record<Step, number>> = { hour: HOUR_MS, day: DAY_MS };
const KEPT_MS: Readonly<Record<Step, number>> = {
  hour: LIMITS.hourlySampleDays.value * DAY_MS,
  day: LIMITS.dailySampleDays.value * DAY_MS,
};
const STEPS = ["hour", "day"] as const satisfies readonly Step[];

type Range = { readonly from: number; readonly to: number; readonly step: Step };

/** When the next sample is due: at the next full hour after the last. */
export function sampleIsDue(database: Database, now: number): boolean {
  const last = database.get<{ at: number | null }>(
    "SELECT max(at) AS at FROM disk_samples WHERE step = ?",
    HOUR_MS,
  )?.at;
  return last === null || last === undefined || Math.floor(now / HOUR_MS) > Math.floor(last / HOUR_MS);
}

/** Writes a sample of everything, in the place of an earlier one of the same hour and day, and forgets old ones. */
export function saveSamples(database: Database, samples: ReadonlyMap<VaultId, VaultSample>, disk: DiskSample): void {
  database.softTransaction(() => {
    for (const step of STEPS) {
      const length = LENGTH_MS[step];
      const start = Math.floor(disk.at / length) * length;
      database.run("DELETE FROM disk_samples WHERE step = ? AND at >= ?", length, start);
      const diskSql = "INSERT INTO disk_samples (step, at, totalBytes, freeBytes) VALUES (?, ?, ?, ?)";
      database.run(diskSql, length, disk.at, disk.totalBytes, disk.freeBytes);
      for (const [vault, sample] of samples) {
        database.run("DELETE FROM vault_samples WHERE vault = ? AND step = ? AND at >= ?", vault, length, start);
        database.run(
          `INSERT INTO vault_samples (vault, step, at, storedBytes, snapshots, chunks, protectedBytes, allBytes, newBytes, addedBytes)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          vault,
          length,
          sample.at,
          sample.storedBytes,
          sample.snapshots,
          sample.chunks,
          sample.protectedBytes,
          sample.allBytes,
          sample.newBytes,
          sample.addedBytes,
        );
      }
      for (const table of ["vault_samples", "disk_samples"]) {
        database.run(`DELETE FROM ${table} WHERE step = ? AND at < ?`, length, disk.at - KEPT_MS[step]);
      }
    }
  });
}

/** Oldest first; the newest when there are more than an answer holds. */
export function vaultHistory(database: Database, vault: VaultId, { from, to, step }: Range): VaultSample[] {
  const rows = database.all<VaultSample & { vault: string; step: number }>(
    "SELECT * FROM vault_samples WHERE vault = ? AND step = ? AND at >= ? AND at < ? ORDER BY at DESC LIMIT ?",
    vault,
    LENGTH_MS[step],
    from,
    to,
    OVERVIEW_LIMITS.samplesPerCall,
  );
  return rows.reverse().map(({ vault: _, step: __, ...sample }) => ({ ...sample }));
}

export function diskHistory(database: Database, { from, to, step }: Range): DiskSample[] {
  const rows = database.all<DiskSample & { step: number }>(
    "SELECT * FROM disk_samples WHERE step = ? AND at >= ? AND at < ? ORDER BY at DESC LIMIT ?",
    LENGTH_MS[step],
    from,
    to,
    OVERVIEW_LIMITS.samplesPerCall,
  );
  return rows.reverse().map(({ step: _, ...sample }) => ({ ...sample }));
}

export type Trend = { readonly bytesPerDay: number | null; readonly daysUntilFull: number | null };

/** By a straight line through the last two weeks (least squares). `spareBytes` must stay free. */
export function diskTrend(samples: readonly DiskSample[], now: number, spareBytes: number): Trend {
  const used = samples.filter(({ at }) => at >= now - TREND_MS);
  const [first, last] = [used[0], used.at(-1)];
  if (first === undefined || last === undefined || last.at - first.at < TREND_LEAST_MS) {
    return { bytesPerDay: null, daysUntilFull: null };
  }
  const bytesPerDay = -slope(used.map(({ at, freeBytes }) => [(at - first.at) / DAY_MS, freeBytes]));
  const room = Math.max(0, last.freeBytes - spareBytes);
  const daysUntilFull = bytesPerDay > 0 ? Math.floor(room / bytesPerDay) : null;
  // What fills in more than a lifetime does not fill.
  return { bytesPerDay, daysUntilFull: daysUntilFull !== null && daysUntilFull > 36_500 ? null : daysUntilFull };
}

function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (of: (point: readonly [number, number]) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean(([at]) => at), mean(([, bytes]) => bytes)];
  const spread = points.reduce((sum, [at]) => sum + (at - x) ** 2, 0);
  return spread === 0 ? 0 : points.reduce((sum, [at, bytes]) => sum + (at - x) * (bytes - y), 0) / spread;
}

export type ReportedSums = Pick<VaultSample, "allBytes" | "newBytes" | "addedBytes">;

/** Of the runs whose snapshots are kept: what was reported of them. */
export function reportedSums(database: Database, { id, vault }: ServedVault): ReportedSums {
  const kept = new Set(
    vault.context.database
      .tuples<[Uint8Array]>("SELECT snapshotId FROM snapshots WHERE state = ?", SNAPSHOT_LIVE)
      .map(([snapshot]) => toHex(snapshot)),
  );
  const sums = { allBytes: 0, newBytes: 0, addedBytes: 0 };
  const sql = "SELECT snapshot, bytes FROM runs WHERE vault = ? AND snapshot IS NOT NULL AND isReported = 1";
  for (const [snapshot, text] of database.tuples<[string, string]>(sql, id)) {
    if (!kept.has(snapshot)) continue;
    const bytes = JSON.parse(text) as { done: number; new: number; added: number };
    sums.allBytes += bytes.done;
    sums.newBytes += bytes.new;
    sums.addedBytes += bytes.added;
  }
  return sums;
}
