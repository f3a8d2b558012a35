// Which vaults a person means and may look at, for routes that name none in their path. A vault that a person may not see is not there.

import { AppError } from "../core/errors.ts";
import { hasRole, type Principal, type Role, roleOf } from "./http/principal.ts";
import type { ServerKit } from "./kit.ts";
import type { ServedVault } from "./vaults.ts";

/** All that the caller may view, or the one that is named. Throws `not_found`. */
export function visibleVaults(kit: Pick<ServerKit, "vaults">, principal: Principal, nameOrId?: string): ServedVault[] {
  const visible = (served: ServedVault): boolean => hasRole(roleOf(principal, served.id), "viewer");
  if (nameOrId === undefined) return kit.vaults.list().filter(visible);
  const served = kit.vaults.byNameOrId(nameOrId);
  if (served !== undefined && visible(served)) return [served];
  throw new AppError("not_found", { context: { what: `The vault ${nameOrId}` } });
}

/** Throws `forbidden`. */
export function requireRole(principal: Principal, vault: ServedVault["id"] | null, least: Role): void {
  if (hasRole(roleOf(principal, vault ?? undefined), least)) return;
  throw new AppError("forbidden", { context: { caller: "this account", needed: `the role ${least}` } });
}
