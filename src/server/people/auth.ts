// better-auth as this server uses it: e-mail and password (scrypt), TOTP with recovery codes, API keys, sessions; nothing else of it. It
// keeps its rows in server.db, in tables with our names (schema.ts), sends nothing anywhere, and reads nothing from the environment.
// What it must not do by itself: take addresses from headers, limit attempts (limits/ does), sign anybody up.

import { apiKey } from "@better-auth/api-key";
import { type BetterAuthOptions, betterAuth } from "better-auth";
import { twoFactor } from "better-auth/plugins";
import type { Clock, RandomSource } from "../../core/clock.ts";
import { LIMITS } from "../../core/config-schema.ts";
import type { Logger } from "../../core/log.ts";
import type { Database } from "../../vault/database.ts";
import type { PasswordHashing } from "../kit.ts";
import { BY_PASSKEY_PATH, sessionByPasskey } from "./session-by-passkey.ts";
import { sessionByProvider } from "./session-by-provider.ts";
import { dialectOf } from "./sql-dialect.ts";

export const AUTH_PATH = "/api/auth";
/** Set by us on what is handed to better-auth, after whatever a caller sent under that name is gone. */
export const ADDRESS_HEADER = "x-cyberbackup-address";
export const KEY_PREFIX = "cb_";

export type AuthSettings = {
  readonly database: Database;
  readonly secret: string;
  /** False only for plain HTTP on this machine: cookies then lack `Secure`. */
  readonly isSecure: boolean;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly log: Logger;
  readonly passwordHashing?: PasswordHashing | undefined;
};

export type Auth = ReturnType<typeof makeAuth>;

/** Settings of the library's reporting that win over its options. */
const REPORTING = ["BETTER_AUTH_TELEMETRY", "BETTER_AUTH_TELEMETRY_ENDPOINT", "BETTER_AUTH_TELEMETRY_DEBUG"];

export function makeAuth(settings: AuthSettings) {
  for (const name of REPORTING) delete process.env[name];
  return betterAuth(authOptions(settings));
}

export function authOptions({ database, secret, isSecure, clock, random, log, passwordHashing }: AuthSettings) {
  return {
    appName: "CyberBackup",
    basePath: AUTH_PATH,
    // Only a name for requests that have none: origins.ts has judged each request before it comes here.
    baseURL: "https://localhost",
    trustedOrigins: (request?: Request) => (request === undefined ? [] : [new URL(request.url).origin]),
    // `secrets` rather than `secret`: the latter gives way to variables of the environment.
    secrets: [{ version: 1, value: secret }],
    database: { dialect: dialectOf(database), type: "sqlite", transaction: false },
    user: {
      modelName: "person",
      additionalFields: { role: { type: "string", required: false, input: false, returned: false } },
    },
    session: {
      modelName: "person_session",
      expiresIn: LIMITS.signInDays.value * 24 * 60 * 60,
      additionalFields: { factorAt: { type: "number", required: false, input: false, bigint: true, returned: false } },
    },
    account: { modelName: "person_account" },
    verification: { modelName: "person_verification" },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: LIMITS.passwordLength.value,
      maxPasswordLength: 256,
      ...(passwordHashing === undefined ? {} : { password: passwordHashing }),
    },
    plugins: [
      twoFactor({
        issuer: "CyberBackup",
        twoFactorTable: "person_factor",
        accountLockout: { enabled: false },
        backupCodeOptions: { storeBackupCodes: "encrypted" },
      }),
      sessionByPasskey(),
      sessionByProvider(() => Buffer.from(random.bytes(16)).toString("hex")),
      apiKey(
        {
          defaultPrefix: KEY_PREFIX,
          maximumNameLength: 100,
          rateLimit: { enabled: false },
          keyExpiration: { maxExpiresIn: 3650 },
          startingCharactersConfig: { charactersLength: 8 },
        },
        { schema: { apikey: { modelName: "person_key" } } },
      ),
    ],
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    experimental: { instrumentation: { enabled: false } },
    advanced: {
      useSecureCookies: isSecure,
      cookiePrefix: "cyberbackup",
      defaultCookieAttributes: { httpOnly: true, sameSite: "strict", secure: isSecure, path: "/" },
      disableCSRFCheck: false,
      disableOriginCheck: false,
      ipAddress: { ipAddressHeaders: [ADDRESS_HEADER], ipv6Subnet: 128 },
      trustedProxyHeaders: false,
    },
    databaseHooks: {
      session: {
        create: {
          // A code given at sign-in is a fresh second factor, and so is a passkey.
          before: async (session, context) => {
            const path = context?.path ?? "";
            const isByFactor = path.startsWith("/two-factor/verify-") || path === BY_PASSKEY_PATH;
            return { data: { ...session, factorAt: isByFactor ? clock.now() : null } };
          },
        },
      },
    },
    logger: {
      disableColors: true,
      level: "warn",
      // Its messages only: what it would add to them may hold whatever a caller sent.
      log: (level, message) => (level === "error" ? log.error : log.warn)(`accounts: ${message}`),
    },
  } satisfies BetterAuthOptions;
}
