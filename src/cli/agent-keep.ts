// A plan's retention in a vault of this machine: what it does not keep goes to the trash, signed by the device. Only snapshots of this device and
// plan are looked at; pins hold.

import type { NameToken } from "../core/ids.ts";
import { isEmptyPolicy, planRetention, type RetentionPolicy } from "../vault/retention.ts";
import type { Plan } from "../wire/v4/plan-body.ts";
import type { SnapshotRow } from "../wire/v4/vault-port.ts";
import { askVault } from "./ask-vault.ts";
import type { OpenedVault } from "./open-vault.ts";

const DAY_MS = 86_400_000;

export async function applyKeep(
  opened: OpenedVault,
  keep: NonNullable<Plan["keep"]>,
  { plan, now, timeZone }: { readonly plan: NameToken; readonly now: number; readonly timeZone: string },
): Promise<void> {
  const { device } = await opened.device();
  const own = (await opened.vault.snapshots()).filter((row) => row.device === device && row.plan === plan);
  for (const { id } of toRemove(own, keep, now, timeZone)) await askVault(opened, "remove", { snapshot: id });
}

/** A policy without any rule keeps all. */
export function toRemove<Row extends Omit<SnapshotRow, "addedBytes" | "trashedAt">>(
  rows: readonly Row[],
  { withinDays = 0, ...rules }: NonNullable<Plan["keep"]>,
  now: number,
  timeZone: string,
): Row[] {
  const given = Object.fromEntries(Object.entries(rules).filter(([, value]) => value !== undefined));
  const policy: RetentionPolicy = { ...given, withinMs: withinDays * DAY_MS };
  if (isEmptyPolicy(policy)) return [];
  const live = rows.filter(({ state }) => state === "live");
  return planRetention(live, policy, now, timeZone)
    .filter(({ reasons }) => reasons.length === 0)
    .map(({ snapshot }) => snapshot);
}
