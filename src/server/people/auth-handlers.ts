// Signing in with a page. Each call is checked and limited here, then handed to better-auth as a request that we have made
// ourselves: of what the caller sent, only the checked body, its cookies and the name of its program go along. Of what comes back,
// only the cookies and the fields of our own schemas do.

import { AppError } from "../../core/errors.ts";
import type { Database } from "../../vault/database.ts";
import type { AUTH_ROUTES } from "../../wire/v4/api/auth-routes.ts";
import type { Call, Handlers } from "../http/call.ts";
import type { AttemptLimits } from "../limits/attempts.ts";
import type { AuditNotes } from "./audit-notes.ts";
import { ADDRESS_HEADER, type Auth } from "./auth.ts";
import { credentialOf } from "./authenticate.ts";
import type { SecondFactors } from "./factor.ts";
import { type Passwords, requireFit } from "./passwords.ts";
import type { PeopleStore } from "./store.ts";

export type AuthParts = {
  readonly auth: Auth;
  readonly database: Database;
  readonly store: PeopleStore;
  readonly passwords: Passwords;
  readonly factors: SecondFactors;
  readonly limits: AttemptLimits;
  readonly notes: AuditNotes;
  readonly origins: ReadonlySet<string>;
};

export type AnyCall = Pick<Call, "request" | "address" | "principal" | "reply">;
type Sent = { readonly method: "GET" | "POST"; readonly path: string; readonly body?: object };

export function authHandlers(parts: AuthParts): Handlers<typeof AUTH_ROUTES> {
  const { limits, passwords, store, factors, notes } = parts;

  const withPassword = (call: AnyCall, work: () => Promise<Response>) => {
    const person = store.known(personOf(call).id);
    const by = { address: call.address, subject: person.email };
    return limits.guard("password", by, () => passwords.gate.run(work));
  };

  const withCode = (call: AnyCall, code: string, path: string) => {
    const person = factorHolder(parts, call);
    if (person === undefined) throw new AppError("token_expired");
    notes.add(call.request, { person });
    return limits.guard("factor", { address: call.address, subject: person }, async () => {
      factors.requireUnspent(person, code);
      const response = await send(parts, call, { method: "POST", path, body: { code } });
      factors.spend(person, code);
      return response;
    });
  };

  return {
    async signIn(call) {
      requireOwnPage(parts, call);
      const { email, password, rememberMe } = call.body;
      const account = store.byEmail(email);
      notes.add(call.request, { person: account?.id });
      const sent: Sent = { method: "POST", path: "/sign-in/email", body: { email, password, rememberMe } };
      const response = await limits.guard("password", { address: call.address, subject: email }, () =>
        passwords.gate.run(() => send(parts, call, sent)),
      );
      const answer = (await response.json()) as { twoFactorRedirect?: boolean };
      takeCookies(call, response);
      return { needsFactor: answer.twoFactorRedirect === true };
    },
    async verifyTotp(call) {
      requireOwnPage(parts, call);
      takeCookies(call, await withCode(call, call.body.code, "/two-factor/verify-totp"));
      return undefined;
    },
    async verifyRecoveryCode(call) {
      requireOwnPage(parts, call);
      takeCookies(call, await withCode(call, call.body.code, "/two-factor/verify-backup-code"));
      return undefined;
    },
    async signOut(call) {
      requireOwnPage(parts, call);
      takeCookies(call, await send(parts, call, { method: "POST", path: "/sign-out", body: {} }));
      return undefined;
    },
    async session(call) {
      const response = await send(parts, call, { method: "GET", path: "/get-session" });
      const answer = (await response.json()) as { session: { expiresAt: string } } | null;
      takeCookies(call, response);
      return { expiresAt: answer === null ? null : Date.parse(answer.session.expiresAt) };
    },
    async changePassword(call) {
      requirePage(call);
      const { currentPassword, newPassword } = call.body;
      requireFit(newPassword, store.known(personOf(call).id).email);
      const body = { currentPassword, newPassword, revokeOtherSessions: true };
      takeCookies(
        call,
        await withPassword(call, () => send(parts, call, { method: "POST", path: "/change-password", body })),
      );
      return undefined;
    },
    async enableFactor(call) {
      requirePage(call);
      const body = { password: call.body.password, method: "totp" };
      const response = await withPassword(call, () =>
        send(parts, call, { method: "POST", path: "/two-factor/enable", body }),
      );
      const { totpURI, backupCodes } = (await response.json()) as { totpURI: string; backupCodes: string[] };
      return { totpURI, recoveryCodes: backupCodes };
    },
    async disableFactor(call) {
      requirePage(call);
      const body = { password: call.body.password };
      takeCookies(
        call,
        await withPassword(call, () => send(parts, call, { method: "POST", path: "/two-factor/disable", body })),
      );
      return undefined;
    },
    async recoveryCodes(call) {
      requirePage(call);
      const body = { password: call.body.password };
      const response = await withPassword(call, () =>
        send(parts, call, { method: "POST", path: "/two-factor/generate-backup-codes", body }),
      );
      const { backupCodes } = (await response.json()) as { backupCodes: string[] };
      return { recoveryCodes: backupCodes };
    },
  };
}

/** Hands a call to better-auth. Throws what it refuses as our errors. */
async function send(parts: AuthParts, call: AnyCall, { method, path, body }: Sent): Promise<Response> {
  const { headers } = call.request;
  const origin = ownOrigin(parts, headers.origin);
  const request = new Request(`${origin}/api/auth${path}`, {
    method,
    headers: {
      origin,
      "content-type": "application/json",
      "user-agent": (headers["user-agent"] ?? "").slice(0, 200),
      [ADDRESS_HEADER]: call.address,
      ...(headers.cookie === undefined ? {} : { cookie: headers.cookie }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const response = await parts.auth.handler(request);
  if (response.ok) return response;
  const said = (await response.json().catch(() => ({}))) as { code?: string };
  throw refusal(response.status, said.code ?? "");
}

const REFUSALS: Readonly<Record<string, () => AppError>> = {
  INVALID_EMAIL_OR_PASSWORD: () => new AppError("login_failed"),
  INVALID_EMAIL: () => new AppError("login_failed"),
  INVALID_PASSWORD: () => new AppError("login_failed"),
  CREDENTIAL_ACCOUNT_NOT_FOUND: () => new AppError("login_failed"),
  PASSWORD_TOO_SHORT: () => new AppError("password_unfit", { context: { detail: "it is too short" } }),
  PASSWORD_TOO_LONG: () => new AppError("password_unfit", { context: { detail: "it is too long" } }),
  INVALID_CODE: () => new AppError("factor_wrong"),
  INVALID_BACKUP_CODE: () => new AppError("factor_wrong"),
  INVALID_TWO_FACTOR_COOKIE: () => new AppError("token_expired"),
  TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE: () => new AppError("token_expired"),
};

function refusal(status: number, code: string): AppError {
  const known = Object.hasOwn(REFUSALS, code) ? REFUSALS[code] : undefined;
  if (known !== undefined) return known();
  if (status === 401) return new AppError("login_failed");
  if (status === 429) return new AppError("too_many_requests", { context: { retryAfter: 5 } });
  const detail = code.toLowerCase().replaceAll("_", " ");
  if (status >= 500) return new AppError("internal", { context: { detail: `accounts: ${detail}` } });
  return new AppError("request_invalid", { context: { detail } });
}

export function takeCookies(call: AnyCall, response: Response): void {
  const cookies = cookiesOf(response);
  if (cookies.length > 0) call.reply.header("Set-Cookie", cookies);
}

export function cookiesOf(response: Response): string[] {
  return response.headers.getSetCookie();
}

/** Nobody is signed in, or out, by a page of another site. A program that is no browser sends no Origin. Throws `forbidden`. */
function requireOwnPage({ origins }: AuthParts, { request }: AnyCall): void {
  const { origin } = request.headers;
  if (origin === undefined || origins.has(origin)) return;
  throw new AppError("forbidden", { context: { caller: "a page of another site", needed: "a page of this server" } });
}

/** What belongs to a sign-in is not done with an API key. Throws `forbidden`. */
export function requirePage({ principal }: AnyCall): void {
  if (principal.kind === "person" && principal.via === "cookie") return;
  throw new AppError("forbidden", { context: { caller: "an API key", needed: "a sign-in with the page" } });
}

export function personOf({ principal }: AnyCall): { id: string } {
  if (principal.kind === "person") return principal;
  throw new AppError("forbidden", { context: { caller: "this caller", needed: "a person's account" } });
}

function ownOrigin({ origins }: AuthParts, origin: string | undefined): string {
  if (origin !== undefined && origins.has(origin)) return origin;
  return origins.values().next().value ?? "https://localhost";
}

/** Whose code is awaited: who is signed in, or who has given the password and holds the cookie of that. */
function factorHolder({ database }: AuthParts, { principal, request }: AnyCall): string | undefined {
  if (principal.kind === "person" && credentialOf(principal).kind === "cookie") return principal.id;
  const cookie = /(?:^|;\s*)(?:__Secure-)?cyberbackup\.two_factor=([^;]+)/.exec(request.headers.cookie ?? "")?.[1];
  if (cookie === undefined) return undefined;
  // Unsigned reading: this only says whose attempts are counted. better-auth checks the signature before anything happens.
  const identifier = cookie.split(".")[0]!.slice(0, 64);
  const sql = "SELECT value FROM person_verification WHERE identifier = ? AND identifier LIKE '2fa-%'";
  return database.get<{ value: string }>(sql, identifier)?.value;
}
