// Where the agent has something to hear: a vault of a server of which this machine is a device has a place among the plans even before its first
// plan, so that one which is made on the server's page finds its way here.

import type { PlanStore } from "../client/agent/plan-files.ts";
import type { Home } from "../client/home.ts";
import { vaultAddressText } from "../client/vault-address.ts";
import { isAppError } from "../core/errors.ts";
import type { VaultId } from "../core/ids.ts";

/** Places that are there stay as they are, even when they cannot be read. */
export async function placeServedVaults(home: Home, plans: PlanStore): Promise<void> {
  const enrolled = new Set(await home.vaults());
  for (const { origin, vaults } of await home.servers()) {
    for (const [name, vault] of Object.entries(vaults)) {
      if (!enrolled.has(vault) || (await hasPlace(plans, vault))) continue;
      await plans.savePlace(vault, {
        vault: vaultAddressText({ kind: "server", origin, name }),
        remotePrograms: "refuse",
      });
    }
  }
}

async function hasPlace(plans: PlanStore, vault: VaultId): Promise<boolean> {
  try {
    return (await plans.place(vault)) !== undefined;
  } catch (error) {
    if (isAppError(error, "plan_invalid")) return true;
    throw error;
  }
}
