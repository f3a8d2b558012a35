// Metrics of what has happened: runs that ended, alerts, notifications. A run is told of often; it counts once, when it has ended.

import { Counter, Histogram, type Registry } from "prom-client";
import type { VaultId } from "../core/ids.ts";
import type { Run } from "../wire/v4/api/run-routes.ts";
import type { ServerEvent } from "./kit.ts";

const PREFIX = "cyberbackup_";
const SECONDS = [1, 10, 60, 300, 900, 3600, 10_800, 43_200];
/** Ended runs that are remembered, so that one which is told of again is not counted again. */
const REMEMBERED = 4096;

export function runCounters(registry: Registry, nameOf: (vault: VaultId) => string): (event: ServerEvent) => void {
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name: PREFIX + name, help, labelNames, registers });
  const runs = counter("runs_total", "Runs that have ended.", ["vault", "kind", "state", "trigger"]);
  const durations = new Histogram({
    name: `${PREFIX}run_duration_seconds`,
    help: "How long backups took that ended well.",
    labelNames: ["vault"],
    buckets: SECONDS,
    registers,
  });
  const files = counter("run_files_total", "Files in backups that have ended.", ["vault"]);
  const problems = counter("run_problems_total", "Files and folders that backups could not read.", ["vault"]);
  const bytes = counter(
    "run_bytes_total",
    "Bytes of backups that have ended: done (of files), read, new (that the vault lacked), added (sealed).",
    ["vault", "what"],
  );
  const alerts = counter("alerts_raised_total", "Alerts that were raised.", ["kind", "severity"]);
  const notifications = counter("notifications_total", "Tries to tell somebody.", ["kind", "outcome"]);

  const seen = new Set<string>();
  const isNew = ({ vault, run }: Run): boolean => {
    const key = `${vault}/${run}`;
    if (seen.has(key)) return false;
    seen.add(key);
    if (seen.size > REMEMBERED) seen.delete(seen.values().next().value!);
    return true;
  };
  const count = (run: Run): void => {
    const vault = nameOf(run.vault);
    runs.inc({ vault, kind: run.kind, state: run.state, trigger: run.trigger });
    if (run.kind !== "backup") return;
    if (run.state === "done") durations.observe({ vault }, run.elapsedMs / 1000);
    files.inc({ vault }, run.counts.files);
    problems.inc({ vault }, run.counts.problems);
    for (const what of ["done", "read", "new", "added"] as const) bytes.inc({ vault, what }, run.bytes[what]);
  };
  return (event) => {
    if (event.type === "run" && event.run.endedAt !== null && isNew(event.run)) count(event.run);
    if (event.type === "alert-raised") alerts.inc({ kind: event.alert.kind, severity: event.alert.severity });
    if (event.type === "notification") notifications.inc({ kind: event.kind, outcome: event.outcome });
  };
}
