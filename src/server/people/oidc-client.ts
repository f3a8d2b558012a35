// One provider of OpenID Connect as this server speaks to it: authorization code flow with PKCE (OpenID Connect Core 1.0, section 3.1; RFC 7636), its
// endpoints from discovery, its ID tokens checked by jose against its keys. Follows no redirect, reads little, and takes ten seconds for each request. What a
// provider says is never logged: it may hold tokens.

import { createHash } from "node:crypto";
import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, jwtVerify } from "jose";
import { z } from "zod";
import type { Clock } from "../../core/clock.ts";
import { AppError, isAppError } from "../../core/errors.ts";
import { isSafeAddress, type OidcProvider } from "./oidc-settings.ts";
import type { Ticket } from "./oidc-ticket.ts";

/** Who somebody is at the provider. */
export type Identity = {
  /** As the provider spells itself. */
  readonly issuer: string;
  readonly subject: string;
  /** Only one that the provider says it has verified. */
  readonly email: string | undefined;
  readonly name: string | undefined;
};

/** Signed by a key of the provider's own: never `none`, nor by the client's secret. */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];
const TIMEOUT_MS = 10_000;
const MOST_BYTES = 512 * 1024;
const FRESH_MS = 60 * 60_000;
/** No sooner are keys asked for again because a token names another one. */
const KEYS_AGAIN_MS = 60_000;
const TOLERANCE_SECONDS = 60;

const address = z.string().refine(isSafeAddress, "not an https address");
const discovery = z.object({
  issuer: z.string(),
  authorization_endpoint: address,
  token_endpoint: address,
  jwks_uri: address,
  userinfo_endpoint: address.optional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).optional(),
});
type Discovery = z.output<typeof discovery>;
const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });
const tokens = z.object({ id_token: z.string(), access_token: z.string().optional() });
const userInfo = z.object({
  sub: z.string(),
  email: z.string().optional(),
  email_verified: z.union([z.boolean(), z.string()]).optional(),
  name: z.string().optional(),
});

type Kept<T> = { readonly at: number; readonly value: Promise<T> };
type Asking = { readonly method?: "POST"; readonly headers?: Record<string, string>; readonly body?: URLSearchParams };

export class OidcClient {
  readonly provider: OidcProvider;
  readonly #clock: Clock;
  #discovery: Kept<Discovery> | undefined;
  #keys: Kept<JSONWebKeySet> | undefined;

  constructor(provider: OidcProvider, clock: Clock) {
    this.provider = provider;
    this.#clock = clock;
  }

  /** Where the browser goes. Throws `sign_in_provider`. */
  async address({ state, nonce, verifier, origin }: Ticket): Promise<string> {
    const url = new URL((await this.#discovered()).authorization_endpoint);
    const asked = {
      response_type: "code",
      client_id: this.provider.clientId,
      redirect_uri: redirectUri(origin),
      scope: "openid email profile",
      state,
      nonce,
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
    };
    for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
    return url.href;
  }

  /** Who has come back with that code. Throws `login_failed` for a code that is none, `sign_in_provider`. */
  async identity(ticket: Ticket, code: string, iss: string | undefined): Promise<Identity> {
    const found = await this.#discovered();
    // RFC 9207: the answer of another provider is not for this one.
    if (iss !== undefined && iss !== found.issuer) throw new AppError("login_failed");
    const { id_token: idToken, access_token: accessToken } = await this.#exchange(found, ticket, code);
    const claims = await this.#checked(found, idToken, ticket);
    const subject = claims.sub!;
    const told = userInfo.safeParse(claims);
    let about = told.success ? told.data : undefined;
    if (about?.email === undefined && found.userinfo_endpoint !== undefined && accessToken !== undefined) {
      about = await this.#ask(found.userinfo_endpoint, userInfo, {
        headers: { authorization: `Bearer ${accessToken}` },
      });
      // OpenID Connect Core, section 5.3.2: it may be about somebody else otherwise.
      if (about.sub !== subject) throw this.#failed("its answers are about two people");
    }
    const isVerified = about?.email_verified === true || about?.email_verified === "true";
    return {
      issuer: found.issuer,
      subject,
      email: isVerified ? about?.email?.toLowerCase() : undefined,
      name: about?.name,
    };
  }

  async #exchange(found: Discovery, { verifier, origin }: Ticket, code: string): Promise<z.output<typeof tokens>> {
    const { clientId, clientSecret } = this.provider;
    const body = new URLSearchParams({
      grant_type: "authorization_code",
      code,
      redirect_uri: redirectUri(origin),
      code_verifier: verifier,
    });
    const headers: Record<string, string> = {};
    // RFC 6749, section 2.3.1. A provider that names no method takes the first.
    const methods = found.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
    if (clientSecret !== undefined && methods.includes("client_secret_basic")) {
      const pair = [clientId, clientSecret].map((part) => encodeURIComponent(part)).join(":");
      headers.authorization = `Basic ${Buffer.from(pair).toString("base64")}`;
    } else {
      body.set("client_id", clientId);
      if (clientSecret !== undefined) body.set("client_secret", clientSecret);
    }
    return this.#ask(found.token_endpoint, tokens, { method: "POST", headers, body });
  }

  /** OpenID Connect Core, section 3.1.3.7. */
  async #checked(found: Discovery, idToken: string, { nonce }: Ticket): Promise<JWTPayload> {
    const options = {
      issuer: found.issuer,
      audience: this.provider.clientId,
      algorithms: ALGORITHMS,
      currentDate: new Date(this.#clock.now()),
      clockTolerance: TOLERANCE_SECONDS,
      requiredClaims: ["sub", "iat", "exp", "nonce"],
    };
    const check = async (): Promise<JWTPayload> => {
      const { payload } = await jwtVerify(idToken, createLocalJWKSet(await this.#keySet(found)), options);
      return payload;
    };
    let claims: JWTPayload;
    try {
      claims = await check().catch((error: unknown) => {
        const isOther = (error as { code?: unknown }).code === "ERR_JWKS_NO_MATCHING_KEY";
        if (!isOther || !this.#forgetKeys()) throw error;
        return check();
      });
    } catch (error) {
      // Without its cause, which holds the token's claims.
      if (isAppError(error)) throw error;
      throw this.#failed("its ID token is not valid");
    }
    const isForUs = !Array.isArray(claims.aud) || claims.aud.length === 1 || claims.azp === this.provider.clientId;
    if (claims.nonce !== nonce || !isForUs) throw this.#failed("its ID token was made for something else");
    return claims;
  }

  #discovered(): Promise<Discovery> {
    const now = this.#clock.now();
    if (this.#discovery === undefined || now - this.#discovery.at > FRESH_MS) {
      const value = this.#discover();
      const kept = { at: now, value };
      this.#discovery = kept;
      // What went wrong is tried again by whoever comes next.
      value.catch(() => {
        if (this.#discovery === kept) this.#discovery = undefined;
      });
    }
    return this.#discovery.value;
  }

  async #discover(): Promise<Discovery> {
    const { issuer } = this.provider;
    const found = await this.#ask(`${issuer}/.well-known/openid-configuration`, discovery);
    if (found.issuer.replace(/\/$/, "") !== issuer) throw this.#failed("it calls itself by another issuer");
    const { authorization_endpoint, token_endpoint, jwks_uri, userinfo_endpoint = issuer } = found;
    const addresses = [authorization_endpoint, token_endpoint, jwks_uri, userinfo_endpoint];
    // One elsewhere has this server ask nothing of this machine's own services.
    const isElsewhere = issuer.startsWith("https:");
    if (isElsewhere && !addresses.every((each) => each.startsWith("https:"))) {
      throw this.#failed("it names addresses that are not https");
    }
    return found;
  }

  #keySet(found: Discovery): Promise<JSONWebKeySet> {
    const now = this.#clock.now();
    if (this.#keys === undefined || now - this.#keys.at > FRESH_MS) {
      const value = this.#ask(found.jwks_uri, keySet) as Promise<JSONWebKeySet>;
      const kept = { at: now, value };
      this.#keys = kept;
      value.catch(() => {
        if (this.#keys === kept) this.#keys = undefined;
      });
    }
    return this.#keys.value;
  }

  /** False when they are too new to be asked for again. */
  #forgetKeys(): boolean {
    if (this.#keys === undefined || this.#clock.now() - this.#keys.at < KEYS_AGAIN_MS) return false;
    this.#keys = undefined;
    return true;
  }

  async #ask<Schema extends z.ZodType>(url: string, schema: Schema, asking: Asking = {}): Promise<z.output<Schema>> {
    const { headers = {}, ...rest } = asking;
    let status: number;
    let text: string;
    try {
      const response = await fetch(url, {
        ...rest,
        headers: { accept: "application/json", "user-agent": "CyberBackup", ...headers },
        redirect: "error",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      status = response.status;
      text = await boundedText(response);
    } catch {
      throw this.#failed("it does not answer");
    }
    const content = tryJson(text);
    if (status === 400 && (content as { error?: unknown } | undefined)?.error === "invalid_grant") {
      throw new AppError("login_failed");
    }
    if (status !== 200) throw this.#failed(`it answers with status ${status}`);
    const judged = schema.safeParse(content);
    if (!judged.success) throw this.#failed("its answer is not as OpenID Connect has it");
    return judged.data;
  }

  #failed(detail: string): AppError {
    return new AppError("sign_in_provider", { context: { name: this.provider.name, detail } });
  }
}

/** The page itself: a code in its address is taken out of it by the page, and is worth nothing without the browser's cookie. */
function redirectUri(origin: string): string {
  return `${origin}/`;
}

async function boundedText(response: Response): Promise<string> {
  const slices: Uint8Array[] = [];
  let bytes = 0;
  for await (const slice of response.body ?? []) {
    bytes += slice.length;
    if (bytes > MOST_BYTES) throw new Error("too much");
    slices.push(slice);
  }
  return Buffer.concat(slices).toString("utf8");
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
