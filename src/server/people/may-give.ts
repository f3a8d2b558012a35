// Nobody gives away more than they have.

import { AppError } from "../../core/errors.ts";
import { hasRole, type Role } from "../http/principal.ts";

/** Throws `forbidden`. */
export function requireMayGive(own: Role | undefined, given: Role): void {
  if (hasRole(own, given)) return;
  throw new AppError("forbidden", { context: { caller: "this account", needed: `the role ${given} to give it` } });
}
