// The JSON documents of `agent` and `plan`; json-schema.ts has the rules.

import { z } from "zod";
import { bytes, count, id, progressSchema, result, summary, time } from "./json-parts.ts";

const kept = z.record(z.string(), z.int());
const retentionBy = z
  .enum(["plan", "server"])
  .describe("who decides how long snapshots stay: `keep` of the plan, or the settings of the vault at its server");
const plan = z.record(z.string(), z.unknown()).describe("the plan's fields, as in agent.md");
const outcome = z.enum(["ok", "partial", "failed", "cancelled", "interrupted"]);

const lastRun = z.strictObject({
  run: id,
  trigger: z.string(),
  startedAt: time,
  endedAt: time,
  outcome,
  snapshot: id.optional(),
  error: z.string().optional().describe("from errors.md"),
  message: z.string().optional(),
  files: count,
  newFiles: count,
  changedFiles: count,
  bytes,
  addedBytes: bytes,
  problems: count,
  remarks: z.array(z.string()).describe("what looked wrong: fewer-files, many-changed"),
  output: z.string().optional().describe("the end of what a program of the plan printed that failed"),
});

const planState = z.strictObject({
  name: z.string(),
  vault: id,
  place: z.string().describe("where the vault is"),
  enabled: z.boolean().optional(),
  schedule: z.string().optional(),
  nextDueAt: time.optional(),
  pausedUntil: time.optional(),
  paused: z.boolean().optional().describe("until it is resumed"),
  running: z.boolean(),
  retryAt: time.optional(),
  overdue: z.boolean(),
  lastGoodAt: time.optional(),
  last: lastRun.optional(),
  problem: z.string().optional().describe("why it cannot be followed"),
  refused: z.string().optional().describe("why the server's version was not taken over"),
});

export const agentEvent = z.strictObject({
  type: z.literal("event"),
  command: z.literal("agent run"),
  time,
  event: z.string().describe("started, run-started, run-ended, connected, disconnected, command and others"),
  vault: id.optional(),
  plan: z.string().optional(),
  run: id.optional(),
  trigger: z.string().optional(),
  outcome: outcome.optional(),
  snapshot: id.optional(),
  error: z.string().optional().describe("from errors.md"),
  message: z.string().optional(),
  files: count.optional(),
  bytes: bytes.optional(),
  addedBytes: bytes.optional(),
  durationMs: z.number().optional(),
  retryAt: time.optional(),
  remarks: z.array(z.string()).optional(),
  detail: z.string().optional(),
});

const service = {
  kind: z.enum(["systemd", "launchd", "windows"]),
  path: z.string(),
  text: z.string().describe("what stands in the file"),
  dryRun: z.boolean(),
  commands: z.array(z.string()).describe("how to start or end it"),
};

const named = { name: z.string(), vault: id };

export const AGENT_DOCUMENTS = {
  "agent run": [agentEvent, result("agent run", { stopped: z.literal(true) })],
  "agent status": [
    result("agent status", {
      running: z.boolean().describe("an agent of this home folder runs"),
      plans: z.array(planState),
    }),
  ],
  "agent install": [result("agent install", service)],
  "agent uninstall": [
    result("agent uninstall", { removed: z.array(z.string()), dryRun: z.boolean(), commands: z.array(z.string()) }),
  ],
  "plan list": [result("plan list", { plans: z.array(planState) })],
  "plan show": [result("plan show", { ...named, place: z.string(), retentionBy, plan })],
  "plan add": [result("plan add", { ...named, path: z.string(), retentionBy, plan })],
  "plan edit": [result("plan edit", { ...named, path: z.string(), retentionBy, plan })],
  "plan import": [result("plan import", { ...named, path: z.string(), retentionBy, plan })],
  "plan export": [result("plan export", { ...named, plan })],
  "plan keep": [
    result("plan keep", {
      ...named,
      isSet: z.boolean(),
      own: kept.nullable().describe("null: the vault's rules count; empty: everything is kept"),
      byVault: kept,
      kept: z.int(),
      removed: z.int(),
    }),
  ],
  "plan remove": [result("plan remove", named)],
  "plan run": [progressSchema, summary("plan run", { ...named, ...lastRun.shape, exit: z.int() })],
  "plan pause": [result("plan pause", { plans: z.array(z.strictObject(named)), until: time.optional() })],
  "plan resume": [result("plan resume", { plans: z.array(z.strictObject(named)) })],
  "plan programs": [result("plan programs", { vault: id, remotePrograms: z.enum(["refuse", "allow"]) })],
} as const;
