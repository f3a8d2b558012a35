// Which plan a command means: by its name, in the vault that is named, or in the only one that has it.

import type { PlanStore, VaultPlace } from "../client/agent/plan-files.ts";
import { vaultAddressText } from "../client/vault-address.ts";
import { AppError } from "../core/errors.ts";
import type { VaultId } from "../core/ids.ts";
import { vaultPlace } from "./connect.ts";
import type { Context } from "./context.ts";
import { usage } from "./parse-values.ts";
import { shownText } from "./shown-path.ts";

export type FoundVault = { readonly vault: VaultId; readonly place: VaultPlace };
export type FoundPlan = FoundVault & { readonly name: string };

/** Vaults with plans: the named one, else all. */
export async function planVaults(context: Context, plans: PlanStore): Promise<FoundVault[]> {
  const wanted = context.config.vault === undefined ? undefined : vaultAddressText(vaultPlace(context));
  const found: FoundVault[] = [];
  for (const vault of await plans.vaults()) {
    const place = await plans.place(vault);
    if (place && (wanted === undefined || place.vault === wanted)) found.push({ vault, place });
  }
  return found;
}

/** Throws `plan_unknown`, and `usage` when several vaults have it. A file with a mistake counts. */
export async function findPlan(context: Context, plans: PlanStore, name: string): Promise<FoundPlan> {
  const found: FoundPlan[] = [];
  for (const { vault, place } of await planVaults(context, plans)) {
    const listed = await plans.list(vault);
    if (listed.some((each) => each.name === name)) found.push({ vault, place, name });
  }
  const [only, ...others] = found;
  if (!only) throw new AppError("plan_unknown", { context: { name: shownText(name) } });
  if (others.length > 0) throw usage(`Several vaults have a plan ${shownText(name)}: say which with --vault.`);
  return only;
}
