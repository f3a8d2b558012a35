// The history of jobs in server.db. A job's row is written when its state changes; its progress is kept in memory and written now
// and then, so that watching costs nothing.

import type { VaultId } from "../../core/ids.ts";
import type { Database } from "../../vault/database.ts";
import { JOB_STATES, type Job, type JobKind, type JobOptions, type JobState } from "../../wire/v4/api/job-routes.ts";
import type { Migrations } from "../database.ts";
import type { Parts } from "../store-parts.ts";

export const JOB_MIGRATIONS: Migrations = {
  part: "jobs",
  steps: [
    `
    CREATE TABLE jobs (
      job INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, vault TEXT, options TEXT NOT NULL, dryRun INTEGER NOT NULL,
      state INTEGER NOT NULL, progress TEXT, result TEXT, error TEXT,
      createdAt INTEGER NOT NULL, startedAt INTEGER, endedAt INTEGER, startedBy TEXT NOT NULL, version INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX jobs_by_kind ON jobs (kind, vault, job);
    CREATE INDEX jobs_by_vault ON jobs (vault, job);
    CREATE TABLE schedules (
      kind TEXT NOT NULL, vault TEXT NOT NULL, cron TEXT NOT NULL, timeZone TEXT NOT NULL, isEnabled INTEGER NOT NULL,
      PRIMARY KEY (kind, vault)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE vault_settings (
      vault TEXT PRIMARY KEY, retention TEXT NOT NULL, trashDays INTEGER NOT NULL, quota TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE device_quotas (
      vault TEXT NOT NULL, device TEXT NOT NULL, quota TEXT NOT NULL, PRIMARY KEY (vault, device)
    ) STRICT, WITHOUT ROWID;
    `,
  ],
};

/** Jobs that are kept of each kind and vault, beside the last that was done. */
const KEPT = 500;

export type JobFilter = {
  readonly vault?: VaultId | undefined;
  readonly kind?: JobKind | undefined;
  readonly state?: JobState | undefined;
  /** Only jobs before this one. */
  readonly before?: number | undefined;
  readonly limit: number;
};

export class JobStore {
  readonly #database: Database;

  constructor({ database }: Parts<"database">) {
    this.#database = database;
  }

  /** The job with its number. */
  insert(job: Omit<Job, "id">): Job {
    const { lastInsertRowid } = this.#database.run(
      `INSERT INTO jobs (kind, vault, options, dryRun, state, createdAt, startedBy, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      job.kind,
      job.vault,
      JSON.stringify(job.options),
      job.dryRun ? 1 : 0,
      JOB_STATES.indexOf(job.state),
      job.createdAt,
      job.startedBy,
      job.version,
    );
    this.#database.run(
      `DELETE FROM jobs WHERE kind = ? AND vault IS ? AND job <= ? AND state > 1
       AND job < (SELECT max(job) FROM jobs j WHERE j.kind = jobs.kind AND j.vault IS jobs.vault AND j.state = 2)`,
      job.kind,
      job.vault,
      lastInsertRowid - KEPT,
    );
    return { ...job, id: String(lastInsertRowid) };
  }

  update(job: Job): void {
    this.#database.run(
      `UPDATE jobs SET state = ?, progress = ?, result = ?, error = ?, startedAt = ?, endedAt = ?, version = ? WHERE job = ?`,
      JOB_STATES.indexOf(job.state),
      job.progress && JSON.stringify(job.progress),
      job.result && JSON.stringify(job.result),
      job.error && JSON.stringify(job.error),
      job.startedAt,
      job.endedAt,
      job.version,
      Number(job.id),
    );
  }

  get(id: string): Job | undefined {
    const row = /^\d{1,15}$/.test(id) && this.#database.get<JobRow>("SELECT * FROM jobs WHERE job = ?", Number(id));
    return row ? toJob(row) : undefined;
  }

  /** Newest first. */
  list({ vault, kind, state, before, limit }: JobFilter): Job[] {
    const wanted: [string, string | number | undefined][] = [
      ["vault = ?", vault],
      ["kind = ?", kind],
      ["state = ?", state && JOB_STATES.indexOf(state)],
      ["job < ?", before],
    ];
    const given = wanted.filter(([, value]) => value !== undefined) as [string, string | number][];
    const where = given.length === 0 ? "" : `WHERE ${given.map(([sql]) => sql).join(" AND ")}`;
    const values = given.map(([, value]) => value);
    return this.#database
      .all<JobRow>(`SELECT * FROM jobs ${where} ORDER BY job DESC LIMIT ?`, ...values, limit)
      .map(toJob);
  }

  /** Jobs that were at work when the server stopped without a word. */
  unfinished(): Job[] {
    return this.#database.all<JobRow>("SELECT * FROM jobs WHERE state < 2 ORDER BY job").map(toJob);
  }

  /** When the last one began that was not cut short by the end of the server. */
  lastRun(kind: JobKind, vault: VaultId | null): number | undefined {
    const row = this.#database.get<{ at: number | null }>(
      `SELECT max(coalesce(startedAt, createdAt)) AS at FROM jobs
       WHERE kind = ? AND vault IS ? AND dryRun = 0 AND (state IN (2, 4) OR state = 3 AND error NOT LIKE '{"code":"server_stopping"%')`,
      kind,
      vault,
    );
    return row?.at ?? undefined;
  }

  /** Of each kind and vault the last one that ended by itself, where that failed. */
  failedLast(): { job: string; kind: JobKind; vault: VaultId | null; code: string }[] {
    const rows = this.#database.all<{ job: number; kind: JobKind; vault: VaultId | null; error: string | null }>(
      `SELECT job, kind, vault, error FROM jobs j WHERE dryRun = 0 AND state = 3 AND error NOT LIKE '{"code":"server_stopping"%'
       AND job = (SELECT max(job) FROM jobs l WHERE l.kind = j.kind AND l.vault IS j.vault AND l.dryRun = 0
         AND (l.state = 2 OR l.state = 3 AND l.error NOT LIKE '{"code":"server_stopping"%'))`,
    );
    return rows.map(({ job, kind, vault, error }) => {
      const { code = "internal" } = parsed<{ code?: string }>(error) ?? {};
      return { job: String(job), kind, vault, code };
    });
  }

  /** Jobs that wait or run. */
  countOpen(): { kind: string; state: string; count: number }[] {
    const sql = "SELECT kind, state, count(*) FROM jobs WHERE state < ? GROUP BY kind, state";
    return this.#database
      .tuples<[string, number, number]>(sql, JOB_STATES.indexOf("done"))
      .map(([kind, state, count]) => ({ kind, state: JOB_STATES[state]!, count }));
  }

  /** When the last one ended well. */
  lastDone(kind: JobKind, vault: VaultId | null): number | undefined {
    const row = this.#database.get<{ at: number | null }>(
      "SELECT max(endedAt) AS at FROM jobs WHERE kind = ? AND vault IS ? AND dryRun = 0 AND state = 2",
      kind,
      vault,
    );
    return row?.at ?? undefined;
  }
}

type JobRow = {
  job: number;
  kind: string;
  vault: string | null;
  options: string;
  dryRun: number;
  state: number;
  progress: string | null;
  result: string | null;
  error: string | null;
  createdAt: number;
  startedAt: number | null;
  endedAt: number | null;
  startedBy: string;
  version: number;
};

function toJob(row: JobRow): Job {
  return {
    id: String(row.job),
    kind: row.kind as JobKind,
    vault: row.vault as VaultId | null,
    options: JSON.parse(row.options) as JobOptions,
    dryRun: row.dryRun !== 0,
    state: JOB_STATES[row.state]!,
    progress: parsed(row.progress),
    result: parsed(row.result),
    error: parsed(row.error),
    createdAt: row.createdAt,
    startedAt: row.startedAt,
    endedAt: row.endedAt,
    startedBy: row.startedBy,
    version: row.version,
  };
}

function parsed<T>(text: string | null): T | null {
  return text === null ? null : (JSON.parse(text) as T);
}
