// Who may call a route (docs/protocol-v4.md, Who calls). Whoever may not look at a vault is not told whether it is there.

import type { IncomingMessage } from "node:http";
import { LIMITS } from "../../core/config-schema.ts";
import { AppError } from "../../core/errors.ts";
import type { VaultId } from "../../core/ids.ts";
import type { Caller, Route } from "../../wire/v4/api/route.ts";
import { hasRole, type Principal, type Role, roleOf } from "./principal.ts";

const FACTOR_IS_FRESH_MS = LIMITS.secondFactorMinutes.value * 60_000;
const PEOPLE = ["viewer", "operator", "owner"] as const satisfies readonly Role[];

/** `vault` is the one that the path names, if there is one. Throws `login_failed`, `forbidden`, `second_factor_needed`. */
export function checkAccess(route: Route, principal: Principal, vault: VaultId | undefined, now: number): void {
  const { who } = route;
  if (who.includes("anyone")) return;
  if (principal.kind === "nobody") throw new AppError("login_failed");
  if (principal.kind === "device") {
    const isOwnVault = !route.path.includes("{vault}") || vault === principal.vault;
    if (who.includes("device") && isOwnVault) return;
    throw new AppError("forbidden", {
      context: { caller: "a device", needed: isOwnVault ? words(who) : "another vault's login" },
    });
  }
  const least = PEOPLE.find((role) => who.includes(role));
  const isLet = who.includes("person") || (least !== undefined && hasRole(roleOf(principal, vault), least));
  if (!isLet) {
    throw new AppError("forbidden", { context: { caller: "this account", needed: words(who) } });
  }
  if (route.isGuarded) requireFreshFactor(principal, now);
}

/** For routes of which only some requests are guarded. Throws `second_factor_needed`. */
export function requireFreshFactor(principal: Principal, now: number): void {
  if (principal.kind !== "person" || !principal.hasFactor) return;
  const { factorAt } = principal;
  if (factorAt === undefined || now - factorAt > FACTOR_IS_FRESH_MS) throw new AppError("second_factor_needed");
}

/** A page of another site cannot send cookies (SameSite), and this makes sure. Throws `forbidden`. */
export function checkOrigin(request: IncomingMessage, principal: Principal, origins: ReadonlySet<string>): void {
  if (principal.kind !== "person" || principal.via !== "cookie" || request.method === "GET") return;
  const { origin } = request.headers;
  if (origin !== undefined && origins.has(origin)) return;
  throw new AppError("forbidden", { context: { caller: "a page of another site", needed: "a page of this server" } });
}

function words(who: readonly Caller[]): string {
  return who
    .map((caller) =>
      caller === "device" ? "a device's login" : caller === "person" ? "an account" : `the role ${caller}`,
    )
    .join(" or ");
}
