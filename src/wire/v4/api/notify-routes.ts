// Notifications, over the API of people (docs/notifications.md): channels by which somebody is told of alerts, and dead man's pings.
// Addresses, tokens and secrets go in and never come out again, but for the secret that signs a webhook, which is given once.

import { z } from "zod";
import { type DeviceId, ID_BYTES, type VaultId } from "../../../core/ids.ts";
import { hexId, whole } from "./coding.ts";
import { routes } from "./route.ts";

const KIB = 1024;

export const NOTIFY_LIMITS = {
  bodyBytes: 8 * KIB,
  channelsPerPerson: 20,
  pingsPerVault: 200,
  deliveries: 100,
} as const;

export const CHANNEL_KINDS = ["email", "webhook", "ntfy", "slack", "discord"] as const;
export type ChannelKind = (typeof CHANNEL_KINDS)[number];

const id = z.string().regex(/^[0-9a-f]{32}$/, "not an id");
const vaultId = hexId<VaultId>(ID_BYTES.vault);
const deviceId = hexId<DeviceId>(ID_BYTES.device);
const planId = z.string().regex(/^[0-9a-f]{32}$/, "not an id");
const name = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}]*$/u, "has control characters");
const url = z
  .string()
  .max(2048)
  .regex(/^https?:\/\/[^\s\p{Cc}]+$/u, "not an address that begins with http:// or https://");
const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "not a time of day as 22:00");

/** What a person chooses of a channel. */
const choices = {
  name,
  /** The least severe alerts that it tells of. */
  severity: z.enum(["warning", "danger"]),
  /** null: all that the person may see. */
  vaults: z.array(vaultId).max(256).nullable(),
  /** Warnings wait for the hour or the day and come together; danger never waits. */
  digest: z.enum(["none", "hourly", "daily"]),
  /** Hour of the day at which a daily digest goes out. */
  digestHour: z.number().int().min(0).max(23),
  /** From and to when warnings wait; null: never. */
  quiet: z.strictObject({ from: time, to: time }).nullable(),
  /** IANA name: of both. */
  timeZone: z.string().min(1).max(64),
  isEnabled: z.boolean(),
};

const target = {
  /** Of all kinds but e-mail, which goes to the address of the account. */
  url: url.optional(),
  /** ntfy: an access token. */
  token: z
    .string()
    .regex(/^[\x21-\x7e]{1,256}$/, "not a token")
    .optional(),
};

const channel = z.strictObject({
  id,
  /** Whose it is; null for one of the server itself. */
  person: z.string().nullable(),
  kind: z.enum(CHANNEL_KINDS),
  /** Where it goes, as far as it is told: an e-mail address, or the host of an address. */
  target: z.string(),
  ...choices,
  createdAt: whole,
  lastSentAt: whole.nullable(),
  lastFailedAt: whole.nullable(),
  /** Of the last try, if that failed. */
  lastError: z.string().nullable(),
  /** Notices that have not gone out yet. */
  waiting: whole,
});
export type ChannelAnswer = z.output<typeof channel>;

const newChannel = z.strictObject({
  kind: z.enum(CHANNEL_KINDS),
  ...target,
  ...choices,
  severity: choices.severity.default("warning"),
  vaults: choices.vaults.default(null),
  digest: choices.digest.default("none"),
  digestHour: choices.digestHour.default(8),
  quiet: choices.quiet.default(null),
  timeZone: choices.timeZone.default("UTC"),
  isEnabled: choices.isEnabled.default(true),
});
export type NewChannel = z.output<typeof newChannel>;

const channelChange = z.strictObject({ ...target, ...z.strictObject(choices).partial().shape });
export type ChannelChange = z.output<typeof channelChange>;

const delivery = z.strictObject({
  id,
  channel: id.nullable(),
  /** Of dead man's pings. */
  ping: id.nullable(),
  state: z.enum(["waiting", "sent", "given-up"]),
  /** What it tells, in a few words. */
  subject: z.string(),
  attempts: whole,
  createdAt: whole,
  /** When it is tried next, or was sent. */
  at: whole,
  error: z.string().nullable(),
});
export type DeliveryAnswer = z.output<typeof delivery>;

const ping = z.strictObject({
  id,
  /** null: every device of the vault. */
  device: deviceId.nullable(),
  /** Of a plan at the server; null: every run that is a backup. */
  plan: planId.nullable(),
  /** Host of its address. */
  target: z.string(),
  createdAt: whole,
  lastSentAt: whole.nullable(),
  lastError: z.string().nullable(),
});
export type PingAnswer = z.output<typeof ping>;

const newPing = z.strictObject({
  url,
  device: deviceId.nullable().default(null),
  plan: planId.nullable().default(null),
});

const json = <Schema extends z.ZodType>(schema: Schema) => ({ kind: "json", schema }) as const;
const ask = <Schema extends z.ZodType>(schema: Schema) =>
  ({ kind: "json", schema, maxBytes: NOTIFY_LIMITS.bodyBytes }) as const;
const empty = { kind: "empty" } as const;
const PERSON = ["person"] as const;
const OWNER = ["owner"] as const;

const CHANNELS = "/api/v4/notification-channels";
const PINGS = "/api/v4/vaults/{vault}/pings";

export const NOTIFY_ROUTES = routes({
  notificationChannels: {
    method: "GET",
    path: CHANNELS,
    who: PERSON,
    summary: "One's own channels, and to owners those of the server itself.",
    answer: json(z.strictObject({ channels: z.array(channel), mailIsSetUp: z.boolean() })),
  },
  addNotificationChannel: {
    method: "POST",
    path: CHANNELS,
    who: PERSON,
    summary: "Makes a channel. E-mail goes to one's own address; any other address is for owners to set.",
    body: ask(newChannel),
    /** The secret signs webhooks; null for other kinds. */
    answer: json(z.strictObject({ channel, secret: z.string().nullable() })),
  },
  editNotificationChannel: {
    method: "PATCH",
    path: `${CHANNELS}/{id}`,
    who: PERSON,
    summary: "Changes a channel.",
    body: ask(channelChange),
    answer: json(channel),
  },
  dropNotificationChannel: {
    method: "DELETE",
    path: `${CHANNELS}/{id}`,
    who: PERSON,
    summary: "Removes a channel with what waits in it.",
    answer: empty,
  },
  testNotificationChannel: {
    method: "POST",
    path: `${CHANNELS}/{id}/test`,
    who: PERSON,
    summary: "Sends a notice that says that it is a test, at once, and answers once it is sent.",
    answer: empty,
  },
  notificationDeliveries: {
    method: "GET",
    path: "/api/v4/notification-deliveries",
    who: PERSON,
    summary: "What was sent by the channels that one sees, and what waits, newest first.",
    answer: json(z.strictObject({ deliveries: z.array(delivery) })),
  },
  pings: {
    method: "GET",
    path: PINGS,
    who: OWNER,
    summary: "Dead man's pings of a vault.",
    answer: json(z.strictObject({ pings: z.array(ping) })),
  },
  addPing: {
    method: "POST",
    path: PINGS,
    who: OWNER,
    summary: "An address that is called when a backup begins (/start), ends well, or fails (/fail).",
    body: ask(newPing),
    answer: json(ping),
  },
  dropPing: {
    method: "DELETE",
    path: `${PINGS}/{id}`,
    who: OWNER,
    summary: "Removes a dead man's ping.",
    answer: empty,
  },
  testPing: {
    method: "POST",
    path: `${PINGS}/{id}/test`,
    who: OWNER,
    summary: "Calls the address once, as when a backup has ended well.",
    answer: empty,
  },
});
