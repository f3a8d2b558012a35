// What metrics tell of runs, plans, devices and alerts: read when somebody asks, from what the server keeps anyway.

import type { VaultId } from "../../core/ids.ts";
import type { Database } from "../../vault/database.ts";
import type { GaugeFamily } from "../kit.ts";

type Names = (vault: VaultId) => string;

export function runGauges(database: Database, nameOf: Names): GaugeFamily[] {
  const rows = (sql: string) => database.tuples<(string | number | null)[]>(sql);
  const perVault = (sql: string) =>
    rows(sql).map(([vault, value]) => ({ labels: { vault: nameOf(vault as VaultId) }, value: Number(value) }));
  const perPlan = (sql: string) =>
    rows(sql).map(([vault, device, plan, at]) => ({
      labels: { vault: nameOf(vault as VaultId), device: String(device), plan: String(plan ?? "") },
      value: Number(at) / 1000,
    }));
  return [
    {
      name: "runs_running",
      help: "Runs that have begun and not ended.",
      labels: ["vault"],
      values: perVault("SELECT vault, count(*) FROM runs WHERE endedAt IS NULL GROUP BY vault"),
    },
    {
      name: "run_last_success_timestamp_seconds",
      help: "When a backup last ended well, by device and name token of its plan.",
      labels: ["vault", "device", "plan"],
      values: perPlan(
        "SELECT vault, device, plan, max(endedAt) FROM runs WHERE kind = 'backup' AND state = 'done' GROUP BY vault, device, plan",
      ),
    },
    {
      name: "plan_next_due_timestamp_seconds",
      help: "When a plan at the server is due next, by its id.",
      labels: ["vault", "device", "plan"],
      values: perPlan(
        `SELECT vault, device, plan, nextDueAt FROM plans
         WHERE deleted = 0 AND enabled = 1 AND pausedUntil IS NULL AND nextDueAt IS NOT NULL`,
      ),
    },
    {
      name: "protected_bytes",
      help: "Bytes of files in the last good run of each device and plan, before deduplication and compression.",
      labels: ["vault"],
      values: perVault(
        `SELECT vault, protectedBytes FROM vault_samples AS s
         WHERE at = (SELECT max(at) FROM vault_samples WHERE vault = s.vault) GROUP BY vault`,
      ),
    },
    {
      name: "alerts_open",
      help: "Alerts that are open.",
      labels: ["kind", "severity"],
      values: rows("SELECT kind, severity, count(*) FROM alerts WHERE clearedAt IS NULL GROUP BY kind, severity").map(
        ([kind, severity, count]) => ({
          labels: { kind: String(kind), severity: String(severity) },
          value: Number(count),
        }),
      ),
    },
  ];
}
