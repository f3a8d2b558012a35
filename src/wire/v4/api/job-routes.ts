// Self-care over the API of people: jobs, their schedules, what a vault keeps and how much it may hold, live events
// (docs/protocol-v4.md, Jobs). JSON; times are milliseconds since 1970.

import { z } from "zod";
import { type DeviceId, ID_BYTES, type NameToken, type SnapshotId, type VaultId } from "../../../core/ids.ts";
import { hexId, whole } from "./coding.ts";
import { routes } from "./route.ts";

export const JOB_LIMITS = {
  bodyBytes: 64 * 1024,
  rowsPerPage: 200,
  waitSeconds: 60,
  plansWithPolicy: 1024,
} as const;

export const JOB_KINDS = ["retention", "gc", "scrub", "check", "rebuild", "trash", "database-backup"] as const;
export type JobKind = (typeof JOB_KINDS)[number];

export const JOB_STATES = ["waiting", "running", "done", "failed", "cancelled"] as const;
export type JobState = (typeof JOB_STATES)[number];

const vaultId = hexId<VaultId>(ID_BYTES.vault);
const deviceId = hexId<DeviceId>(ID_BYTES.device);
const token = hexId<NameToken>(ID_BYTES.token);
const snapshotId = hexId<SnapshotId>(ID_BYTES.snapshot);
const share = z.number().min(0).max(1);
const kind = z.enum(JOB_KINDS);
/** Counts of a retention rule. */
const count = z.number().int().min(0).max(100_000);

/** What a person may ask of a job; a kind takes what it knows and refuses the rest. */
export const jobOptions = z.strictObject({
  /** gc: purge what has been in the trash for so long, in place of the vault's setting. */
  trashMs: whole.optional(),
  /** gc: rewrite packs that hold more garbage than this. */
  maxDeadShare: share.optional(),
  /** gc: merge packs that are smaller. */
  smallPackBytes: whole.optional(),
  /** gc: about how large merged packs become. */
  targetPackBytes: whole.optional(),
  /** scrub: share of the stored bytes, what was checked longest ago first. */
  sample: share.optional(),
  /** scrub: no faster than this; 0 is as fast as it goes. */
  bytesPerSecond: whole.optional(),
  /** check: read every byte. */
  readData: z.boolean().optional(),
  /** trash: only what has been in it for so long. */
  olderThanMs: whole.optional(),
});
export type JobOptions = z.output<typeof jobOptions>;

export const jobSchema = z.strictObject({
  id: z.string(),
  kind,
  /** null for jobs of the server itself. */
  vault: vaultId.nullable(),
  options: jobOptions,
  dryRun: z.boolean(),
  state: z.enum(JOB_STATES),
  progress: z.strictObject({ done: whole, total: whole, unit: z.enum(["bytes", "packs", "snapshots"]) }).nullable(),
  /** By kind: what the admin port answers (src/wire/v4/admin-port.ts). */
  result: z.record(z.string(), z.unknown()).nullable(),
  error: z
    .strictObject({ code: z.string(), context: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])) })
    .nullable(),
  createdAt: whole,
  startedAt: whole.nullable(),
  endedAt: whole.nullable(),
  /** Who asked: a person's name, "schedule" or "machine". */
  startedBy: z.string(),
  /** Grows with every change: `GET …?wait&after=` answers once it is greater. */
  version: whole,
});
export type Job = z.output<typeof jobSchema>;

export const retentionPolicy = z.strictObject({
  last: count.optional(),
  hourly: count.optional(),
  daily: count.optional(),
  weekly: count.optional(),
  monthly: count.optional(),
  yearly: count.optional(),
  withinMs: whole.optional(),
  tags: z.array(token).max(64).optional(),
});
export type Policy = z.output<typeof retentionPolicy>;

export const retentionSettings = z.strictObject({
  /** For plans without a policy of their own; null keeps everything. */
  byDefault: retentionPolicy.nullable(),
  byPlan: z.record(token, retentionPolicy).refine((plans) => Object.keys(plans).length <= JOB_LIMITS.plansWithPolicy, {
    message: `more than ${JOB_LIMITS.plansWithPolicy} plans`,
  }),
  /** IANA name: where days begin. */
  timeZone: z.string().max(64),
});
export type RetentionSettings = z.output<typeof retentionSettings>;

/** null is no limit. */
export const quota = z.strictObject({ bytes: whole.nullable(), snapshots: whole.nullable() });
export type Quota = z.output<typeof quota>;

export const usage = z.strictObject({ bytes: whole, snapshots: whole });
export type Usage = z.output<typeof usage>;

export const vaultSettings = z.strictObject({
  retention: retentionSettings,
  /** Days for which a removed snapshot can be brought back. */
  trashDays: z.number().int().min(0).max(3650),
  quota,
});
export type VaultSettings = z.output<typeof vaultSettings>;

const deviceUse = z.strictObject({
  device: deviceId,
  name: z.string(),
  revoked: z.boolean(),
  quota,
  usage,
  /** When it last committed a snapshot; null when it never did. */
  lastSnapshotAt: whole.nullable(),
});

const schedule = z.strictObject({
  kind,
  /** null: for the server, and for each vault that has none of its own. */
  vault: vaultId.nullable(),
  /** Five fields: minute, hour, day of month, month, day of week. */
  cron: z.string().max(128),
  timeZone: z.string().max(64),
  isEnabled: z.boolean(),
});
export type Schedule = z.output<typeof schedule>;
const shownSchedule = z.strictObject({ ...schedule.shape, isDefault: z.boolean(), nextAt: whole.nullable() });
export type ShownSchedule = z.output<typeof shownSchedule>;

const previewRow = z.strictObject({
  snapshot: snapshotId,
  device: deviceId,
  plan: token,
  receivedAt: whole,
  /** Why it is kept; empty: it would go to the trash. */
  reasons: z.array(z.string()),
});

const json = <Schema extends z.ZodType>(schema: Schema) => ({ kind: "json", schema }) as const;
const ask = <Schema extends z.ZodType>(schema: Schema) =>
  ({ kind: "json", schema, maxBytes: JOB_LIMITS.bodyBytes }) as const;

/** Whose vault it is decides: jobs of vaults that a person may not see are not there. */
const PERSON = ["person"] as const;
const VIEWER = ["viewer"] as const;
const OWNER = ["owner"] as const;
const VAULT = "/api/v4/vaults/{vault}";

export const JOB_ROUTES = routes({
  jobs: {
    method: "GET",
    path: "/api/v4/jobs",
    who: PERSON,
    summary: "Jobs, newest first.",
    query: z.strictObject({
      vault: z.string().max(255).optional(),
      kind: kind.optional(),
      state: z.enum(JOB_STATES).optional(),
      limit: z.coerce.number().int().min(1).max(JOB_LIMITS.rowsPerPage).default(50),
      after: z
        .string()
        .regex(/^\d{1,15}$/, "not the `next` of an answer")
        .optional(),
    }),
    answer: json(z.strictObject({ items: z.array(jobSchema), next: z.string().nullable() })),
  },
  startJob: {
    method: "POST",
    path: "/api/v4/jobs",
    who: PERSON,
    summary: "Starts a job, or answers the one of its kind that is at work in the vault already.",
    body: ask(
      z.strictObject({
        kind,
        /** A name or an id; null for jobs of the server. */
        vault: z.string().max(255).nullable(),
        options: jobOptions.default({}),
        dryRun: z.boolean().default(false),
      }),
    ),
    answer: json(jobSchema),
  },
  job: {
    method: "GET",
    path: "/api/v4/jobs/{id}",
    who: PERSON,
    summary: "One job; with `wait` once its version is past `after`, or after so many seconds.",
    query: z.strictObject({
      wait: z.coerce.number().int().min(0).max(JOB_LIMITS.waitSeconds).default(0),
      after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
    }),
    answer: json(jobSchema),
  },
  cancelJob: {
    method: "POST",
    path: "/api/v4/jobs/{id}/cancel",
    who: PERSON,
    summary: "Ends a job where nothing is lost.",
    answer: json(jobSchema),
  },
  schedules: {
    method: "GET",
    path: "/api/v4/schedules",
    who: PERSON,
    summary: "When jobs run by themselves.",
    answer: json(z.strictObject({ items: z.array(shownSchedule) })),
  },
  setSchedule: {
    method: "PUT",
    path: "/api/v4/schedules",
    who: PERSON,
    summary: "Sets when a kind of job runs: for one vault, or for all that have no schedule of their own.",
    body: ask(schedule),
    answer: json(shownSchedule),
  },
  vaultSettings: {
    method: "GET",
    path: `${VAULT}/settings`,
    who: VIEWER,
    summary: "What the vault keeps, and how much it may hold.",
    answer: json(z.strictObject({ ...vaultSettings.shape, usage })),
  },
  changeVault: {
    method: "PATCH",
    path: VAULT,
    who: OWNER,
    summary: "Changes a vault's name, retention, trash days or quota. What keeps less asks for a fresh second factor.",
    body: ask(z.strictObject({ ...vaultSettings.partial().shape, name: z.string().min(1).max(64).optional() })),
    answer: json(z.strictObject({ ...vaultSettings.shape, usage })),
  },
  previewRetention: {
    method: "POST",
    path: `${VAULT}/retention-preview`,
    who: VIEWER,
    summary: "What a retention would keep now, and why.",
    body: ask(z.strictObject({ retention: retentionSettings.optional() })),
    answer: json(z.strictObject({ items: z.array(previewRow) })),
  },
  deviceUse: {
    method: "GET",
    path: `${VAULT}/device-use`,
    who: VIEWER,
    summary: "What each device stores, and its quota.",
    answer: json(z.strictObject({ items: z.array(deviceUse) })),
  },
  setDeviceQuota: {
    method: "PUT",
    path: `${VAULT}/devices/{device}/quota`,
    who: OWNER,
    summary: "Sets what a device may store.",
    body: ask(quota),
    answer: json(deviceUse),
  },
  events: {
    method: "GET",
    path: "/api/v4/events",
    who: PERSON,
    summary: "What happens, as it happens (server-sent events; Last-Event-ID resumes).",
    answer: { kind: "events" },
  },
});

export const METRICS_ROUTES = routes({
  metrics: {
    method: "GET",
    path: "/metrics",
    who: VIEWER,
    summary: "Numbers for Prometheus.",
    answer: { kind: "text" },
  },
});
