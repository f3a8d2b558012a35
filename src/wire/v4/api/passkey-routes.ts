// Passkeys by which people sign in (Web Authentication Level 3; docs/server.md, Passkeys). `publicKey` is what a browser is asked with, in the
// JSON form of section 5.1; of a browser's answer only the parts that are checked are sent. No answer carries a key or a token.

import { z } from "zod";
import { whole } from "./coding.ts";
import { routes } from "./route.ts";

const MOST_BYTES = 16 * 1024;
export const PASSKEY_NAME_LENGTH = 100;

const base64url = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[A-Za-z0-9_-]+$/, "not base64url");
const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "not an id");
const name = z
  .string()
  .min(1)
  .max(PASSKEY_NAME_LENGTH)
  .regex(/^[^\p{Cc}]*$/u, "has control characters");
const credentialId = base64url(1364);
const transports = z.array(z.string().regex(/^[a-z0-9-]{1,32}$/, "not a transport")).max(8);

/** What a browser answers when it has made a passkey. */
const made = z.strictObject({
  id: credentialId,
  clientDataJSON: base64url(2048),
  attestationObject: base64url(8192),
  transports: transports.default([]),
});

/** What a browser answers when somebody has confirmed. */
const confirmed = z.strictObject({
  id: credentialId,
  clientDataJSON: base64url(2048),
  authenticatorData: base64url(2048),
  signature: base64url(2048),
});

const descriptor = z.strictObject({ type: z.literal("public-key"), id: z.string(), transports: z.array(z.string()) });

const question = z.strictObject({
  /** The only origin whose pages can answer this. */
  origin: z.string(),
  publicKey: z.strictObject({
    challenge: z.string(),
    rpId: z.string(),
    timeout: whole,
    userVerification: z.literal("required"),
    /** None are named: the browser offers those that it has for this server. */
    allowCredentials: z.array(descriptor),
  }),
});

const wish = z.strictObject({
  origin: z.string(),
  publicKey: z.strictObject({
    challenge: z.string(),
    rp: z.strictObject({ id: z.string(), name: z.string() }),
    user: z.strictObject({ id: z.string(), name: z.string(), displayName: z.string() }),
    pubKeyCredParams: z.array(z.strictObject({ type: z.literal("public-key"), alg: z.number().int() })),
    timeout: whole,
    attestation: z.literal("none"),
    excludeCredentials: z.array(descriptor),
    authenticatorSelection: z.strictObject({
      residentKey: z.literal("required"),
      requireResidentKey: z.literal(true),
      userVerification: z.literal("required"),
    }),
  }),
});

const passkey = z.strictObject({
  id,
  person: id,
  name: z.string(),
  /** The name of the server in the address under which it was made: it works there only. */
  host: z.string(),
  /** Whether a password manager or the system keeps copies of it, as far as it tells. */
  isSynced: z.boolean(),
  createdAt: whole,
  lastUsedAt: whole.nullable(),
});

export type MadeCredential = z.output<typeof made>;
export type ConfirmedCredential = z.output<typeof confirmed>;
export type Passkey = z.output<typeof passkey>;

const ask = <Schema extends z.ZodType>(schema: Schema) => ({ kind: "json", schema, maxBytes: MOST_BYTES }) as const;
const json = <Schema extends z.ZodType>(schema: Schema) => ({ kind: "json", schema }) as const;
const ANYONE = ["anyone"] as const;
const PERSON = ["person"] as const;
const empty = { kind: "empty" } as const;

export const PASSKEY_ROUTES = routes({
  passkeyQuestion: {
    method: "POST",
    path: "/api/auth/passkey/question",
    who: ANYONE,
    summary:
      "What a browser is to ask for a passkey with, to sign in or to give the second factor. Good once, for five minutes.",
    answer: json(question),
  },
  passkeySignIn: {
    method: "POST",
    path: "/api/auth/passkey/sign-in",
    who: ANYONE,
    summary: "Signs a page in by a passkey. That is both factors: something one has, and a fingerprint, face or PIN.",
    body: ask(z.strictObject({ credential: confirmed, rememberMe: z.boolean().optional() })),
    answer: empty,
  },
  passkeyFactor: {
    method: "POST",
    path: "/api/v4/second-factor/passkey",
    who: PERSON,
    summary: "Gives a fresh second factor by a passkey in place of a code.",
    body: ask(z.strictObject({ credential: confirmed })),
    answer: json(z.strictObject({ freshUntil: whole })),
  },
  passkeys: {
    method: "GET",
    path: "/api/v4/passkeys",
    who: PERSON,
    summary: "Passkeys of one's own; an owner may ask for another person's.",
    query: z.strictObject({ person: id.optional() }),
    answer: json(z.strictObject({ passkeys: z.array(passkey) })),
  },
  passkeyWish: {
    method: "POST",
    path: "/api/v4/passkeys/wish",
    who: PERSON,
    summary: "What a browser is to make a new passkey with. Needs the password again. Good once, for five minutes.",
    isGuarded: true,
    body: ask(z.strictObject({ password: z.string().min(1).max(256) })),
    answer: json(wish),
  },
  addPasskey: {
    method: "POST",
    path: "/api/v4/passkeys",
    who: PERSON,
    summary: "Takes up the passkey that a browser has made: from now on it signs in.",
    isGuarded: true,
    body: ask(z.strictObject({ name, credential: made })),
    answer: json(passkey),
  },
  renamePasskey: {
    method: "PATCH",
    path: "/api/v4/passkeys/{id}",
    who: PERSON,
    summary: "Calls a passkey of one's own something else.",
    body: ask(z.strictObject({ name })),
    answer: json(passkey),
  },
  dropPasskey: {
    method: "DELETE",
    path: "/api/v4/passkeys/{id}",
    who: PERSON,
    summary: "Takes a passkey off: one's own, or as an owner anybody's. Whoever is signed in by it stays so.",
    isGuarded: true,
    answer: empty,
  },
});
