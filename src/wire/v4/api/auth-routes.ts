// Signing in with a page: the few of better-auth's calls that are open, under their usual addresses, with bodies that hold nothing
// else. Answers carry no token: what signs a page in is its cookie alone.

import { z } from "zod";
import { whole } from "./coding.ts";
import { routes } from "./route.ts";

const MOST_BYTES = 4096;
const password = z.string().min(1).max(256);
const code = z.string().regex(/^\d{6}$/, "not six digits");

const ask = <Schema extends z.ZodType>(schema: Schema) => ({ kind: "json", schema, maxBytes: MOST_BYTES }) as const;
const json = <Schema extends z.ZodType>(schema: Schema) => ({ kind: "json", schema }) as const;
const codes = z.array(z.string());
const ANYONE = ["anyone"] as const;
const PERSON = ["person"] as const;
const empty = { kind: "empty" } as const;

export const AUTH_ROUTES = routes({
  signIn: {
    method: "POST",
    path: "/api/auth/sign-in/email",
    who: ANYONE,
    summary: "Signs a page in. With a second factor, the cookie is good for giving that only.",
    body: ask(z.strictObject({ email: z.string().max(254), password, rememberMe: z.boolean().optional() })),
    answer: json(z.strictObject({ needsFactor: z.boolean() })),
  },
  verifyTotp: {
    method: "POST",
    path: "/api/auth/two-factor/verify-totp",
    who: ANYONE,
    summary: "The second step of signing in, or of setting an authenticator up.",
    body: ask(z.strictObject({ code })),
    answer: empty,
  },
  verifyRecoveryCode: {
    method: "POST",
    path: "/api/auth/two-factor/verify-backup-code",
    who: ANYONE,
    summary: "The second step of signing in without the authenticator: a recovery code, each good once.",
    body: ask(z.strictObject({ code: z.string().min(1).max(32) })),
    answer: empty,
  },
  signOut: {
    method: "POST",
    path: "/api/auth/sign-out",
    who: ANYONE,
    summary: "Signs this page out.",
    answer: empty,
  },
  session: {
    method: "GET",
    path: "/api/auth/get-session",
    who: ANYONE,
    summary: "Whether this page is signed in, and until when; renews the sign-in once a day.",
    answer: json(z.strictObject({ expiresAt: whole.nullable() })),
  },
  changePassword: {
    method: "POST",
    path: "/api/auth/change-password",
    who: PERSON,
    summary: "Changes one's password, and signs out everywhere else.",
    body: ask(z.strictObject({ currentPassword: password, newPassword: password })),
    answer: empty,
  },
  enableFactor: {
    method: "POST",
    path: "/api/auth/two-factor/enable",
    who: PERSON,
    summary: "Begins to set an authenticator up: its address for a QR code, and recovery codes, shown this once.",
    body: ask(z.strictObject({ password })),
    answer: json(z.strictObject({ totpURI: z.string(), recoveryCodes: codes })),
  },
  disableFactor: {
    method: "POST",
    path: "/api/auth/two-factor/disable",
    who: PERSON,
    summary: "Goes without a second factor from now on.",
    isGuarded: true,
    body: ask(z.strictObject({ password })),
    answer: empty,
  },
  recoveryCodes: {
    method: "POST",
    path: "/api/auth/two-factor/generate-backup-codes",
    who: PERSON,
    summary: "New recovery codes, shown this once; the ones before end.",
    isGuarded: true,
    body: ask(z.strictObject({ password })),
    answer: json(z.strictObject({ recoveryCodes: codes })),
  },
});
