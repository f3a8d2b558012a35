// Plans of devices: sealed bodies that the server cannot read, with their versions, and what devices said of them last. A change is taken only
// from whoever knows the version that is there.

import { AppError } from "../../core/errors.ts";
import type { DeviceId, NameToken, VaultId } from "../../core/ids.ts";
import type { Database } from "../../vault/database.ts";
import { PLAN_LIMITS, type PlanChange, type PlanStatus, type StoredPlan } from "../../wire/v4/api/plan-routes.ts";

export const PLAN_STEPS: readonly string[] = [
  `
  CREATE TABLE plans (
    vault TEXT NOT NULL, device TEXT NOT NULL, plan TEXT NOT NULL, version INTEGER NOT NULL, deleted INTEGER NOT NULL,
    sealed BLOB NOT NULL, token TEXT, enabled INTEGER NOT NULL, overdueAfterMs INTEGER, ping INTEGER NOT NULL,
    changedAt INTEGER NOT NULL, changedBy TEXT NOT NULL, seenVersion INTEGER NOT NULL, nextDueAt INTEGER,
    pausedUntil INTEGER, error TEXT, PRIMARY KEY (vault, device, plan)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE commands (
    command INTEGER PRIMARY KEY AUTOINCREMENT, vault TEXT NOT NULL, device TEXT NOT NULL, kind TEXT NOT NULL, plan TEXT, run TEXT,
    untilMs INTEGER, state TEXT NOT NULL, createdAt INTEGER NOT NULL, expiresAt INTEGER NOT NULL, by TEXT NOT NULL, error TEXT
  ) STRICT;
  CREATE INDEX commands_by_device ON commands (vault, device, command);
  `,
];

/** How long it is remembered that a plan was deleted. */
const DELETED_MS = 90 * 86_400_000;

export type Change = PlanChange & { readonly by: "device" | "person"; readonly now: number };
type Key = { readonly vault: VaultId; readonly device: DeviceId; readonly plan: string };

export function devicePlans(database: Database, vault: VaultId, device: DeviceId): StoredPlan[] {
  return database
    .all<PlanSql>("SELECT * FROM plans WHERE vault = ? AND device = ? ORDER BY plan", vault, device)
    .map(toPlan);
}

/** Those that are not deleted. */
export function vaultPlans(database: Database, vault: VaultId): StoredPlan[] {
  return database
    .all<PlanSql>("SELECT * FROM plans WHERE vault = ? AND deleted = 0 ORDER BY device, plan", vault)
    .map(toPlan);
}

/** `isNew` is false for a change that was made before. Throws `plan_conflict`, `limit`. */
export function putPlan(database: Database, key: Key, change: Change): { plan: StoredPlan; isNew: boolean } {
  return database.transaction(() => {
    const known = find(database, key);
    const version = known?.version ?? 0;
    if (known !== undefined && !known.deleted && version === change.base + 1 && isSame(known, change)) {
      return { plan: known, isNew: false };
    }
    if (version !== change.base) throw new AppError("plan_conflict", { context: { version } });
    if (known === undefined) requireRoom(database, key);
    const { token, enabled, overdueAfterMs, ping, by, now } = change;
    database.run(
      `INSERT INTO plans (vault, device, plan, version, deleted, sealed, token, enabled, overdueAfterMs, ping, changedAt, changedBy,
         seenVersion)
       VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, 0)
       ON CONFLICT (vault, device, plan) DO UPDATE SET version = excluded.version, deleted = 0, sealed = excluded.sealed,
         token = excluded.token, enabled = excluded.enabled, overdueAfterMs = excluded.overdueAfterMs, ping = excluded.ping,
         changedAt = excluded.changedAt, changedBy = excluded.changedBy`,
      key.vault,
      key.device,
      key.plan,
      version + 1,
      change.sealed,
      token,
      enabled ? 1 : 0,
      overdueAfterMs,
      ping ? 1 : 0,
      now,
      by,
    );
    return { plan: find(database, key)!, isNew: true };
  });
}

/** Throws `not_found`, `plan_conflict`. */
export function dropPlan(
  database: Database,
  key: Key,
  change: Pick<Change, "base" | "by" | "now">,
): { plan: StoredPlan; isNew: boolean } {
  return database.transaction(() => {
    const known = find(database, key);
    if (known === undefined) throw new AppError("not_found", { context: { what: `The plan ${key.plan}` } });
    if (known.deleted && known.version === change.base + 1) return { plan: known, isNew: false };
    if (known.version !== change.base) throw new AppError("plan_conflict", { context: { version: known.version } });
    database.run(
      `UPDATE plans SET version = version + 1, deleted = 1, sealed = x'', enabled = 0, changedAt = ?, changedBy = ?,
         nextDueAt = NULL, pausedUntil = NULL, error = NULL WHERE vault = ? AND device = ? AND plan = ?`,
      change.now,
      change.by,
      key.vault,
      key.device,
      key.plan,
    );
    return { plan: find(database, key)!, isNew: true };
  });
}

/** What is said of plans that are not there, or of versions that never were, is not kept. */
export function savePlanStatus(
  database: Database,
  vault: VaultId,
  device: DeviceId,
  statuses: readonly PlanStatus[],
): void {
  database.softTransaction(() => {
    for (const { plan, version, nextDueAt, pausedUntil, error } of statuses) {
      database.run(
        `UPDATE plans SET seenVersion = ?, nextDueAt = ?, pausedUntil = ?, error = ?
         WHERE vault = ? AND device = ? AND plan = ? AND deleted = 0 AND version >= ?`,
        version,
        nextDueAt,
        pausedUntil,
        error,
        vault,
        device,
        plan,
        version,
      );
    }
  });
}

export function trimPlans(database: Database, now: number): void {
  database.run("DELETE FROM plans WHERE deleted = 1 AND changedAt < ?", now - DELETED_MS);
}

function find(database: Database, { vault, device, plan }: Key): StoredPlan | undefined {
  const sql = "SELECT * FROM plans WHERE vault = ? AND device = ? AND plan = ?";
  const row = database.get<PlanSql>(sql, vault, device, plan);
  return row && toPlan(row);
}

function isSame(known: StoredPlan, change: Change): boolean {
  return (
    Buffer.compare(known.sealed, change.sealed) === 0 &&
    known.token === change.token &&
    known.enabled === change.enabled &&
    known.overdueAfterMs === change.overdueAfterMs &&
    known.ping === change.ping &&
    known.changedBy === change.by
  );
}

/** Deleted ones count too, so that nobody fills a disk with them; the oldest of those give way. */
function requireRoom(database: Database, { vault, device }: Key): void {
  const { plansPerDevice } = PLAN_LIMITS;
  const rows = database.all<{ plan: string; deleted: number }>(
    "SELECT plan, deleted FROM plans WHERE vault = ? AND device = ? ORDER BY deleted DESC, changedAt",
    vault,
    device,
  );
  if (rows.length < plansPerDevice) return;
  const oldest = rows[0]!;
  if (oldest.deleted === 0) {
    throw new AppError("limit", { context: { what: "The plans of a device", limit: String(plansPerDevice) } });
  }
  database.run("DELETE FROM plans WHERE vault = ? AND device = ? AND plan = ?", vault, device, oldest.plan);
}

type PlanSql = {
  vault: VaultId;
  device: DeviceId;
  plan: string;
  version: number;
  deleted: number;
  sealed: Uint8Array;
  token: NameToken | null;
  enabled: number;
  overdueAfterMs: number | null;
  ping: number;
  changedAt: number;
  changedBy: "device" | "person";
  seenVersion: number;
  nextDueAt: number | null;
  pausedUntil: number | null;
  error: string | null;
};

function toPlan({ vault: _, deleted, sealed, enabled, ping, ...row }: PlanSql): StoredPlan {
  return {
    ...row,
    deleted: deleted !== 0,
    sealed: new Uint8Array(sealed),
    enabled: enabled !== 0,
    ping: ping !== 0,
  };
}
