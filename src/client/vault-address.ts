// Where a vault is, as people write it: a folder (or `file:` URL), or a vault of a server as `https://host:port/NAME`.

import { fileURLToPath } from "node:url";
import { AppError } from "../core/errors.ts";

export type ServerVault = {
  readonly kind: "server";
  /** `https://host:port`, as URLs spell it. */
  readonly origin: string;
  /** Name or id of the vault there. */
  readonly name: string;
};

export type VaultAddress = { readonly kind: "folder"; readonly path: string } | ServerVault;

/** Throws `usage` for what is neither. */
export function parseVaultAddress(address: string): VaultAddress {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(address)?.[1]?.toLowerCase();
  if (scheme === undefined) return { kind: "folder", path: address };
  const url = URL.canParse(address) ? new URL(address) : refuse();
  if (scheme === "file" && url.host === "") return { kind: "folder", path: fileURLToPath(address) };
  if (scheme !== "https" || url.username || url.password || url.search || url.hash) return refuse();
  const name = tryDecode(url.pathname.replace(/^\/|\/$/g, ""));
  if (!name || name.includes("/")) return refuse();
  return { kind: "server", origin: url.origin, name };
}

/** The address as people write it. */
export function vaultAddressText(address: VaultAddress): string {
  return address.kind === "folder" ? address.path : `${address.origin}/${encodeURIComponent(address.name)}`;
}

function tryDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function refuse(): never {
  const detail = "The vault's address is neither a folder nor https://host:port/NAME.";
  throw new AppError("usage", { context: { detail } });
}
