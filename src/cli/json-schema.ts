// Every JSON document that `--json` can print. docs/json.md is made from the descriptions here; at run time only the types are
// used, so that no command loads zod for it. Fields may be added; none is renamed or changes its meaning within version 4.

import { z } from "zod";
import { AGENT_DOCUMENTS, type agentEvent } from "./json-agent.ts";
import {
  bytes,
  count,
  deviceSchema,
  entrySchema,
  type errorSchema,
  id,
  keyslotSchema,
  lines,
  path,
  pathBase64,
  problemSchema,
  progressSchema,
  result,
  snapshotSchema,
  summary,
  time,
  trustGroup,
} from "./json-parts.ts";

const trouble = {
  code: z.string().describe("from errors.md"),
  message: z.string(),
  mend: z.string().describe("what to do about it"),
};

const serveEvent = z.strictObject({
  type: z.literal("event"),
  command: z.literal("serve"),
  time,
  event: z
    .string()
    .describe("what happened: device-login, session-open, pack, commit, session-refused, alert-raised, job and others"),
  vault: id.optional(),
  vaultName: z.string().optional(),
  device: id.optional(),
  deviceName: z.string().optional(),
  session: id.optional(),
  snapshot: id.optional(),
  bytes: bytes.optional(),
  durationMs: z.number().optional(),
  detail: z.string().optional(),
});

const instanceShape = {
  pid: z.int(),
  version: z.string(),
  address: z.string().describe("as devices and people reach it"),
  fingerprint: z.string().optional().describe("what devices pin: SHA-256 of the certificate"),
  gateway: z.string().optional().describe("where clients of version 3 are served"),
  page: z.boolean().describe("whether the page is served"),
};

/** The documents of each command, in the order in which they come. */
export const DOCUMENTS = {
  init: [
    result("init", {
      vault: id,
      path: z.string(),
      device: id,
      deviceName: z.string(),
      recoveryKey: z.string().describe("an age identity; it is shown this once and stored nowhere"),
    }),
  ],
  backup: [
    progressSchema,
    summary("backup", {
      snapshot: id.optional().describe("absent in a dry run"),
      dryRun: z.boolean(),
      files: count,
      directories: count,
      others: count.describe("links, devices, FIFOs, sockets"),
      bytes,
      newFiles: count,
      changedFiles: count,
      unchangedFiles: count,
      newBytes: bytes.describe("bytes that the vault did not have, before compression"),
      addedBytes: bytes.describe("sealed bytes that were stored"),
      problemCount: count,
      problems: z.array(problemSchema).describe("the first of what could not be read"),
      durationMs: z.number(),
      exit: z.int(),
    }),
  ],
  snapshots: [result("snapshots", { snapshots: z.array(snapshotSchema) })],
  ls: [
    z.strictObject({ type: z.literal("entry"), ...entrySchema.shape }),
    summary("ls", { snapshot: id, entries: count, bytes }),
  ],
  find: [
    z.strictObject({ type: z.literal("entry"), snapshot: id, ...entrySchema.shape }),
    summary("find", { entries: count, snapshots: count, problems: z.array(problemSchema) }),
  ],
  versions: [
    result("versions", {
      path,
      versions: z.array(
        z.strictObject({
          snapshot: id.describe("the first snapshot that holds it"),
          time,
          entry: entrySchema,
          alsoIn: z.array(id).describe("later snapshots in which it is the same"),
        }),
      ),
    }),
  ],
  diff: [
    z.strictObject({
      type: z.literal("change"),
      change: z.enum(["added", "removed", "modified", "metadata", "type"]),
      path,
      pathBase64,
      before: entrySchema.omit({ path: true, pathBase64: true }).optional(),
      after: entrySchema.omit({ path: true, pathBase64: true }).optional(),
    }),
    summary("diff", {
      before: id,
      after: id,
      added: count,
      removed: count,
      modified: count,
      metadata: count,
      changedType: count,
    }),
  ],
  stats: [
    result("stats", {
      snapshot: id.optional().describe("with SNAP: what a restore of it would bring; else all of the vault, as below"),
      directories: count.optional(),
      links: count.optional(),
      others: count.optional(),
      uniqueBytes: bytes.optional().describe("each group of hard links counted once"),
      largestFile: z.strictObject({ path, pathBase64, size: bytes }).optional(),
      snapshots: count.optional(),
      trashedSnapshots: count.optional(),
      files: count,
      bytes: bytes.describe("sum of the sizes of all files"),
      storedBytes: bytes.optional().describe("bytes that the vault's packs take"),
      packs: count.optional(),
      blocks: count.optional(),
      chunks: count.optional(),
      damagedBlocks: count.optional(),
      ratio: z.number().optional().describe("bytes ÷ storedBytes"),
    }),
  ],
  restore: [
    progressSchema,
    summary("restore", {
      snapshot: id,
      target: z.string(),
      dryRun: z.boolean(),
      files: count,
      directories: count,
      others: count,
      bytes: bytes.describe("bytes of the files that are now as in the snapshot"),
      writtenBytes: bytes,
      unchangedFiles: count,
      skippedFiles: count.describe("kept as --overwrite asked"),
      deleted: count,
      problemCount: count,
      problems: z.array(problemSchema),
      durationMs: z.number(),
      exit: z.int(),
    }),
  ],
  verify: [
    progressSchema,
    summary("verify", {
      ok: z.boolean(),
      keyless: z.boolean(),
      readData: z.boolean(),
      sample: z.number().optional(),
      snapshots: count,
      files: count.optional(),
      blocks: count,
      bytes,
      problemCount: count,
      problems: z.array(problemSchema),
      durationMs: z.number(),
      exit: z.int(),
    }),
  ],
  forget: [summary("forget", { dryRun: z.boolean(), kept: lines, removed: lines })],
  undelete: [result("undelete", { snapshots: z.array(id) })],
  pin: [result("pin", { snapshot: id, until: time.optional().describe("absent: without end") })],
  unpin: [result("unpin", { snapshot: id })],
  prune: [
    progressSchema,
    summary("prune", {
      dryRun: z.boolean(),
      purged: count.describe("snapshots that left the trash for good"),
      removedPacks: count,
      compactedPacks: count,
      freedBytes: bytes,
      durationMs: z.number(),
    }),
  ],
  scrub: [
    progressSchema,
    summary("scrub", {
      packs: count,
      blocks: count,
      bytes,
      damagedBlocks: count,
      problemCount: count,
      problems: z.array(problemSchema),
      durationMs: z.number(),
      exit: z.int(),
    }),
  ],
  rebuild: [
    progressSchema,
    summary("rebuild", {
      packs: count,
      blocks: count,
      snapshots: count,
      problemCount: count,
      problems: z.array(problemSchema),
      durationMs: z.number(),
      exit: z.int(),
    }),
  ],
  "key list": [result("key list", { keyslots: z.array(keyslotSchema) })],
  "key add": [
    result("key add", {
      id,
      kind: keyslotSchema.shape.kind,
      label: z.string(),
      recoveryKey: z.string().optional().describe("only with --recovery: shown this once"),
    }),
  ],
  "key remove": [result("key remove", { id })],
  "device list": [result("device list", { devices: z.array(deviceSchema) })],
  "device add": [result("device add", { id, name: z.string() })],
  "device trust": [result("device trust", { id, name: z.string(), group: trustGroup })],
  "device revoke": [result("device revoke", { id, name: z.string() })],
  "device invite": [
    result("device invite", {
      code: z.string().describe("the enrolment code: good once, shown this once"),
      invite: id.describe("name of the invitation at the server"),
      address: z.string(),
      endsAt: time,
    }),
  ],
  "device rename": [result("device rename", { id, name: z.string() })],
  enroll: [result("enroll", { vault: id, address: z.string(), id: id.describe("of the device"), name: z.string() })],
  login: [result("login", { server: z.string(), email: z.string(), role: z.string() })],
  logout: [result("logout", { server: z.string(), wasLoggedIn: z.boolean() })],
  "server status": [
    result("server status", {
      version: z.string(),
      startedAt: time,
      uptimeMs: z.number(),
      vaults: count,
      connections: count,
      freeBytes: bytes.describe("free on the server's disk"),
      reserveBytes: bytes.describe("of these: kept from new backups"),
      residentBytes: bytes.describe("memory of the server"),
      troubles: z
        .array(z.strictObject({ vaultName: z.string().optional(), ...trouble }))
        .describe("what keeps it from taking backups now"),
    }),
  ],
  "server vaults": [
    result("server vaults", {
      vaults: z.array(
        z.strictObject({
          id,
          name: z.string(),
          problem: z.string().optional().describe("code of what keeps it from being used, from errors.md"),
          trouble: z.strictObject(trouble).optional().describe("what keeps it from taking backups now"),
          snapshots: count.optional(),
          trashedSnapshots: count.optional(),
          storedBytes: bytes.optional(),
        }),
      ),
    }),
  ],
  "server devices": [
    result("server devices", {
      devices: z.array(
        z.strictObject({
          vaultName: z.string(),
          id,
          name: z.string(),
          revoked: z.boolean(),
          lastSeen: time.optional(),
          lastSnapshot: time.optional(),
          snapshots: count,
          addedBytes: bytes,
        }),
      ),
    }),
  ],
  "server jobs": [
    result("server jobs", {
      jobs: z.array(
        z.strictObject({
          id: z.string(),
          kind: z.string(),
          state: z.enum(["waiting", "running", "done", "failed", "cancelled"]),
          vault: id.optional().describe("absent for jobs of the server itself"),
          startedBy: z.string(),
          dryRun: z.boolean(),
          startedAt: time.optional(),
          endedAt: time.optional(),
          error: z.string().optional().describe("from errors.md"),
        }),
      ),
    }),
  ],
  "server run": [
    progressSchema,
    summary("server run", {
      job: z.string(),
      kind: z.string(),
      dryRun: z.boolean(),
      state: z.string(),
      result: z.record(z.string(), z.unknown()).describe("by kind, as the server has it"),
    }),
  ],
  ...AGENT_DOCUMENTS,
  "writer export": [result("writer export", { device: id, name: z.string(), writer: z.string() })],
  log: [
    result("log", {
      entries: z.array(
        z.strictObject({
          seq: count,
          time,
          event: z.string(),
          device: id.optional(),
          deviceName: z.string().optional(),
          detail: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
        }),
      ),
      head: id,
    }),
  ],
  doctor: [
    result("doctor", {
      ok: z.boolean(),
      findings: z.array(
        z.strictObject({
          check: z.string(),
          state: z.enum(["ok", "advice", "problem"]),
          detail: z.string(),
          advice: z.string().optional(),
        }),
      ),
      bundle: z.string().optional(),
    }),
  ],
  "v3 send": [
    progressSchema,
    summary("v3 send", {
      server: z.string(),
      user: z.string(),
      client: id.optional().describe("id at the server"),
      registered: z.boolean().describe("this run registered the name"),
      files: z
        .array(
          z.strictObject({
            path,
            name: z.string().describe("at the server"),
            bytes,
            cksum: count.describe("as the cksum program prints it; the server's is the same"),
            tries: count,
          }),
        )
        .describe("confirmed by the server"),
      problemCount: count,
      problems: z.array(problemSchema).describe("files that were not sent"),
      durationMs: z.number(),
      exit: z.int(),
    }),
  ],
  "v3 import": [
    progressSchema,
    summary("v3 import", {
      dryRun: z.boolean(),
      database: z.string().optional().describe("the old database that was read"),
      files: count.describe("what was found: a file that several clients sent counts for each"),
      imported: count.describe("in a dry run: what would be"),
      proven: count.describe("of these: the database's checksum proves the content"),
      present: count.describe("imported by an earlier run"),
      bytes,
      addedBytes: bytes.describe("sealed bytes that were stored"),
      problemCount: count,
      problems: z.array(problemSchema).describe("what was left out"),
      durationMs: z.number(),
      exit: z.int(),
    }),
  ],
  up: [
    z.strictObject({
      type: z.literal("stage"),
      command: z.literal("up"),
      stage: z.string(),
      ok: z.boolean(),
      detail: z.string(),
      durationMs: z.number(),
    }),
    result("up", {
      ...instanceShape,
      started: z.boolean().describe("false where it ran already"),
      setup: z.string().optional().describe("link, good once, by which the first owner is made"),
      data: z.string(),
      config: z.string().describe("the settings file"),
      logs: z.string().describe("folder of the log files"),
    }),
  ],
  down: [result("down", { wasRunning: z.boolean(), pid: z.int().optional() })],
  status: [
    result("status", {
      running: z.boolean(),
      ready: z.boolean(),
      pid: z.int().optional(),
      host: z.string().optional().describe("machine on which it runs"),
      since: time.optional(),
      version: z.string().optional(),
      address: z.string().optional(),
      fingerprint: z.string().optional(),
      gateway: z.string().optional(),
      page: z.boolean().optional(),
      vaults: count.optional(),
      troubles: count.optional().describe("things that keep it from taking backups; `server status` names them"),
      data: z.string(),
      logs: z.string(),
    }),
  ],
  logs: [z.strictObject({ type: z.literal("line"), command: z.literal("logs"), file: z.string(), line: z.string() })],
  serve: [
    z.strictObject({
      type: z.literal("started"),
      command: z.literal("serve"),
      address: z.string(),
      port: z.int().optional().describe("where HTTPS is served"),
      httpPort: z.int().optional().describe("where plain HTTP is served"),
      fingerprint: z.string().optional().describe("what devices pin: SHA-256 of the certificate"),
      setup: z.string().optional().describe("link, good once, by which the first owner is made"),
      socket: z.string().describe("the local socket"),
      vaults: z.array(z.strictObject({ id, name: z.string(), problem: z.string().optional() })),
      gateway: z
        .strictObject({ host: z.string(), port: z.int(), vault: id, warnings: z.array(z.string()) })
        .optional()
        .describe("where clients of version 3 are served, with --gateway"),
    }),
    serveEvent,
    result("serve", { stopped: z.literal(true) }),
  ],
  web: [
    z.strictObject({
      type: z.literal("started"),
      command: z.literal("web"),
      address: z.string().describe("where the page is"),
      server: z.string(),
      port: z.int(),
    }),
    result("web", { stopped: z.literal(true) }),
  ],
  "server setup": [
    result("server setup", {
      person: z.string().describe("id of the account"),
      email: z.string(),
      role: z.enum(["viewer", "operator", "owner"]).nullable(),
    }),
  ],
  gateway: [
    z.strictObject({
      type: z.literal("started"),
      command: z.literal("gateway"),
      host: z.string(),
      port: z.int().describe("the one that was free, for port 0"),
      store: z.enum(["vault", "plain"]),
      warnings: z.array(z.string()),
    }),
    summary("gateway", {
      stored: count.describe("uploads that were confirmed and are safe"),
      refused: count.describe("requests that were answered with an error"),
      receivedBytes: bytes.describe("bytes off the wire"),
    }),
  ],
  "gateway clients": [
    result("gateway clients", {
      clients: z.array(
        z.strictObject({
          name: z.string(),
          hasKey: z.boolean(),
          registeredAt: time,
          lastSeenAt: time.optional(),
          lastUploadAt: time.optional(),
          retireAt: time.optional(),
        }),
      ),
    }),
  ],
  "gateway import": [
    result("gateway import", {
      imported: count,
      present: count.describe("known already"),
      refused: z.array(z.strictObject({ name: z.string(), reason: z.enum(["id_taken", "name_taken", "invalid"]) })),
    }),
  ],
  "gateway retire": [result("gateway retire", { name: z.string(), retireAt: time.optional() })],
  "gateway reset": [result("gateway reset", { name: z.string() })],
  "gateway forget": [result("gateway forget", { name: z.string() })],
  config: [
    result("config", {
      file: z.string().optional(),
      settings: z.array(
        z.strictObject({ key: z.string(), value: z.string(), origin: z.string(), description: z.string() }),
      ),
    }),
  ],
  completion: [result("completion", { shell: z.string(), script: z.string() })],
  demo: [
    result("demo", {
      ok: z.boolean(),
      files: count,
      bytes,
      storedBytes: bytes,
      folder: z.string().optional().describe("only with --keep"),
      steps: z.array(z.strictObject({ step: z.string(), durationMs: z.number() })),
    }),
  ],
} as const satisfies Record<string, readonly z.ZodObject[]>;

type DocumentSchema = (typeof DOCUMENTS)[keyof typeof DOCUMENTS][number] | typeof errorSchema;
export type JsonDocument = z.infer<DocumentSchema>;
/** The last document of a command. */
export type Ending<Command extends string> = Extract<JsonDocument, { command: Command; type: "summary" | "result" }>;
export type ProgressDocument = z.infer<typeof progressSchema>;
export type ProblemJson = z.infer<typeof problemSchema>;
export type SnapshotJson = z.infer<typeof snapshotSchema>;
export type EntryJson = z.infer<typeof entrySchema>;
export type FindingJson = Ending<"doctor">["findings"][number];
export type AgentEventJson = z.infer<typeof agentEvent>;
export type ServeEventJson = z.infer<typeof serveEvent>;
