// What deploy/monitoring ships fits the server: every metric that its dashboard and its rules name is in what the server answers, the
// rules are what promtool takes, and a real Prometheus scrapes the server by the shipped configuration and answers every query of both.
// The last two need Debian's package `prometheus`; without it they say that they are skipped.

import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Run } from "../../src/wire/v4/api/run-routes.ts";
import { makeVault } from "../server/device.ts";
import { addOwner, login, machine, OWNER } from "../server/people-kit.ts";
import { ask, type Rig, startRig } from "../server/rig.ts";
import { until } from "../until.ts";

const SHIPPED = join(import.meta.dirname, "..", "..", "deploy", "monitoring");

type Dashboard = { panels: { title: string; type: string; targets?: { expr: string }[] }[] };

const dashboard = JSON.parse(readFileSync(join(SHIPPED, "grafana-dashboard.json"), "utf8")) as Dashboard;
const rules = readFileSync(join(SHIPPED, "alerts.yml"), "utf8");
const QUERIES = [
  ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ...[...rules.matchAll(/^ +expr: (.+)$/gm)].map(([, expr]) => expr!),
];

const hasPrometheus = has("promtool") && has("prometheus");
const skip = hasPrometheus ? false : "Prometheus is not installed (apt-get install prometheus)";

function has(program: string): boolean {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe("monitoring", () => {
  let rig: Rig;
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "cb-prom-"));
    rig = await startRig({ settings: { listen: { host: "127.0.0.1", port: 0 } } });
    await makeVault(rig, "home", 1);
    await addOwner(rig);
  });
  after(async () => {
    await rig[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test("every metric that is shown or watched is one that the server has", async () => {
    const text = (await machine(rig).call("GET", "/metrics")).body.toString();
    const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!]));
    assert.ok(QUERIES.length > 50, "queries were not found");
    const named = new Set(QUERIES.flatMap((query) => query.match(/cyberbackup_\w+/g) ?? []));
    for (const name of named) {
      const whole = name.replace(/_(bucket|sum|count)$/, "");
      const type = types.get(name) ?? (types.get(whole) === "histogram" ? "histogram" : undefined);
      assert.ok(type !== undefined, `the server has no metric ${name}`);
      const isRated = QUERIES.some((query) => new RegExp(`(rate|increase)\\(${name}\\b`).test(query));
      if (isRated) assert.notEqual(type, "gauge", `${name} is a gauge, of which there is no rate`);
    }
    // Nothing that an operator asks is left out of the dashboard.
    const idle = [...types.keys()].filter((name) => ![...named].some((used) => used.startsWith(name)));
    assert.deepEqual(idle.sort(), [
      "cyberbackup_alerts_raised_total",
      "cyberbackup_last_snapshot_timestamp_seconds",
      "cyberbackup_packs_received_total",
      "cyberbackup_sessions_total",
      "cyberbackup_snapshots_committed_total",
      "cyberbackup_start_timestamp_seconds",
    ]);
    assert.match(text, /^cyberbackup_build_info\{version="4\.[^"]+",node="v\d+[^"]*"\} 1$/m);
    assert.match(text, /^cyberbackup_certificate_end_timestamp_seconds \d{10}/m);
    assert.match(text, /^cyberbackup_vault_up\{vault="home"\} 1$/m);
  });

  test("a run counts once, when it has ended, however often it is told of", async () => {
    const { kit } = rig.server;
    const vault = kit.vaults.byNameOrId("home")!.id;
    const counts = { files: 10, problems: 2 };
    const bytes = { done: 100, read: 50, new: 20, added: 10, sent: 10 };
    const told = { run: "01".repeat(16), vault, device: "02".repeat(16), kind: "backup", trigger: "schedule" };
    const run = (change: object) =>
      kit.emit({ type: "run", vault, run: { ...told, counts, bytes, elapsedMs: 5000, ...change } as unknown as Run });
    run({ state: "running", endedAt: null });
    run({ state: "done", endedAt: 1 });
    run({ state: "done", endedAt: 1 });
    kit.emit({ type: "notification", kind: "ntfy", outcome: "sent" });
    const text = (await machine(rig).call("GET", "/metrics")).body.toString();
    for (const line of [
      'cyberbackup_runs_total{vault="home",kind="backup",state="done",trigger="schedule"} 1',
      'cyberbackup_run_duration_seconds_sum{vault="home"} 5',
      'cyberbackup_run_files_total{vault="home"} 10',
      'cyberbackup_run_problems_total{vault="home"} 2',
      'cyberbackup_run_bytes_total{vault="home",what="added"} 10',
      'cyberbackup_notifications_total{kind="ntfy",outcome="sent"} 1',
    ]) {
      assert.ok(text.includes(`${line}\n`), line);
    }
  });

  test("promtool takes the rules and the configuration", { skip }, () => {
    execFileSync("promtool", ["check", "rules", join(SHIPPED, "alerts.yml")], { stdio: "pipe" });
    const args = ["check", "config", "--syntax-only", join(SHIPPED, "prometheus.yml")];
    execFileSync("promtool", args, { stdio: "pipe" });
  });

  test("a real Prometheus scrapes the server and answers every query", { skip }, async () => {
    const port = await freePort();
    writeFileSync(join(folder, "key"), await login(rig, OWNER, { role: "viewer" }), { mode: 0o600 });
    writeFileSync(join(folder, "alerts.yml"), rules);
    writeFileSync(join(folder, "prometheus.yml"), testConfig());
    const child = spawn(
      "prometheus",
      [
        `--config.file=${join(folder, "prometheus.yml")}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--log.level=error",
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    try {
      await untilSeen(child, async () => (await query(port, 'up{job="cyberbackup"}'))[0]?.value[1] === "1");
      assert.deepEqual(
        (await query(port, "cyberbackup_vault_up")).map(({ metric, value }) => [metric.vault, value[1]]),
        [["home", "1"]],
      );
      for (const each of QUERIES) await query(port, each);
      const { data } = JSON.parse((await ask({ port }, "/api/v1/rules")).body.toString());
      const states = data.groups[0].rules.map((rule: { health: string }) => rule.health);
      assert.ok(states.length > 10 && !states.includes("err"));
    } finally {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    }
  });

  /** The shipped one, with what it says is to be put in. */
  function testConfig(): string {
    const { port } = { port: rig.server.httpPort! };
    return readFileSync(join(SHIPPED, "prometheus.yml"), "utf8")
      .replaceAll("30s", "1s")
      .replace("scheme: https", "scheme: http")
      .replace("/etc/prometheus/cyberbackup-key", join(folder, "key"))
      .replace(/ +tls_config:\n(?: +#.*\n)* +ca_file: .*\n/, "")
      .replace("backup.example.org:9443", `127.0.0.1:${port}`);
  }
});

type Sample = { metric: Record<string, string>; value: [number, string] };

async function query(port: number, text: string): Promise<Sample[]> {
  const { body } = await ask({ port }, `/api/v1/query?query=${encodeURIComponent(text)}`);
  const { status, data, error } = JSON.parse(body.toString());
  assert.equal(status, "success", `${text}: ${error}`);
  return data.result as Sample[];
}

/** While it starts nobody listens. */
async function untilSeen(child: ChildProcess, holds: () => Promise<boolean>): Promise<void> {
  await until("Prometheus sees the server", () => {
    if (child.exitCode !== null) throw new Error(`Prometheus ended: ${child.stderr?.read()}`);
    return holds().catch(() => false);
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
