// Numbers for Prometheus: what the server does, and whether every vault, device and plan is still looked after. Labels are ids and
// the names of routes, vaults and devices; never anything from inside a backup. Gauges are read when somebody asks, from what is
// counted anyway: asking costs no walk through an index.

import { statfs } from "node:fs/promises";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { toHex } from "../core/bytes.ts";
import type { DeviceId, VaultId } from "../core/ids.ts";
import { readVersion } from "../node/version.ts";
import { SNAPSHOT_LIVE, SNAPSHOT_PURGED } from "../vault/schema.ts";
import { damagedBlocks } from "../vault/server-queries.ts";
import type { Job } from "../wire/v4/api/job-routes.ts";
import type { GaugeFamily, ServerEvent, ServerKit } from "./kit.ts";
import type { LoopLag } from "./loop-lag.ts";
import type { Quotas } from "./quota.ts";
import { runCounters } from "./run-counters.ts";
import { vaultTrouble } from "./troubles.ts";
import type { ServedVault } from "./vaults.ts";

export type MetricsOptions = {
  readonly kit: ServerKit;
  readonly quotas: Quotas;
  readonly lag: LoopLag;
  /** When the block that was read longest ago was read; undefined for a vault without blocks. */
  oldestRead(served: ServedVault): Promise<number | undefined>;
  /** Jobs that wait or run. */
  openJobs(): { kind: string; state: string; count: number }[];
  /** When a job of the kind last ended well. */
  lastDone(kind: Job["kind"], vault: VaultId | null): number | undefined;
};

export type Metrics = {
  onEvent(event: ServerEvent): void;
  onJob(job: Job): void;
  /** In the text format 0.0.4. */
  text(): Promise<string>;
};

const PREFIX = "cyberbackup_";
const SECONDS = [0.005, 0.02, 0.05, 0.1, 0.25, 1, 5, 30];

export function makeMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name: PREFIX + name, help, labelNames, registers });
  const requests = counter("http_requests_total", "Requests answered.", ["route", "status"]);
  const durations = new Histogram({
    name: `${PREFIX}http_request_duration_seconds`,
    help: "How long requests took, their bodies included.",
    labelNames: ["route"],
    buckets: SECONDS,
    registers,
  });
  const sessions = counter("sessions_total", "Sessions that were opened.", ["vault"]);
  const packs = counter("packs_received_total", "Packs that were stored.", ["vault"]);
  const received = counter("received_bytes_total", "Bytes of packs that were stored.", ["vault"]);
  const commits = counter("snapshots_committed_total", "Snapshots that were committed.", ["vault"]);
  const jobs = counter("jobs_total", "Jobs that have ended.", ["kind", "vault", "state"]);
  const freed = counter("gc_freed_bytes_total", "Bytes that garbage collection gave back.", ["vault"]);
  const gauges = makeGauges(registers);
  const nameOf = (vault: VaultId): string => options.kit.vaults.byNameOrId(vault)?.name ?? vault;
  const countRuns = runCounters(registry, nameOf);
  const cpu = counter("process_cpu_seconds_total", "Processor time of the process.", []);
  gauges.build.set({ version: readVersion(), node: process.version }, 1);
  gauges.startedAt.set(options.kit.clock.now() / 1000);

  return {
    onEvent(event) {
      countRuns(event);
      switch (event.type) {
        case "request":
          requests.inc({ route: event.route, status: String(event.status) });
          durations.observe({ route: event.route }, event.durationMs / 1000);
          return;
        case "session-open":
          sessions.inc({ vault: nameOf(event.vault) });
          return;
        case "pack":
          packs.inc({ vault: nameOf(event.vault) });
          received.inc({ vault: nameOf(event.vault) }, event.sizeBytes);
          return;
        case "commit":
          commits.inc({ vault: nameOf(event.vault) });
      }
    },
    onJob({ kind, vault, state, dryRun, result }) {
      if (dryRun || (state !== "done" && state !== "failed" && state !== "cancelled")) return;
      const name = vault === null ? "" : nameOf(vault);
      jobs.inc({ kind, vault: name, state });
      const bytes = kind === "gc" && typeof result?.freedBytes === "number" ? result.freedBytes : 0;
      if (bytes > 0) freed.inc({ vault: name }, bytes);
    },
    async text() {
      await readGauges(gauges, options);
      for (const family of options.kit.gauges()) setFamily(registry, family);
      const { user, system } = process.cpuUsage();
      cpu.reset();
      cpu.inc((user + system) / 1e6);
      return registry.metrics();
    },
  };
}

type Gauges = ReturnType<typeof makeGauges>;
/** Set once. */
const LASTING: ReadonlySet<string> = new Set(["build", "startedAt"]);

function makeGauges(registers: Registry[]) {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: PREFIX + name, help, labelNames, registers });
  const perVault = ["vault"];
  return {
    vaultUp: gauge("vault_up", "1 for a vault that can be used.", perVault),
    vaultWritable: gauge(
      "vault_takes_backups",
      "1 for a vault that takes backups: it can be used, and its disk did not refuse its index.",
      perVault,
    ),
    stored: gauge("stored_bytes", "Sealed bytes that a device stores.", ["vault", "device"]),
    snapshots: gauge("snapshots", "Snapshots by state.", ["vault", "state"]),
    openSessions: gauge("open_sessions", "Sessions that are open.", perVault),
    lastSuccess: gauge("last_snapshot_timestamp_seconds", "When the last snapshot came.", ["vault", "device", "plan"]),
    damaged: gauge("damaged_blocks", "Blocks whose bytes have rotted and that no backup has healed yet.", perVault),
    oldestRead: gauge("scrub_oldest_timestamp_seconds", "When the block read longest ago was read.", perVault),
    lastJob: gauge("job_last_success_timestamp_seconds", "When a job of the kind last ended well.", ["kind", "vault"]),
    quotaBytes: gauge("quota_used_ratio", "Share of the quota of bytes that is in use.", ["vault", "device"]),
    total: gauge("disk_total_bytes", "Size of the disk of the data folder."),
    certificate: gauge("certificate_end_timestamp_seconds", "When the certificate that is shown ends."),
    requestsRunning: gauge("requests_running", "Requests that are being served."),
    jobsOpen: gauge("jobs_open", "Jobs that wait or run.", ["kind", "state"]),
    heap: gauge("heap_used_bytes", "Memory of the process that holds JavaScript objects."),
    build: gauge("build_info", "1, with what runs.", ["version", "node"]),
    startedAt: gauge("start_timestamp_seconds", "When the server started."),
    free: gauge("disk_free_bytes", "Free bytes on the disk of the data folder."),
    reserve: gauge("disk_reserve_bytes", "Bytes that must stay free for new sessions."),
    connections: gauge("connections", "Open connections."),
    memory: gauge("resident_memory_bytes", "Memory of the process."),
    lag: gauge("event_loop_lag_seconds", "How late the event loop was in the last minute, by quantile.", ["quantile"]),
  };
}

/** Of what a part tells; a family that has no values is told as one without any. */
function setFamily(registry: Registry, { name, help, labels, values }: GaugeFamily): void {
  const full = PREFIX + name;
  const gauge =
    (registry.getSingleMetric(full) as Gauge | undefined) ??
    new Gauge({ name: full, help, labelNames: [...labels], registers: [registry] });
  gauge.reset();
  for (const each of values) gauge.set(each.labels, each.value);
}

async function readGauges(gauges: Gauges, options: MetricsOptions): Promise<void> {
  const { kit, quotas, lag } = options;
  for (const [name, gauge] of Object.entries(gauges)) if (!LASTING.has(name)) gauge.reset();
  setTime(gauges.certificate, {}, kit.identity().expiresAt);
  gauges.requestsRunning.set(kit.running.size);
  const { blocks, bsize } = await statfs(kit.settings.data);
  gauges.total.set(blocks * bsize);
  for (const { kind, state, count } of options.openJobs()) gauges.jobsOpen.set({ kind, state }, count);
  gauges.heap.set(process.memoryUsage().heapUsed);
  gauges.free.set(await quotas.freeBytes());
  gauges.reserve.set(kit.settings.reserveBytes);
  gauges.connections.set(kit.connections());
  gauges.memory.set(process.memoryUsage.rss());
  for (const [quantile, seconds] of lag.quantiles()) gauges.lag.set({ quantile }, seconds);
  setTime(gauges.lastJob, { kind: "database-backup", vault: "" }, options.lastDone("database-backup", null));
  for (const served of kit.vaults.list()) {
    gauges.vaultUp.set({ vault: served.name }, served.problem === undefined ? 1 : 0);
    gauges.vaultWritable.set({ vault: served.name }, vaultTrouble(served) === null ? 1 : 0);
    if (served.problem === undefined) await readVault(gauges, options, served);
  }
}

async function readVault(gauges: Gauges, options: MetricsOptions, served: ServedVault): Promise<void> {
  const { quotas, lastDone } = options;
  const { database } = served.vault.context;
  const vault = served.name;
  const one = (sql: string): number => Number(Object.values(database.get(sql)!)[0]);
  gauges.openSessions.set({ vault }, one("SELECT count(*) FROM leases"));
  gauges.damaged.set({ vault }, damagedBlocks(served.vault.context));
  for (const [state, count] of database.tuples<[number, number]>(
    "SELECT state, count(*) FROM snapshots WHERE state <> ? GROUP BY state",
    SNAPSHOT_PURGED,
  )) {
    gauges.snapshots.set({ vault, state: state === SNAPSHOT_LIVE ? "live" : "trash" }, count);
  }
  for (const [device, plan, at] of database.tuples<[Uint8Array, Uint8Array, number]>(
    "SELECT deviceId, plan, max(receivedAt) FROM snapshots WHERE length(deviceId) > 0 GROUP BY deviceId, plan",
  )) {
    setTime(gauges.lastSuccess, { vault, device: toHex(device), plan: toHex(plan) }, at);
  }
  for (const [id] of database.tuples<[Uint8Array]>("SELECT deviceId FROM devices")) {
    const device = toHex(id) as DeviceId;
    const { bytes } = await quotas.usage(served, device);
    gauges.stored.set({ vault, device }, bytes);
    setShare(gauges.quotaBytes, { vault, device }, bytes, quotas.quotaOf(served.id, device).bytes);
  }
  setShare(
    gauges.quotaBytes,
    { vault, device: "" },
    (await quotas.usage(served)).bytes,
    quotas.quotaOf(served.id).bytes,
  );
  setTime(gauges.oldestRead, { vault }, await options.oldestRead(served));
  for (const kind of ["retention", "gc", "scrub", "check"] as const) {
    setTime(gauges.lastJob, { kind, vault }, lastDone(kind, served.id));
  }
}

function setTime(gauge: Gauge, labels: Record<string, string>, at: number | undefined): void {
  if (at !== undefined) gauge.set(labels, at / 1000);
}

function setShare(gauge: Gauge, labels: Record<string, string>, bytes: number, quota: number | null): void {
  if (quota !== null && quota > 0) gauge.set(labels, bytes / quota);
}
