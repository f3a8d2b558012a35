// Plans as they travel: sealed with the vault's `metaKey`, with beside them the little that a server may know (docs/agent.md, At a server). Devices
// and unlocked browsers make them alike. Nothing here decides whether a plan is followed.

import type { RandomSource } from "../core/clock.ts";
import type { DeviceId, VaultId } from "../core/ids.ts";
import type { MacKey } from "../crypto/primitives.ts";
import { planToken } from "../crypto/tokens.ts";
import type { PlanChange } from "../wire/v4/api/plan-routes.ts";
import { type Plan, readPlan } from "../wire/v4/plan-body.ts";
import { META_PLAN, openMeta, sealMeta } from "./sealed-meta.ts";

/** Whose plan, which one, and which of its versions. */
export type PlanPlace = {
  readonly vault: VaultId;
  readonly device: DeviceId;
  readonly id: string;
  readonly version: number;
};

const HOUR_MS = 3_600_000;

/** Throws `limit`. */
export async function sealPlan(
  metaKey: MacKey,
  place: PlanPlace,
  plan: Plan,
  random: RandomSource,
): Promise<PlanChange["sealed"]> {
  // Fields that are not there must not travel as such.
  return sealMeta(metaKey, { kind: META_PLAN, ...place }, JSON.parse(JSON.stringify(plan)), random);
}

/** Throws `record_corrupt`, `vault_version`, `plan_invalid`. */
export async function openPlan(metaKey: MacKey, place: PlanPlace, sealed: Uint8Array): Promise<Plan> {
  return readPlan(await openMeta(metaKey, { kind: META_PLAN, ...place }, sealed));
}

/** What is told in clear beside a sealed plan. */
export function tellableOf(plan: Plan): Pick<PlanChange, "enabled" | "overdueAfterMs" | "ping"> {
  const { enabled, overdueAfterHours, ping } = plan;
  return { enabled, ping, overdueAfterMs: overdueAfterHours === undefined ? null : overdueAfterHours * HOUR_MS };
}

/** The change that makes `plan` the version after `base`; 0 for a new plan. */
export async function planChange(
  metaKey: MacKey,
  { base, ...place }: Omit<PlanPlace, "version"> & { readonly base: number },
  plan: Plan,
  random: RandomSource,
): Promise<PlanChange> {
  return {
    base,
    sealed: await sealPlan(metaKey, { ...place, version: base + 1 }, plan, random),
    token: await planToken(metaKey, plan.name),
    ...tellableOf(plan),
  };
}
