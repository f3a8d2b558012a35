// Which server a command means: the one that is named, or that of the vault.

import { parseVaultAddress } from "../client/vault-address.ts";
import type { Context } from "./context.ts";
import { usage } from "./parse-values.ts";

/** `https://host:port`. Throws `usage`. */
export function serverOrigin({ config }: Pick<Context, "config">, url: string | undefined): string {
  if (url !== undefined) {
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    if (parsed?.protocol === "https:" && !parsed.username && !parsed.password) return parsed.origin;
    throw usage("The server's address is none: give it as https://host:port.");
  }
  const place = config.vault ? parseVaultAddress(config.vault) : undefined;
  if (place?.kind === "server") return place.origin;
  throw usage("No server is named: give it as https://host:port.");
}
