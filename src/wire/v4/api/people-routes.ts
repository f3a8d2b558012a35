// The API of people: set-up, accounts, roles, API keys, sign-ins, the audit trail, and how the server is
// (docs/protocol-v4.md, The API of people). JSON; times are milliseconds since 1970. No answer but the two that make a secret
// carries one, and each of those is given once.

import { z } from "zod";
import { ID_BYTES, type VaultId } from "../../../core/ids.ts";
import { hexId, whole } from "./coding.ts";
import { routes } from "./route.ts";

const KIB = 1024;

export const PEOPLE_LIMITS = {
  bodyBytes: 16 * KIB,
  grantsPerPerson: 1024,
  vaultsPerKey: 256,
  rowsPerPage: 200,
} as const;

const role = z.enum(["viewer", "operator", "owner"]);
const vaultId = hexId<VaultId>(ID_BYTES.vault);
const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "not an id");
const email = z.email("not an e-mail address").max(254).toLowerCase();
const name = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}]*$/u, "has control characters");
const password = z.string().min(1).max(256);
const token = z.string().regex(/^[A-Za-z0-9_-]{43}$/, "not a token");
const code = z.string().regex(/^\d{6}$/, "not six digits");
const days = z.number().int().min(1).max(3650);

const limit = z.coerce.number().int().min(1).max(PEOPLE_LIMITS.rowsPerPage).default(50);
/** Where the page before ended: `next` of its answer. */
const cursor = z.string().max(64).optional();
const next = z.string().nullable();

const person = z.strictObject({
  id,
  email: z.string(),
  name: z.string(),
  /** For all vaults; null for people who have grants only. */
  role: role.nullable(),
  grants: z.array(z.strictObject({ vault: vaultId, role })),
  hasFactor: z.boolean(),
  /** False until the person has opened the link and chosen a password. */
  isActive: z.boolean(),
  createdAt: whole,
});

const link = z.strictObject({ token, expiresAt: whole });

const me = z.strictObject({
  id: id.nullable(),
  name: z.string(),
  email: z.string().nullable(),
  via: z.enum(["cookie", "key", "machine"]),
  role: role.nullable(),
  grants: z.array(z.strictObject({ vault: vaultId, role })),
  hasFactor: z.boolean(),
  /** False for who signs in by a provider alone. */
  hasPassword: z.boolean(),
  /** Until when guarded routes take the second factor that was given; null when it is not fresh. */
  freshUntil: whole.nullable(),
});

const apiKey = z.strictObject({
  id,
  person: id,
  name: z.string(),
  /** The first characters, to tell keys apart. */
  start: z.string(),
  role,
  /** Vaults that it is for; null for all that its person has. */
  vaults: z.array(vaultId).nullable(),
  createdAt: whole,
  expiresAt: whole.nullable(),
  lastUsedAt: whole.nullable(),
});
const madeKey = z.strictObject({ key: z.string(), ...apiKey.shape });

const signIn = z.strictObject({
  id,
  person: id,
  address: z.string(),
  program: z.string(),
  createdAt: whole,
  expiresAt: whole,
  isThis: z.boolean(),
});

const auditEntry = z.strictObject({
  id: whole,
  at: whole,
  /** `person`, `key`, `device`, `machine`, `server` or `nobody`. */
  by: z.string(),
  person: z.string().nullable(),
  name: z.string().nullable(),
  /** Name of the route or of what the server did. */
  action: z.string(),
  vault: vaultId.nullable(),
  /** What it was done to: an id, a job, a device. */
  subject: z.string().nullable(),
  /** `ok` or the code of an error. */
  outcome: z.string(),
  address: z.string().nullable(),
  requestId: z.string().nullable(),
  /** Entry of the vault's log that came of it. */
  seq: whole.nullable(),
});

/** Something that keeps the server from taking backups now. */
const serverTrouble = z.strictObject({
  /** Name of the vault; null for the whole server. */
  vault: z.string().nullable(),
  /** Of an error. */
  code: z.string(),
  message: z.string(),
  /** What to do about it. */
  mend: z.string(),
});
export type ServerTrouble = z.output<typeof serverTrouble>;

const status = z.strictObject({
  version: z.string(),
  startedAt: whole,
  uptimeMs: whole,
  vaults: whole,
  connections: whole,
  disk: z.strictObject({ totalBytes: whole, freeBytes: whole, reserveBytes: whole }),
  memory: z.strictObject({ residentBytes: whole, heapBytes: whole }),
  /** Of the vaults that the caller may see. */
  troubles: z.array(serverTrouble),
});

/** Path and fragment of the page's address; null when there is an owner already. */
const setupLink = z.strictObject({ path: z.string().nullable() });

const live = z.strictObject({ status: z.literal("live") });
const ready = z.strictObject({
  /** `degraded`: it answers, and something keeps it from taking all backups. */
  status: z.enum(["ready", "degraded"]),
  /** Without names of vaults for whoever may not see them. */
  troubles: z.array(serverTrouble.omit({ message: true })),
});

const json = <Schema extends z.ZodType>(schema: Schema) => ({ kind: "json", schema }) as const;
const ask = <Schema extends z.ZodType>(schema: Schema) =>
  ({ kind: "json", schema, maxBytes: PEOPLE_LIMITS.bodyBytes }) as const;
const page = <Schema extends z.ZodType>(items: Schema) => json(z.strictObject({ items: z.array(items), next }));
const empty = { kind: "empty" } as const;

const ANYONE = ["anyone"] as const;
const PERSON = ["person"] as const;
const OWNER = ["owner"] as const;

export const PEOPLE_ROUTES = routes({
  setup: {
    method: "POST",
    path: "/api/v4/setup",
    who: ANYONE,
    summary:
      "Makes the first owner by the set-up link, or lets an invited person choose a password. Each link is good once.",
    body: ask(z.strictObject({ token: token.optional(), email: email.optional(), name: name.optional(), password })),
    answer: json(person),
  },
  personLogin: {
    method: "POST",
    path: "/api/v4/login/person",
    who: ANYONE,
    summary: "E-mail, password and, where it is set up, a code of the authenticator, for an API key of this machine.",
    body: ask(
      z.strictObject({
        email,
        password,
        code: code.optional(),
        /** Name of the key: usually the machine's. */
        name,
        role: role.optional(),
        vaults: z.array(vaultId).max(PEOPLE_LIMITS.vaultsPerKey).optional(),
        days: days.optional(),
      }),
    ),
    answer: json(madeKey),
  },
  me: {
    method: "GET",
    path: "/api/v4/me",
    who: PERSON,
    summary: "Who is calling, and what they may do.",
    answer: json(me),
  },
  secondFactor: {
    method: "POST",
    path: "/api/v4/second-factor",
    who: PERSON,
    summary: "Gives a fresh second factor: guarded routes are open for five minutes.",
    body: ask(z.strictObject({ code })),
    answer: json(z.strictObject({ freshUntil: whole })),
  },
  people: {
    method: "GET",
    path: "/api/v4/people",
    who: OWNER,
    summary: "All accounts.",
    query: z.strictObject({ limit, after: cursor }),
    answer: page(person),
  },
  addPerson: {
    method: "POST",
    path: "/api/v4/people",
    who: OWNER,
    summary: "Makes an account. Without a password the answer has a link, good once, by which the person chooses one.",
    body: ask(
      z.strictObject({
        email,
        name,
        role: role.nullable().default(null),
        grants: z
          .array(z.strictObject({ vault: vaultId, role }))
          .max(PEOPLE_LIMITS.grantsPerPerson)
          .default([]),
        password: password.optional(),
      }),
    ),
    answer: json(z.strictObject({ person, link: link.nullable() })),
  },
  person: {
    method: "GET",
    path: "/api/v4/people/{id}",
    who: OWNER,
    summary: "One account.",
    answer: json(person),
  },
  editPerson: {
    method: "PATCH",
    path: "/api/v4/people/{id}",
    who: OWNER,
    summary: "Changes name, e-mail address or role.",
    isGuarded: true,
    body: ask(z.strictObject({ name: name.optional(), email: email.optional(), role: role.nullable().optional() })),
    answer: json(person),
  },
  removePerson: {
    method: "DELETE",
    path: "/api/v4/people/{id}",
    who: OWNER,
    summary: "Removes an account with its grants, API keys and sign-ins. The last owner stays.",
    isGuarded: true,
    answer: empty,
  },
  personLink: {
    method: "POST",
    path: "/api/v4/people/{id}/link",
    who: OWNER,
    summary: "A new link by which the person chooses a new password; links made before end.",
    isGuarded: true,
    answer: json(link),
  },
  dropFactor: {
    method: "DELETE",
    path: "/api/v4/people/{id}/second-factor",
    who: OWNER,
    summary: "Takes a lost second factor off an account, and signs the person out everywhere.",
    isGuarded: true,
    answer: empty,
  },
  grants: {
    method: "GET",
    path: "/api/v4/vaults/{vault}/grants",
    who: OWNER,
    summary: "Who has a role in this vault by a grant.",
    answer: json(
      z.strictObject({ grants: z.array(z.strictObject({ person: id, email: z.string(), name: z.string(), role })) }),
    ),
  },
  setGrant: {
    method: "PUT",
    path: "/api/v4/vaults/{vault}/grants/{id}",
    who: OWNER,
    summary: "Grants a person a role in this vault.",
    body: ask(z.strictObject({ role })),
    answer: empty,
  },
  dropGrant: {
    method: "DELETE",
    path: "/api/v4/vaults/{vault}/grants/{id}",
    who: OWNER,
    summary: "Takes a person's grant for this vault back.",
    answer: empty,
  },
  apiKeys: {
    method: "GET",
    path: "/api/v4/api-keys",
    who: PERSON,
    summary: "API keys of one's own; an owner may ask for another person's.",
    query: z.strictObject({ person: id.optional() }),
    answer: json(z.strictObject({ keys: z.array(apiKey) })),
  },
  addApiKey: {
    method: "POST",
    path: "/api/v4/api-keys",
    who: PERSON,
    summary: "Makes an API key, shown this once, that may do no more than who makes it.",
    body: ask(
      z.strictObject({
        name,
        role,
        vaults: z.array(vaultId).min(1).max(PEOPLE_LIMITS.vaultsPerKey).nullable().default(null),
        days: days.nullable().default(null),
      }),
    ),
    answer: json(madeKey),
  },
  dropApiKey: {
    method: "DELETE",
    path: "/api/v4/api-keys/{id}",
    who: PERSON,
    summary: "Ends an API key: one's own, or as an owner anybody's.",
    answer: empty,
  },
  signIns: {
    method: "GET",
    path: "/api/v4/sign-ins",
    who: PERSON,
    summary: "Where one is signed in; an owner may ask for another person's.",
    query: z.strictObject({ person: id.optional() }),
    answer: json(z.strictObject({ signIns: z.array(signIn) })),
  },
  dropSignIn: {
    method: "DELETE",
    path: "/api/v4/sign-ins/{id}",
    who: PERSON,
    summary: "Signs out there: one's own, or as an owner anybody's.",
    answer: empty,
  },
  dropSignIns: {
    method: "DELETE",
    path: "/api/v4/sign-ins",
    who: PERSON,
    summary: "Signs out everywhere, here as well unless `others` is given.",
    query: z.strictObject({ person: id.optional(), others: z.enum(["true", "false"]).default("false") }),
    answer: empty,
  },
  audit: {
    method: "GET",
    path: "/api/v4/audit",
    who: OWNER,
    summary: "Privileged actions, newest first.",
    query: z.strictObject({
      limit,
      after: cursor,
      person: id.optional(),
      action: z
        .string()
        .regex(/^[\w-]{1,64}$/, "not an action")
        .optional(),
      vault: vaultId.optional(),
    }),
    answer: page(auditEntry),
  },
  vaultAudit: {
    method: "GET",
    path: "/api/v4/vaults/{vault}/audit",
    who: OWNER,
    summary: "Privileged actions that concern this vault, newest first.",
    query: z.strictObject({ limit, after: cursor }),
    answer: page(auditEntry),
  },
  status: {
    method: "GET",
    path: "/api/v4/status",
    who: PERSON,
    summary: "Version, uptime, connections, disk.",
    answer: json(status),
  },
  setupLink: {
    method: "POST",
    path: "/api/v4/setup-link",
    who: OWNER,
    summary: "A new link by which the first owner is made; earlier ones end. Only by the local socket.",
    answer: json(setupLink),
  },
  stopServer: {
    method: "POST",
    path: "/api/v4/stop",
    who: OWNER,
    summary: "Asks the server to let running requests end and to stop. Only by the local socket.",
    answer: empty,
  },
  live: {
    method: "GET",
    path: "/health/live",
    who: ANYONE,
    summary: "Whether the process answers.",
    answer: json(live),
  },
  ready: {
    method: "GET",
    path: "/health/ready",
    who: ANYONE,
    summary:
      "Whether it takes requests (503 while it stops) and backups (`degraded` while something keeps it from some).",
    answer: json(ready),
  },
});
