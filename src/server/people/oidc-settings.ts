// Providers of OpenID Connect, from the settings. Judged when the server starts, without a connection; a secret is read here and goes nowhere but to its
// provider.

import { readFileSync } from "node:fs";
import type { Config } from "../../core/config-schema.ts";
import { AppError } from "../../core/errors.ts";
import type { Role } from "../http/principal.ts";

export type OidcProvider = {
  readonly id: string;
  /** What the page's button says. */
  readonly name: string;
  /** Without the slash at its end that some have. */
  readonly issuer: string;
  readonly clientId: string;
  /** Undefined for a client that has none (PKCE alone). */
  readonly clientSecret: string | undefined;
  /** Which role somebody gets who is no account here yet; null: nobody is taken in. */
  readonly newcomers: Role | null;
};

const WELL_KNOWN = "/.well-known/openid-configuration";

/** Throws `config_invalid`, `io`. */
export function oidcProviders({ oidc = [], oidcSecret }: Pick<Config, "oidc" | "oidcSecret">): OidcProvider[] {
  const ids = new Set(oidc.map(({ id }) => id));
  if (ids.size < oidc.length) invalid("oidc names two providers by one id.");
  const withoutFile = oidc.filter(({ clientSecretFile }) => clientSecretFile === undefined);
  if (oidcSecret !== undefined && withoutFile.length !== 1) {
    invalid("oidcSecret is for the one provider that has no clientSecretFile.");
  }
  return oidc.map(({ id, name, issuer, clientId, clientSecretFile, newcomers }) => ({
    id,
    name,
    issuer: issuerOf(id, issuer),
    clientId,
    clientSecret: clientSecretFile === undefined ? oidcSecret : secretIn(clientSecretFile),
    newcomers: newcomers ?? null,
  }));
}

/** HTTPS; plain HTTP for a provider on this machine. */
export function isSafeAddress(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.username !== "" || url.password !== "") return false;
  const isHere = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  return url.protocol === "https:" || (url.protocol === "http:" && isHere);
}

function issuerOf(id: string, text: string): string {
  const issuer = text.replace(WELL_KNOWN, "").replace(/\/$/, "");
  if (!isSafeAddress(issuer)) invalid(`oidc: the issuer of ${id} must be an https address.`);
  return issuer;
}

function secretIn(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new AppError("io", { cause, context: { path, detail: (cause as Error).message } });
  }
  const secret = text.split(/\r?\n/, 1)[0]!;
  if (secret === "") invalid("oidc: a clientSecretFile is empty.");
  return secret;
}

function invalid(detail: string): never {
  throw new AppError("config_invalid", { context: { detail } });
}
