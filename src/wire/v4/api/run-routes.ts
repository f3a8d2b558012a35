// Runs over the API (docs/protocol-v4.md, Runs): what devices report while they work, and the history that people see. Counts, sums
// and codes only: names travel sealed, in `details`.

import { z } from "zod";
import {
  type DeviceId,
  ID_BYTES,
  type NameToken,
  type SessionId,
  type SnapshotId,
  type VaultId,
} from "../../../core/ids.ts";
import { bin, binId, hexId, whole } from "./coding.ts";
import { routes } from "./route.ts";

const KIB = 1024;

export const RUN_LIMITS = {
  reportBytes: 96 * KIB,
  /** Sealed details of a run, sealed body of a plan. */
  sealedBytes: 64 * KIB,
  /** Reports that a device may send at once, and how many it regains in a second. */
  reportsAtOnce: 20,
  reportsPerSecond: 2,
  rowsPerPage: 200,
  rowsPerExport: 10_000,
  days: 400,
} as const;

export const RUN_KINDS = ["backup", "verify", "restore"] as const;
export type RunKind = (typeof RUN_KINDS)[number];
/** What a device may say, and what only the server says. */
export const REPORTED_STATES = ["running", "paused", "done", "failed", "cancelled", "interrupted"] as const;
export const RUN_STATES = [...REPORTED_STATES, "refused"] as const;
export type RunState = (typeof RUN_STATES)[number];
export const RUN_PHASES = ["starting", "before", "scanning", "finishing", "after", "waiting", "ended"] as const;
export type RunPhase = (typeof RUN_PHASES)[number];
export const RUN_TRIGGERS = [
  "manual",
  "schedule",
  "asked",
  "catch-up",
  "retry",
  "browser",
  "gateway",
  "import",
  /** Seen by the server alone. */
  "unknown",
] as const;
export type RunTrigger = (typeof RUN_TRIGGERS)[number];
export const WANTED = ["run", "pause", "cancel"] as const;
export type Wanted = (typeof WANTED)[number];

const deviceId = hexId<DeviceId>(ID_BYTES.device);
const vaultId = hexId<VaultId>(ID_BYTES.vault);
const token = hexId<NameToken>(ID_BYTES.token);
const snapshotId = hexId<SnapshotId>(ID_BYTES.snapshot);
export const errorCode = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, "not a code");

const counts = z.strictObject({
  files: whole,
  directories: whole,
  others: whole,
  newFiles: whole,
  changedFiles: whole,
  unchangedFiles: whole,
  /** Files and folders that could not be read. */
  problems: whole,
  changedWhileRead: whole,
});

const bytes = z.strictObject({
  /** Of files that are done, read or not. */
  done: whole,
  /** Read from the source. */
  read: whole,
  /** Of chunks that the vault lacked, before compression. */
  new: whole,
  /** Sealed. */
  added: whole,
});
const expected = z.strictObject({ files: whole, bytes: whole });

/** As it travels from a device. */
export const runReport = z.strictObject({
  n: whole,
  kind: z.enum(RUN_KINDS),
  state: z.enum(REPORTED_STATES),
  phase: z.enum(RUN_PHASES),
  plan: binId<NameToken>(ID_BYTES.token).nullable(),
  planId: binId<string>(16).nullable(),
  trigger: z.enum(RUN_TRIGGERS),
  /** By the device's clock. */
  startedAt: whole,
  elapsedMs: whole,
  counts,
  bytes,
  expected: expected.nullable(),
  snapshot: binId<SnapshotId>(ID_BYTES.snapshot).nullable(),
  error: errorCode.nullable(),
  details: bin({ max: RUN_LIMITS.sealedBytes }).nullable(),
});
export type RunReport = z.output<typeof runReport>;

const about = z.strictObject({
  /** Of CyberBackup. */
  version: z.string().max(64),
  /** `linux`, `darwin`, `win32`, `browser`. */
  os: z.string().max(64),
  /** Of the system. */
  release: z.string().max(128),
  arch: z.string().max(32),
});
/** Program and system of a device. */
export type DeviceAbout = z.output<typeof about>;

/** As people see it. Times are the server's. */
export const runSchema = z.strictObject({
  run: hexId<SessionId>(ID_BYTES.session),
  vault: vaultId,
  device: deviceId,
  kind: z.enum(RUN_KINDS),
  state: z.enum(RUN_STATES),
  phase: z.enum(RUN_PHASES),
  /** Name token of its plan; null when it ended before one was known. */
  plan: token.nullable(),
  /** Of a plan at the server. */
  planId: hexId<string>(16).nullable(),
  trigger: z.enum(RUN_TRIGGERS),
  startedAt: whole,
  heardAt: whole,
  endedAt: whole.nullable(),
  elapsedMs: whole,
  counts,
  /** `sent` is what the server took in. */
  bytes: z.strictObject({ ...bytes.shape, sent: whole }),
  expected: expected.nullable(),
  snapshot: snapshotId.nullable(),
  error: z.string().nullable(),
  wanted: z.enum(WANTED),
  /** False where the server only knows what it saw itself: then counts are zero. */
  isReported: z.boolean(),
  hasDetails: z.boolean(),
});
export type Run = z.output<typeof runSchema>;

const time = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const filters = {
  /** A name or an id. */
  vault: z.string().min(1).max(255).optional(),
  device: deviceId.optional(),
  plan: token.optional(),
  state: z.enum(RUN_STATES).optional(),
  kind: z.enum(RUN_KINDS).optional(),
  trigger: z.enum(RUN_TRIGGERS).optional(),
  /** Begun at or after, and before. */
  from: time.optional(),
  to: time.optional(),
};

const runDay = z.strictObject({
  vault: vaultId,
  device: deviceId,
  /** `2026-11-23`, in the time zone that was asked for. */
  day: z.string(),
  done: whole,
  /** Failed, refused, cut short. */
  failed: whole,
  cancelled: whole,
  running: whole,
  /** Of those that ended well, how many could not read everything. */
  withProblems: whole,
  addedBytes: whole,
});
export type RunDay = z.output<typeof runDay>;

const json = <Schema extends z.ZodType>(schema: Schema) => ({ kind: "json", schema }) as const;
const empty = { kind: "empty" } as const;

const VAULT = "/api/v4/vaults/{vault}";
const RUN = `${VAULT}/runs/{run}`;

export const RUN_ROUTES = routes({
  reportRun: {
    method: "PUT",
    path: RUN,
    who: ["device"],
    summary: "Tells how a run goes, or how it ended; answers what people want of it.",
    body: { kind: "msgpack", schema: runReport, maxBytes: RUN_LIMITS.reportBytes },
    answer: { kind: "msgpack", schema: z.strictObject({ wanted: z.enum(WANTED) }) },
  },
  reportAbout: {
    method: "PUT",
    path: `${VAULT}/about`,
    who: ["device"],
    summary: "Tells which program and system the device has.",
    body: {
      kind: "msgpack",
      schema: about,
      maxBytes: 4 * KIB,
    },
    answer: empty,
  },
  run: {
    method: "GET",
    path: RUN,
    who: ["viewer"],
    summary: "One run.",
    answer: json(runSchema),
  },
  runDetails: {
    method: "GET",
    path: `${RUN}/details`,
    who: ["device", "viewer"],
    summary: "What the device sealed about a run: names of files that could not be read. 404 when there is nothing.",
    answer: { kind: "object" },
  },
  wantOfRun: {
    method: "POST",
    path: `${RUN}/want`,
    who: ["operator"],
    summary: "Asks a run to go on, to pause or to end; its device hears of it with its next report.",
    body: { kind: "json", schema: z.strictObject({ wanted: z.enum(WANTED) }), maxBytes: KIB },
    answer: empty,
  },
  runs: {
    method: "GET",
    path: "/api/v4/runs",
    who: ["person"],
    summary: "Runs, newest first.",
    query: z.strictObject({
      ...filters,
      limit: z.coerce.number().int().min(1).max(RUN_LIMITS.rowsPerPage).default(50),
      after: z
        .string()
        .regex(/^\d{1,16}-\d{1,15}$/, "not the `next` of an answer")
        .optional(),
    }),
    answer: json(z.strictObject({ items: z.array(runSchema), next: z.string().nullable() })),
  },
  exportRuns: {
    method: "GET",
    path: "/api/v4/runs/export",
    who: ["person"],
    summary: "Runs as a file to download, newest first.",
    query: z.strictObject(filters),
    answer: json(z.strictObject({ exportedAt: whole, items: z.array(runSchema), isWhole: z.boolean() })),
  },
  runDays: {
    method: "GET",
    path: "/api/v4/run-days",
    who: ["person"],
    summary: "How the runs of each device went, day by day.",
    query: z.strictObject({
      vault: filters.vault,
      days: z.coerce.number().int().min(1).max(RUN_LIMITS.days).default(30),
      /** IANA name: where days begin. */
      timeZone: z.string().min(1).max(64).default("UTC"),
    }),
    answer: json(z.strictObject({ days: z.array(z.string()), items: z.array(runDay) })),
  },
});
