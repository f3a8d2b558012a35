// What people have set for a vault: what it keeps, for how long its trash can be undone, how much it may hold. Kept in server.db, since
// these are the server's promises, not the vault's.

import { LIMITS } from "../../core/config-schema.ts";
import { AppError } from "../../core/errors.ts";
import type { DeviceId, NameToken, VaultId } from "../../core/ids.ts";
import type { RetentionRules } from "../../vault/apply-retention.ts";
import type { Database } from "../../vault/database.ts";
import { isEmptyPolicy, type RetentionPolicy } from "../../vault/retention.ts";
import type { Policy, Quota, RetentionSettings, VaultSettings } from "../../wire/v4/api/job-routes.ts";
import type { Parts } from "../store-parts.ts";

const NO_LIMIT: Quota = { bytes: null, snapshots: null };

export class VaultSettingsStore {
  readonly #database: Database;
  readonly #timeZone: string;

  /** `timeZone`: of vaults that have none set. */
  constructor({ database, timeZone }: Parts<"database"> & { readonly timeZone: string }) {
    this.#database = database;
    this.#timeZone = timeZone;
  }

  get(vault: VaultId): VaultSettings {
    const row = this.#database.get<{ retention: string; trashDays: number; quota: string }>(
      "SELECT retention, trashDays, quota FROM vault_settings WHERE vault = ?",
      vault,
    );
    if (row === undefined) {
      const retention = { byDefault: null, byPlan: {}, timeZone: this.#timeZone };
      return { retention, trashDays: LIMITS.trashDays.value, quota: NO_LIMIT };
    }
    return {
      retention: JSON.parse(row.retention) as RetentionSettings,
      trashDays: row.trashDays,
      quota: JSON.parse(row.quota) as Quota,
    };
  }

  /** Throws `request_invalid`. */
  set(vault: VaultId, { retention, trashDays, quota }: VaultSettings): void {
    requireTimeZone(retention.timeZone);
    this.#database.run(
      "INSERT OR REPLACE INTO vault_settings (vault, retention, trashDays, quota) VALUES (?, ?, ?, ?)",
      vault,
      JSON.stringify(retention),
      trashDays,
      JSON.stringify(quota),
    );
  }

  deviceQuota(vault: VaultId, device: DeviceId): Quota {
    const sql = "SELECT quota FROM device_quotas WHERE vault = ? AND device = ?";
    const row = this.#database.get<{ quota: string }>(sql, vault, device);
    return row === undefined ? NO_LIMIT : (JSON.parse(row.quota) as Quota);
  }

  setDeviceQuota(vault: VaultId, device: DeviceId, quota: Quota): void {
    const sql = "INSERT OR REPLACE INTO device_quotas (vault, device, quota) VALUES (?, ?, ?)";
    this.#database.run(sql, vault, device, JSON.stringify(quota));
  }
}

/** As the vault wants them. */
export function rulesOf({ byDefault, byPlan, timeZone }: RetentionSettings): RetentionRules {
  return {
    byDefault: byDefault === null ? undefined : policyOf(byDefault),
    byPlan: new Map(Object.entries(byPlan).map(([plan, policy]) => [plan as NameToken, policyOf(policy)])),
    timeZone,
  };
}

/** True when something that `before` keeps may go under `after`: that asks for a fresh second factor. Rather once too often. */
export function keepsLess(before: VaultSettings, after: VaultSettings): boolean {
  if (after.trashDays < before.trashDays) return true;
  const plans = [...Object.keys(before.retention.byPlan), ...Object.keys(after.retention.byPlan), undefined];
  return plans.some((plan) => {
    const [old, now] = [effective(before.retention, plan), effective(after.retention, plan)];
    if (now === undefined) return false;
    return old === undefined || before.retention.timeZone !== after.retention.timeZone || isLess(old, now);
  });
}

/** undefined: everything is kept. */
function effective({ byDefault, byPlan }: RetentionSettings, plan: string | undefined): Policy | undefined {
  const policy = (plan === undefined ? undefined : byPlan[plan as NameToken]) ?? byDefault;
  return policy === null || isEmptyPolicy(policyOf(policy)) ? undefined : policy;
}

function isLess({ tags: oldTags = [], ...old }: Policy, { tags = [], ...now }: Policy): boolean {
  const rules = Object.keys(old) as (keyof typeof old)[];
  return rules.some((rule) => (now[rule] ?? 0) < (old[rule] ?? 0)) || oldTags.some((tag) => !tags.includes(tag));
}

function policyOf(policy: Policy): RetentionPolicy {
  return Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== undefined));
}

function requireTimeZone(timeZone: string): void {
  try {
    new Intl.DateTimeFormat("en", { timeZone });
  } catch (cause) {
    throw new AppError("request_invalid", { cause, context: { detail: `"${timeZone}" is no time zone.` } });
  }
}
