// The history of runs in server.db: rows and what is asked of them. Which row comes next in a list is by its start, then by its number.

import type { DeviceId, NameToken, SessionId, SnapshotId, VaultId } from "../../core/ids.ts";
import type { Database, SqlValue } from "../../vault/database.ts";
import type { Run, RunKind, RunPhase, RunState, RunTrigger, Wanted } from "../../wire/v4/api/run-routes.ts";

export const RUN_STEPS: readonly string[] = [
  `
  CREATE TABLE runs (
    no INTEGER PRIMARY KEY AUTOINCREMENT, vault TEXT NOT NULL, run TEXT NOT NULL, device TEXT NOT NULL,
    kind TEXT NOT NULL, state TEXT NOT NULL, phase TEXT NOT NULL, plan TEXT, planId TEXT, trigger TEXT NOT NULL,
    startedAt INTEGER NOT NULL, heardAt INTEGER NOT NULL, endedAt INTEGER, elapsedMs INTEGER NOT NULL, n INTEGER NOT NULL,
    counts TEXT NOT NULL, bytes TEXT NOT NULL, expected TEXT, problems INTEGER NOT NULL, addedBytes INTEGER NOT NULL,
    snapshot TEXT, error TEXT, wanted TEXT NOT NULL, isReported INTEGER NOT NULL, details BLOB,
    UNIQUE (vault, run)
  ) STRICT;
  CREATE INDEX runs_by_device ON runs (vault, device, startedAt);
  CREATE INDEX runs_by_start ON runs (startedAt);
  CREATE INDEX runs_by_plan ON runs (vault, device, plan, startedAt);
  CREATE INDEX runs_open ON runs (vault) WHERE endedAt IS NULL;
  CREATE TABLE run_marks (vault TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE device_about (
    vault TEXT NOT NULL, device TEXT NOT NULL, version TEXT NOT NULL, os TEXT NOT NULL, release TEXT NOT NULL,
    arch TEXT NOT NULL, toldAt INTEGER NOT NULL, PRIMARY KEY (vault, device)
  ) STRICT, WITHOUT ROWID;
  `,
];

/** A run with the number of its last report. */
export type StoredRun = { run: Run; n: number };

export type RunFilter = {
  /** Vaults that may be looked at. */
  readonly vaults: readonly VaultId[];
  readonly device?: DeviceId | undefined;
  readonly plan?: NameToken | undefined;
  readonly state?: RunState | undefined;
  readonly kind?: RunKind | undefined;
  readonly trigger?: RunTrigger | undefined;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
};

export function saveRun(database: Database, { run, n }: StoredRun): void {
  database.run(
    `INSERT INTO runs (vault, run, device, kind, state, phase, plan, planId, trigger, startedAt, heardAt, endedAt, elapsedMs, n,
       counts, bytes, expected, problems, addedBytes, snapshot, error, wanted, isReported)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (vault, run) DO UPDATE SET kind = excluded.kind, state = excluded.state, phase = excluded.phase,
       plan = excluded.plan, planId = excluded.planId, trigger = excluded.trigger, startedAt = excluded.startedAt,
       heardAt = excluded.heardAt, endedAt = excluded.endedAt, elapsedMs = excluded.elapsedMs, n = excluded.n,
       counts = excluded.counts, bytes = excluded.bytes, expected = excluded.expected, problems = excluded.problems,
       addedBytes = excluded.addedBytes, snapshot = excluded.snapshot, error = excluded.error, wanted = excluded.wanted,
       isReported = excluded.isReported`,
    run.vault,
    run.run,
    run.device,
    run.kind,
    run.state,
    run.phase,
    run.plan,
    run.planId,
    run.trigger,
    run.startedAt,
    run.heardAt,
    run.endedAt,
    run.elapsedMs,
    n,
    JSON.stringify(run.counts),
    JSON.stringify(run.bytes),
    run.expected && JSON.stringify(run.expected),
    run.counts.problems,
    run.bytes.added,
    run.snapshot,
    run.error,
    run.wanted,
    run.isReported ? 1 : 0,
  );
}

export function saveDetails(database: Database, vault: VaultId, run: SessionId, details: Uint8Array): void {
  database.run("UPDATE runs SET details = ? WHERE vault = ? AND run = ?", details, vault, run);
}

/** undefined when there are none. */
export function readDetails(database: Database, vault: VaultId, run: SessionId): Uint8Array | undefined {
  const sql = "SELECT details FROM runs WHERE vault = ? AND run = ?";
  return database.get<{ details: Uint8Array | null }>(sql, vault, run)?.details ?? undefined;
}

export function readRun(database: Database, vault: VaultId, run: SessionId): StoredRun | undefined {
  const row = database.get<RunSql>(`SELECT ${COLUMNS} FROM runs WHERE vault = ? AND run = ?`, vault, run);
  return row && toRun(row);
}

export function unfinishedRuns(database: Database): StoredRun[] {
  return database.all<RunSql>(`SELECT ${COLUMNS} FROM runs WHERE endedAt IS NULL`).map(toRun);
}

/** Newest first, one more than a page holds, so that it is known whether there is a next one. */
export function listRuns(database: Database, filter: RunFilter): { items: Run[]; next: string | null } {
  const { vaults, after, limit, from, to } = filter;
  if (vaults.length === 0) return { items: [], next: null };
  const terms = [`vault IN (${vaults.map(() => "?").join(", ")})`];
  const values: SqlValue[] = [...vaults];
  const term = (sql: string, ...given: SqlValue[]): void => {
    terms.push(sql);
    values.push(...given);
  };
  for (const name of ["device", "plan", "state", "kind", "trigger"] as const) {
    const value = filter[name];
    if (value !== undefined) term(`${name} = ?`, value);
  }
  if (from !== undefined) term("startedAt >= ?", from);
  if (to !== undefined) term("startedAt < ?", to);
  if (after !== undefined) {
    const [startedAt = 0, no = 0] = after.split("-").map(Number);
    term("(startedAt < ? OR startedAt = ? AND no < ?)", startedAt, startedAt, no);
  }
  const rows = database.all<RunSql>(
    `SELECT ${COLUMNS} FROM runs WHERE ${terms.join(" AND ")} ORDER BY startedAt DESC, no DESC LIMIT ?`,
    ...values,
    limit + 1,
  );
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const next = rows.length > limit && last !== undefined ? `${last.startedAt}-${last.no}` : null;
  return { items: page.map((row) => toRun(row).run), next };
}

const COLUMNS = `no, vault, run, device, kind, state, phase, plan, planId, trigger, startedAt, heardAt, endedAt, elapsedMs, n, counts,
  bytes, expected, snapshot, error, wanted, isReported, details IS NOT NULL AS hasDetails`;

type RunSql = {
  no: number;
  vault: VaultId;
  run: SessionId;
  device: DeviceId;
  kind: RunKind;
  state: RunState;
  phase: RunPhase;
  plan: NameToken | null;
  planId: string | null;
  trigger: RunTrigger;
  startedAt: number;
  heardAt: number;
  endedAt: number | null;
  elapsedMs: number;
  n: number;
  counts: string;
  bytes: string;
  expected: string | null;
  snapshot: SnapshotId | null;
  error: string | null;
  wanted: Wanted;
  isReported: number;
  hasDetails: number;
};

function toRun({ no: _, n, counts, bytes, expected, isReported, hasDetails, ...row }: RunSql): StoredRun {
  return {
    n,
    run: {
      ...row,
      counts: JSON.parse(counts) as Run["counts"],
      bytes: JSON.parse(bytes) as Run["bytes"],
      expected: expected === null ? null : (JSON.parse(expected) as NonNullable<Run["expected"]>),
      isReported: isReported !== 0,
      hasDetails: hasDetails !== 0,
    },
  };
}
