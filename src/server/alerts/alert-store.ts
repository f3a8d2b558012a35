// Alerts in server.db: what is found wrong is compared with what is known to be wrong, so that each thing is raised once, kept up to date while
// it lasts, and cleared once. What somebody has dismissed stays quiet until it is over, or happens to another run.

import { createHash } from "node:crypto";
import { AppError } from "../../core/errors.ts";
import type { DeviceId, NameToken, SessionId, VaultId } from "../../core/ids.ts";
import type { Database, SqlValue } from "../../vault/database.ts";
import type { Alert, AlertAction, AlertKind, Severity } from "../../wire/v4/api/overview-routes.ts";

export const ALERT_STEPS: readonly string[] = [
  `
  CREATE TABLE alerts (
    alert INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, kind TEXT NOT NULL, severity TEXT NOT NULL, action TEXT NOT NULL,
    vault TEXT, device TEXT, plan TEXT, run TEXT, job TEXT, since INTEGER NOT NULL, clearedAt INTEGER, dismissed INTEGER NOT NULL,
    details TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX alerts_open ON alerts (key) WHERE clearedAt IS NULL OR dismissed = 1;
  CREATE INDEX alerts_by_vault ON alerts (vault, alert);
  `,
];

/** Alerts that are over are kept for so long. */
const KEPT_MS = 400 * 86_400_000;

/** Something that is wrong now. */
export type Finding = {
  readonly kind: AlertKind;
  readonly severity: Severity;
  readonly action: AlertAction;
  readonly vault?: VaultId | undefined;
  readonly device?: DeviceId | undefined;
  /** Of a plan at the server. */
  readonly plan?: string | undefined;
  /** Of snapshots: tells plans apart that the server does not have. */
  readonly token?: NameToken | undefined;
  readonly run?: SessionId | undefined;
  /** Kind of a job, and its id. */
  readonly jobKind?: string | undefined;
  readonly job?: string | undefined;
  readonly values?: Readonly<Record<string, string | number>> | undefined;
};

export type AlertChange = { readonly what: "raised" | "cleared"; readonly alert: Alert };

/** `mayRaise` is asked before something new is raised: what it refuses is raised the next time. */
export function reconcile(
  database: Database,
  findings: readonly Finding[],
  now: number,
  mayRaise: (finding: Finding) => boolean = () => true,
): AlertChange[] {
  return database.transaction(() => {
    const known = new Map(
      database
        .all<AlertSql>("SELECT * FROM alerts WHERE clearedAt IS NULL OR dismissed = 1")
        .map((row) => [row.key, row]),
    );
    const changes: AlertChange[] = [];
    for (const finding of findings) {
      const key = keyOf(finding);
      const row = known.get(key);
      known.delete(key);
      const isDismissed = row?.dismissed === 1;
      if (isDismissed && row.run === (finding.run ?? null) && row.job === (finding.job ?? null)) continue;
      if (isDismissed) forget(database, row);
      if (row !== undefined && !isDismissed) {
        update(database, row, finding);
        // One that has become grave is news.
        const isWorse = row.severity === "warning" && finding.severity === "danger";
        if (isWorse) changes.push({ what: "raised", alert: getAlert(database, String(row.alert)) });
      } else if (mayRaise(finding)) changes.push({ what: "raised", alert: insert(database, key, finding, now) });
    }
    for (const row of known.values()) {
      if (row.dismissed === 1) forget(database, row);
      else changes.push({ what: "cleared", alert: clear(database, row, now, false) });
    }
    return changes;
  });
}

/** Throws `not_found`. */
export function getAlert(database: Database, id: string): Alert {
  const row = /^\d{1,15}$/.test(id) && database.get<AlertSql>("SELECT * FROM alerts WHERE alert = ?", Number(id));
  if (!row) throw new AppError("not_found", { context: { what: `The alert ${id}` } });
  return toAlert(row);
}

/** The alert as it is then; undefined when it was over. */
export function dismissAlert(database: Database, id: string, now: number): Alert | undefined {
  const sql = "SELECT * FROM alerts WHERE alert = ? AND clearedAt IS NULL";
  const row = database.get<AlertSql>(sql, Number(id));
  return row && clear(database, row, now, true);
}

/** Open ones, oldest first. */
export function openAlerts(database: Database): Alert[] {
  return database.all<AlertSql>("SELECT * FROM alerts WHERE clearedAt IS NULL ORDER BY alert").map(toAlert);
}

/** Newest first. null among the vaults: alerts of the server itself. */
export function listAlerts(
  database: Database,
  asked: {
    readonly vaults: readonly (VaultId | null)[];
    readonly isOpen: boolean;
    readonly after?: string | undefined;
    readonly limit: number;
  },
): { items: Alert[]; next: string | null } {
  const terms = ["vault IS ?", ...asked.vaults.slice(1).map(() => "vault IS ?")].join(" OR ");
  if (asked.vaults.length === 0) return { items: [], next: null };
  const values: SqlValue[] = [...asked.vaults, Number(asked.after ?? Number.MAX_SAFE_INTEGER), asked.limit + 1];
  const open = asked.isOpen ? "AND clearedAt IS NULL" : "";
  const rows = database.all<AlertSql>(
    `SELECT * FROM alerts WHERE (${terms}) AND alert < ? ${open} ORDER BY alert DESC LIMIT ?`,
    ...values,
  );
  const page = rows.slice(0, asked.limit);
  return { items: page.map(toAlert), next: rows.length > page.length ? String(page.at(-1)!.alert) : null };
}

export function trimAlerts(database: Database, now: number): void {
  database.run("DELETE FROM alerts WHERE clearedAt < ? AND dismissed = 0", now - KEPT_MS);
}

/** What makes two findings the same trouble. */
function keyOf({ kind, vault, device, plan, token, jobKind }: Finding): string {
  const parts = [kind, vault ?? "", device ?? "", plan ?? "", token ?? "", jobKind ?? ""].join(" ");
  return createHash("sha256").update(parts).digest("hex").slice(0, 32);
}

function insert(database: Database, key: string, finding: Finding, now: number): Alert {
  const { lastInsertRowid } = database.run(
    `INSERT INTO alerts (key, kind, severity, action, vault, device, plan, run, job, since, dismissed, details)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)`,
    key,
    finding.kind,
    finding.severity,
    finding.action,
    finding.vault ?? null,
    finding.device ?? null,
    finding.plan ?? null,
    finding.run ?? null,
    finding.job ?? null,
    now,
    JSON.stringify(finding.values ?? {}),
  );
  return getAlert(database, String(lastInsertRowid));
}

/** Numbers and the run may have moved on; when it began stays. */
function update(database: Database, row: AlertSql, finding: Finding): void {
  const { severity, action } = finding;
  const [run, job] = [finding.run ?? null, finding.job ?? null];
  const details = JSON.stringify(finding.values ?? {});
  const isSame =
    row.severity === severity && row.action === action && row.run === run && row.job === job && row.details === details;
  if (isSame) return;
  const sql = "UPDATE alerts SET severity = ?, action = ?, run = ?, job = ?, details = ? WHERE alert = ?";
  database.run(sql, severity, action, run, job, details, row.alert);
}

function clear(database: Database, row: AlertSql, now: number, isDismissed: boolean): Alert {
  const sql = "UPDATE alerts SET clearedAt = ?, dismissed = ? WHERE alert = ?";
  database.run(sql, now, isDismissed ? 1 : 0, row.alert);
  return toAlert({ ...row, clearedAt: now });
}

/** A dismissed one that is over, or happens anew. */
function forget(database: Database, { alert }: AlertSql): void {
  database.run("UPDATE alerts SET dismissed = 0 WHERE alert = ?", alert);
}

type AlertSql = {
  alert: number;
  key: string;
  kind: AlertKind;
  severity: Severity;
  action: AlertAction;
  vault: VaultId | null;
  device: DeviceId | null;
  plan: string | null;
  run: SessionId | null;
  job: string | null;
  since: number;
  clearedAt: number | null;
  dismissed: number;
  details: string;
};

function toAlert({ alert, key: _, dismissed: __, details, ...row }: AlertSql): Alert {
  return { id: String(alert), ...row, values: JSON.parse(details) as Alert["values"] };
}
