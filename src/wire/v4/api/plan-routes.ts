// Plans and commands over the API (docs/protocol-v4.md, Plans and commands). A plan's body is sealed: the server keeps it, counts its versions
// and knows when it is due.

import { z } from "zod";
import { type DeviceId, ID_BYTES, type NameToken, type SessionId } from "../../../core/ids.ts";
import { bin, binId, hexId, whole } from "./coding.ts";
import { routes } from "./route.ts";
import { errorCode, RUN_LIMITS } from "./run-routes.ts";

const KIB = 1024;

export const PLAN_LIMITS = { plansPerDevice: 64, commandsListed: 100, openCommandsPerDevice: 256 } as const;

const planId = binId<string>(16);

/** As devices and people get it. */
const plan = z.strictObject({
  plan: planId,
  device: binId<DeviceId>(ID_BYTES.device),
  version: whole,
  deleted: z.boolean(),
  /** Empty when it is deleted. */
  sealed: bin({ max: RUN_LIMITS.sealedBytes }),
  /** Of its snapshots. */
  token: binId<NameToken>(ID_BYTES.token).nullable(),
  enabled: z.boolean(),
  overdueAfterMs: whole.nullable(),
  ping: z.boolean(),
  changedAt: whole,
  changedBy: z.enum(["device", "person"]),
  /** What the device told last: the version that it goes by, 0 before any. */
  seenVersion: whole,
  nextDueAt: whole.nullable(),
  pausedUntil: whole.nullable(),
  error: z.string().nullable(),
});
export type StoredPlan = z.output<typeof plan>;

const change = z.strictObject({
  /** Version that the change was made from; 0 for a new plan. */
  base: whole,
  sealed: bin({ max: RUN_LIMITS.sealedBytes }),
  token: binId<NameToken>(ID_BYTES.token).nullable(),
  enabled: z.boolean(),
  overdueAfterMs: whole.nullable(),
  ping: z.boolean(),
});
export type PlanChange = z.output<typeof change>;

const status = z.strictObject({
  plan: planId,
  version: whole,
  nextDueAt: whole.nullable(),
  /** 2^53 - 1: until it is resumed. */
  pausedUntil: whole.nullable(),
  /** Why it cannot be followed. */
  error: errorCode.nullable(),
});
export type PlanStatus = z.output<typeof status>;

export const COMMAND_KINDS = ["backup", "cancel", "pause", "resume"] as const;
export type CommandKind = (typeof COMMAND_KINDS)[number];
export const COMMAND_STATES = ["waiting", "delivered", "taken", "done", "refused", "expired"] as const;
export type CommandState = (typeof COMMAND_STATES)[number];

const asked = {
  kind: z.enum(COMMAND_KINDS),
  plan: hexId<string>(16).nullable().default(null),
  run: hexId<SessionId>(ID_BYTES.session).nullable().default(null),
  /** Of `pause`: resumes by itself then. */
  untilMs: whole.nullable().default(null),
};
export const commandSchema = z.strictObject({
  id: z.string(),
  kind: asked.kind,
  plan: hexId<string>(16).nullable(),
  run: hexId<SessionId>(ID_BYTES.session).nullable(),
  untilMs: whole.nullable(),
  state: z.enum(COMMAND_STATES),
  createdAt: whole,
  expiresAt: whole,
  /** Who asked: a person's name, or "machine". */
  by: z.string(),
  error: z.string().nullable(),
});
export type Command = z.output<typeof commandSchema>;

const msgpack = <Schema extends z.ZodType>(schema: Schema) => ({ kind: "msgpack", schema }) as const;
const json = <Schema extends z.ZodType>(schema: Schema) => ({ kind: "json", schema }) as const;
const planBody = { kind: "msgpack", schema: change, maxBytes: RUN_LIMITS.sealedBytes + 4 * KIB } as const;
const plans = msgpack(z.strictObject({ plans: z.array(plan) }));
const base = z.strictObject({ base: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) });

const VAULT = "/api/v4/vaults/{vault}";
const DEVICE_PLANS = `${VAULT}/devices/{device}/plans`;
const OWN_PLANS = `${VAULT}/own-plans`;
const DEVICE = ["device"] as const;
const VIEWER = ["viewer"] as const;
const OPERATOR = ["operator"] as const;

export const PLAN_ROUTES = routes({
  ownPlans: {
    method: "GET",
    path: OWN_PLANS,
    who: DEVICE,
    summary: "The plans of the device that asks, those deleted lately included.",
    answer: plans,
  },
  putOwnPlan: {
    method: "PUT",
    path: `${OWN_PLANS}/{plan}`,
    who: DEVICE,
    summary: "Keeps a plan of the device that asks, if it has not changed meanwhile.",
    body: planBody,
    answer: msgpack(plan),
  },
  dropOwnPlan: {
    method: "DELETE",
    path: `${OWN_PLANS}/{plan}`,
    who: DEVICE,
    summary: "Deletes a plan of the device that asks, if it has not changed meanwhile.",
    query: base,
    answer: msgpack(plan),
  },
  planStatus: {
    method: "PUT",
    path: `${VAULT}/plan-status`,
    who: DEVICE,
    summary: "Tells which versions of its plans the device goes by, and when each is due.",
    body: {
      kind: "msgpack",
      schema: z.strictObject({ plans: z.array(status).max(PLAN_LIMITS.plansPerDevice) }),
      maxBytes: 16 * KIB,
    },
    answer: { kind: "empty" },
  },
  devicePlans: {
    method: "GET",
    path: DEVICE_PLANS,
    who: VIEWER,
    summary: "The plans of a device, those deleted lately included.",
    answer: plans,
  },
  putDevicePlan: {
    method: "PUT",
    path: `${DEVICE_PLANS}/{plan}`,
    who: OPERATOR,
    summary: "Changes a plan of a device, or makes one, if it has not changed meanwhile.",
    body: planBody,
    answer: msgpack(plan),
  },
  dropDevicePlan: {
    method: "DELETE",
    path: `${DEVICE_PLANS}/{plan}`,
    who: OPERATOR,
    summary: "Deletes a plan of a device, if it has not changed meanwhile.",
    query: base,
    answer: msgpack(plan),
  },
  command: {
    method: "POST",
    path: `${VAULT}/devices/{device}/commands`,
    who: OPERATOR,
    summary: "Asks a device to back up, cancel, pause or resume.",
    body: { kind: "json", schema: z.strictObject(asked), maxBytes: 4 * KIB },
    answer: json(commandSchema),
  },
  commands: {
    method: "GET",
    path: `${VAULT}/devices/{device}/commands`,
    who: VIEWER,
    summary: "What a device was asked lately, newest first.",
    answer: json(z.strictObject({ items: z.array(commandSchema) })),
  },
  commandOutcome: {
    method: "POST",
    path: `${VAULT}/commands/{id}/outcome`,
    who: DEVICE,
    summary: "Acknowledges a command.",
    body: {
      kind: "msgpack",
      schema: z.strictObject({ outcome: z.enum(["taken", "done", "refused"]), error: errorCode.nullable() }),
      maxBytes: KIB,
    },
    answer: { kind: "empty" },
  },
  deviceEvents: {
    method: "GET",
    path: `${VAULT}/device-events`,
    who: DEVICE,
    summary: "What is asked of the device, and changes of its plans (server-sent events).",
    answer: { kind: "events" },
  },
});
