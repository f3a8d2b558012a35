// Opens the vault that a run names, wherever it is. Only here does the command line know a vault from its ports.

import { resolve } from "node:path";
import { parseVaultAddress, type ServerVault } from "../client/vault-address.ts";
import { vaultAdmin } from "../vault/admin.ts";
import { openVault } from "../vault/open-vault.ts";
import type { VaultAdminPort } from "../wire/v4/admin-port.ts";
import type { VaultPort } from "../wire/v4/vault-port.ts";
import type { Context } from "./context.ts";
import { usage } from "./parse-values.ts";
import type { ServerAccess } from "./server-access.ts";

/** A run asks its index little that it has asked before, and shares its memory with the threads that read and seal. */
const INDEX_CACHE_KIB = 4000;

/** A folder has an absolute path. */
export type VaultPlace = { readonly kind: "folder"; readonly path: string } | ServerVault;

export type Connected = {
  readonly vault: VaultPort;
  readonly admin: VaultAdminPort;
  readonly place: VaultPlace;
  /** The server that has it. */
  readonly server: ServerAccess | undefined;
};

export type ConnectOptions = {
  /** Only for a process that seals what it stores: see VaultOptions. */
  readonly trustBlockHashes?: boolean;
  /** Only as a device: a person who has logged in is no use. */
  readonly asDevice?: boolean;
};

/** Where the vault is. Throws `usage` when none is named. */
export function vaultPlace({ config }: Pick<Context, "config">): VaultPlace {
  if (!config.vault)
    throw usage("No vault is named: give --vault, or set CYBERBACKUP_VAULT or `vault` in config.json.");
  const address = parseVaultAddress(config.vault);
  return address.kind === "folder" ? { kind: "folder", path: resolve(address.path) } : address;
}

/** Throws `vault_not_found` and what else opening meets. Close the vault in the end. */
export async function connect(context: Context, options: ConnectOptions = {}): Promise<Connected> {
  const place = vaultPlace(context);
  if (place.kind === "server") {
    const { connectServer } = await import("./connect-server.ts");
    return connectServer(context, place, options);
  }
  const { trustBlockHashes = false } = options;
  const vault = await openVault(place.path, {
    clock: context.host.clock,
    logger: context.logger,
    trustBlockHashes,
    indexCacheKiB: INDEX_CACHE_KIB,
  });
  return { vault, admin: vaultAdmin(vault), place, server: undefined };
}
