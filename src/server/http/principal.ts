// Who a request comes from, once it has proven it. Roles are those of docs/protocol-v4.md, Who calls.

import type { DeviceId, VaultId } from "../../core/ids.ts";

export type Role = "viewer" | "operator" | "owner";

export type Person = {
  readonly kind: "person";
  readonly id: string;
  readonly name: string;
  /** For all vaults. */
  readonly role: Role | undefined;
  /** For single vaults; the greater of both counts. */
  readonly grants: ReadonlyMap<VaultId, Role>;
  readonly hasFactor: boolean;
  /** When the second factor was last given. */
  readonly factorAt: number | undefined;
  readonly via: "cookie" | "key";
};

export type Principal =
  | { readonly kind: "nobody" }
  | { readonly kind: "device"; readonly vault: VaultId; readonly device: DeviceId }
  | Person
  /** This machine's socket: acts as an owner. */
  | { readonly kind: "machine" };

const RANKS: Readonly<Record<Role, number>> = { viewer: 1, operator: 2, owner: 3 };

/** What a principal may do in a vault, or in the whole server when none is given. */
export function roleOf(principal: Principal, vault?: VaultId): Role | undefined {
  if (principal.kind === "machine") return "owner";
  if (principal.kind !== "person") return undefined;
  const granted = vault === undefined ? undefined : principal.grants.get(vault);
  return granted !== undefined && rank(granted) > rank(principal.role) ? granted : principal.role;
}

export function hasRole(role: Role | undefined, least: Role): boolean {
  return rank(role) >= RANKS[least];
}

function rank(role: Role | undefined): number {
  return role === undefined ? 0 : RANKS[role];
}
