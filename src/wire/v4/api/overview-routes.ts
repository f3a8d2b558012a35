// Whether all is well, over the API of people (docs/protocol-v4.md, Overview, alerts and history): one sentence of truth, states of devices,
// alerts, sizes over time, and the server's own log lines.

import { z } from "zod";
import { type DeviceId, ID_BYTES, type SessionId, type VaultId } from "../../../core/ids.ts";
import { LOG_LEVELS } from "../../../core/log.ts";
import { hexId, whole } from "./coding.ts";
import { routes } from "./route.ts";
import { runSchema } from "./run-routes.ts";

export const OVERVIEW_LIMITS = { rowsPerPage: 200, samplesPerCall: 4000, logLines: 2000 } as const;

export const ALERT_KINDS = [
  "never-backed-up",
  "device-silent",
  "plan-overdue",
  "run-failed",
  "fewer-files",
  "many-changed",
  "damage",
  "disk-nearly-full",
  "job-failed",
  "vault-unusable",
  "index-refused",
  "certificate-ending",
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];
/** What mends it. */
export const ALERT_ACTIONS = [
  "back-up",
  "check-device",
  "look-at-run",
  "free-space",
  "run-job",
  "see-log",
  "renew-certificate",
] as const;
export type AlertAction = (typeof ALERT_ACTIONS)[number];
export const SEVERITIES = ["warning", "danger"] as const;
export type Severity = (typeof SEVERITIES)[number];

const deviceId = hexId<DeviceId>(ID_BYTES.device);
const vaultId = hexId<VaultId>(ID_BYTES.vault);

export const alertSchema = z.strictObject({
  id: z.string(),
  kind: z.enum(ALERT_KINDS),
  severity: z.enum(SEVERITIES),
  action: z.enum(ALERT_ACTIONS),
  vault: vaultId.nullable(),
  device: deviceId.nullable(),
  /** Of a plan at the server. */
  plan: hexId<string>(16).nullable(),
  run: hexId<SessionId>(ID_BYTES.session).nullable(),
  job: z.string().nullable(),
  since: whole,
  clearedAt: whole.nullable(),
  /** For its sentence: numbers, codes, kinds of jobs. */
  values: z.record(z.string(), z.union([z.string(), z.number()])),
});
export type Alert = z.output<typeof alertSchema>;

const lastRun = z.strictObject({
  run: hexId<SessionId>(ID_BYTES.session),
  state: runSchema.shape.state,
  startedAt: whole,
  endedAt: whole.nullable(),
  problems: whole,
});

const deviceState = z.strictObject({
  vault: vaultId,
  device: deviceId,
  /** As people call it here. */
  name: z.string(),
  givenName: z.string(),
  revoked: z.boolean(),
  /** Trust group: "" of all devices that were not put elsewhere, null for one that is set apart. */
  group: z.string().nullable(),
  enrolledAt: whole,
  lastSeenAt: whole.nullable(),
  lastAddress: z.string().nullable(),
  /** Its agent listens now. */
  isConnected: z.boolean(),
  about: z
    .strictObject({ version: z.string(), os: z.string(), release: z.string(), arch: z.string(), toldAt: whole })
    .nullable(),
  /** "revoked" | one with an open alert | one that runs now | … */
  state: z.enum(["protected", "running", "attention", "danger", "new", "revoked"]),
  lastRun: lastRun.nullable(),
  lastSuccessAt: whole.nullable(),
  nextDueAt: whole.nullable(),
  pausedUntil: whole.nullable(),
  plans: whole,
  snapshots: whole,
  storedBytes: whole,
  /** Files of the last good run of each of its plans. */
  protectedBytes: whole,
  /** Sealed bytes that came on each of the last 30 days (UTC), oldest first. */
  addedByDay: z.array(whole),
});
export type DeviceState = z.output<typeof deviceState>;

const disk = z.strictObject({
  totalBytes: whole,
  freeBytes: whole,
  reserveBytes: whole,
  /** By which the free space shrinks; less than 0: it grows. null: not known yet. */
  bytesPerDay: z.number().nullable(),
  daysUntilFull: whole.nullable(),
});
export type DiskState = z.output<typeof disk>;

const vaultState = z.strictObject({
  vault: vaultId,
  name: z.string(),
  /** Code of the error that keeps it from being used. */
  problem: z.string().nullable(),
  devices: whole,
  snapshots: whole,
  storedBytes: whole,
  protectedBytes: whole,
  allBytes: whole,
  newBytes: whole,
  addedBytes: whole,
  damagedBlocks: whole,
  /** When a scrub last ended well, and when the block that was read longest ago was read. */
  lastScrubAt: whole.nullable(),
  oldestReadAt: whole.nullable(),
  /** When a check of the whole last ended well. */
  lastCheckAt: whole.nullable(),
  /** When somebody with the keys last verified it. */
  lastVerifyAt: whole.nullable(),
});
export type VaultState = z.output<typeof vaultState>;

const overview = z.strictObject({
  at: whole,
  state: z.enum(["empty", "protected", "attention", "danger"]),
  /** Devices that are not revoked, and those of them that are protected. */
  devices: whole,
  protectedDevices: whole,
  /** Open ones, the gravest first. */
  alerts: z.array(alertSchema),
  running: z.array(runSchema),
  vaults: z.array(vaultState),
  disk,
});
export type Overview = z.output<typeof overview>;

const sample = z.strictObject({
  at: whole,
  storedBytes: whole,
  snapshots: whole,
  chunks: whole,
  protectedBytes: whole,
  allBytes: whole,
  newBytes: whole,
  addedBytes: whole,
});
export type VaultSample = z.output<typeof sample>;
const diskSample = z.strictObject({ at: whole, totalBytes: whole, freeBytes: whole });
export type DiskSample = z.output<typeof diskSample>;

const time = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const range = z.strictObject({
  from: time.default(0),
  to: time.default(Number.MAX_SAFE_INTEGER),
  step: z.enum(["hour", "day"]).default("day"),
});

export const logLine = z.strictObject({
  /** Grows by one with each line since the server started. */
  seq: whole,
  at: whole,
  level: z.enum(LOG_LEVELS),
  message: z.string(),
  fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
});
export type LogLine = z.output<typeof logLine>;

const json = <Schema extends z.ZodType>(schema: Schema) => ({ kind: "json", schema }) as const;
const PERSON = ["person"] as const;
const vault = z.string().min(1).max(255).optional();

export const OVERVIEW_ROUTES = routes({
  overview: {
    method: "GET",
    path: "/api/v4/overview",
    who: PERSON,
    summary: "Whether all is well, as far as the caller may look.",
    answer: json(overview),
  },
  deviceStates: {
    method: "GET",
    path: "/api/v4/device-states",
    who: PERSON,
    summary: "The devices of all vaults that the caller may view, and how each is.",
    query: z.strictObject({ vault }),
    answer: json(z.strictObject({ items: z.array(deviceState) })),
  },
  alerts: {
    method: "GET",
    path: "/api/v4/alerts",
    who: PERSON,
    summary: "What is wrong, or was: newest first.",
    query: z.strictObject({
      vault,
      open: z.enum(["true", "false"]).default("true"),
      limit: z.coerce.number().int().min(1).max(OVERVIEW_LIMITS.rowsPerPage).default(50),
      after: z
        .string()
        .regex(/^\d{1,15}$/, "not the `next` of an answer")
        .optional(),
    }),
    answer: json(z.strictObject({ items: z.array(alertSchema), next: z.string().nullable() })),
  },
  dismissAlert: {
    method: "POST",
    path: "/api/v4/alerts/{id}/dismiss",
    who: PERSON,
    summary:
      "Says that an alert was looked at. For operators; what is still so is raised anew only when it happens again.",
    answer: { kind: "empty" },
  },
  history: {
    method: "GET",
    path: "/api/v4/vaults/{vault}/history",
    who: ["viewer"],
    summary: "How much the vault held over time.",
    query: range,
    answer: json(z.strictObject({ items: z.array(sample) })),
  },
  diskHistory: {
    method: "GET",
    path: "/api/v4/disk-history",
    who: PERSON,
    summary: "How full the server's disk was over time, and when it will be full.",
    query: range,
    answer: json(z.strictObject({ items: z.array(diskSample), disk })),
  },
  serverLog: {
    method: "GET",
    path: "/api/v4/server-log",
    who: ["owner"],
    summary: "Lines of the server's own log, newest first.",
    query: z.strictObject({
      /** The least serious. */
      level: z.enum(LOG_LEVELS).default("info"),
      limit: z.coerce.number().int().min(1).max(OVERVIEW_LIMITS.logLines).default(200),
      /** Lines before this number. */
      after: time.optional(),
    }),
    answer: json(z.strictObject({ items: z.array(logLine), next: z.string().nullable() })),
  },
});
