// The one adapter over SQLite: prepared statements kept by their text, transactions, and errors as AppErrors.
// A transaction is one synchronous function: nothing else of this process can run inside it, and no other process waits long.
// That is why nothing in here may await, and why files are written before or after a transaction, never within one.

import { closeSync, fdatasync, openSync, realpathSync } from "node:fs";
import { backup, DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { promisify } from "node:util";
import { AppError, throwIfAborted } from "../core/errors.ts";
import type { Checkpoints, RunningCheckpoint } from "./checkpoints.ts";

export type SqlValue = SQLInputValue;
export type Row = Record<string, null | number | bigint | string | Uint8Array>;

export type DatabaseOptions = {
  /** How long to wait for another process's transaction. */
  readonly busyTimeoutMs?: number;
  /** Called before each transaction commits; what it throws rolls the transaction back (fault tests). */
  readonly beforeCommit?: (() => void) | undefined;
  /** Waits until what was committed survives a power cut, in place of an fdatasync of the log (schedules and power cuts in tests). */
  readonly flush?: (() => Promise<void>) | undefined;
  /** Writes the log into the database from a thread of its own (default: this thread does, now and then, and stands still meanwhile). */
  readonly checkpoints?: Checkpoints | undefined;
  /** Pages that are kept in memory. */
  readonly cacheKiB?: number | undefined;
};

const BUSY_TIMEOUT_MS = 10_000;
const CACHE_KIB = 16_000;
/** Pages in the log from which on they are written into the database. */
const CHECKPOINT_PAGES = 8192;
/** The same where another thread does it: a little all the time, since thousands of pages at once keep everybody's disk busy for a second. */
const STEP_PAGES = 1024;
/** From here on this thread writes the last few, so that the log can begin anew. */
const LONG_LOG_PAGES = 8 * CHECKPOINT_PAGES;
/** This many say that the other thread does not come to it. */
const OVERDUE_PAGES = 16 * CHECKPOINT_PAGES;
/** Transactions between two looks at the log. */
const LOOK_EVERY = 8;
/** Pages of a copy that are written at a time. */
const COPY_PAGES = 256;
/** Primary result codes (sqlite.org/rescode.html). */
const SQLITE = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  notADatabase: 26,
} as const;

const syncData = promisify(fdatasync);

export class Database {
  readonly path: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #beforeCommit: (() => void) | undefined;
  readonly #checkpoints: Checkpoints | undefined;
  #checkpoint: RunningCheckpoint | undefined;
  /** Pages of the log when the last checkpoint began. */
  #writtenPages = 0;
  /** Pages from which on this thread writes the last few. */
  #longFrom = LONG_LOG_PAGES;
  #commits = 0;
  #isInTransaction = false;
  readonly #flushInstead: (() => Promise<void>) | undefined;
  readonly #hasLog: boolean;
  /** Of the log, for `flush` only. SQLite locks other files, so closing it loses no lock. */
  #logFile: number | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #nextFlush: Promise<void> | undefined;
  /** After one the system has forgotten what it could not write: no later flush could vouch for it. */
  #flushFailure: AppError | undefined;

  constructor(path: string, options: DatabaseOptions = {}) {
    this.path = path;
    this.#beforeCommit = options.beforeCommit;
    this.#flushInstead = options.flush;
    this.#checkpoints = options.checkpoints;
    this.#database = this.#guard(
      () => new DatabaseSync(path, { timeout: options.busyTimeoutMs ?? BUSY_TIMEOUT_MS, defensive: true }),
    );
    // FULL: a commit that has answered survives a power cut (format.md, invariant 2). A checkpoint writes each changed page
    // once, however often it changed, and random chunkIds change most of them in each pack: so checkpoints are rare, every
    // 32 MiB (measured: 2.9 µs a chunk row instead of 4.2), and the file is cut back after one.
    this.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -${options.cacheKiB ?? CACHE_KIB};
      PRAGMA wal_autocheckpoint = ${this.#checkpoints ? OVERDUE_PAGES : CHECKPOINT_PAGES};
      PRAGMA journal_size_limit = 33554432`);
    this.#hasLog = Object.values(this.get("PRAGMA journal_mode") ?? {})[0] === "wal";
  }

  exec(sql: string): void {
    this.#guard(() => this.#database.exec(sql));
  }

  run(sql: string, ...values: SqlValue[]): { changes: number; lastInsertRowid: number } {
    const { changes, lastInsertRowid } = this.#guard(() => this.#statement(sql).run(...values));
    return { changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) };
  }

  get<T extends Row>(sql: string, ...values: SqlValue[]): T | undefined {
    return this.#guard(() => this.#statement(sql).get(...values)) as T | undefined;
  }

  all<T extends Row>(sql: string, ...values: SqlValue[]): T[] {
    return this.#guard(() => this.#statement(sql).all(...values)) as T[];
  }

  /** Whether a statement gives rows, for SQL that a library has written. */
  givesRows(sql: string): boolean {
    return this.#guard(() => this.#statement(sql).columns().length > 0);
  }

  /** Rows as arrays: for the hot queries. */
  tuples<T extends readonly unknown[]>(sql: string, ...values: SqlValue[]): T[] {
    return this.#guard(() => this.#statement(sql, true).all(...values)) as unknown as T[];
  }

  /**
   * Runs `work` in a write transaction that a power cut may undo, though never in part and never out of order: for what is
   * worth nothing after one (leases, what sessions rely on).
   */
  softTransaction<T>(work: () => T): T {
    if (this.#isInTransaction) return work();
    this.exec("PRAGMA synchronous = NORMAL");
    try {
      return this.transaction(work);
    } finally {
      this.exec("PRAGMA synchronous = FULL");
    }
  }

  /**
   * `transaction`, but it is not this thread that waits for the disk. Until the answer a power cut may undo the work, with all that was
   * committed after it: the log keeps its order. Throws `index_refused` too.
   */
  async durably<T>(work: () => T): Promise<T> {
    if (!this.#hasLog) return this.transaction(work);
    const result = this.softTransaction(work);
    await this.flush();
    return result;
  }

  /** Resolves when all that is committed now survives a power cut. Those who wait at a time share one call of the disk. */
  flush(): Promise<void> {
    if (this.#flushInstead !== undefined) return this.#flushInstead();
    this.#nextFlush ??= this.#flushing.then(() => {
      this.#nextFlush = undefined;
      const flush = this.#syncLog();
      this.#flushing = flush.catch(() => undefined);
      return flush;
    });
    return this.#nextFlush;
  }

  /** What the disk said when it refused the log; from then on nothing is vouched for until the database is opened anew. */
  get refusal(): AppError | undefined {
    return this.#flushFailure;
  }

  async #syncLog(): Promise<void> {
    if (!this.#hasLog) return;
    if (!this.#database.isOpen) {
      throw new AppError("io", { context: { path: this.path, detail: "it was closed meanwhile." } });
    }
    if (this.#flushFailure) throw this.#flushFailure;
    try {
      this.#logFile ??= openSync(`${realpathSync(this.path)}-wal`, "r+");
      await syncData(this.#logFile);
    } catch (error) {
      this.#flushFailure = new AppError("index_refused", {
        cause: error,
        context: { path: this.path, detail: `${(error as Error).message}.` },
      });
      throw this.#flushFailure;
    }
  }

  /** Runs `work` in a write transaction. Inside another one it is simply part of that. */
  transaction<T>(work: () => T): T {
    if (this.#isInTransaction) return work();
    this.#guard(() => this.#database.exec("BEGIN IMMEDIATE"));
    this.#isInTransaction = true;
    try {
      const result = work();
      this.#beforeCommit?.();
      this.#guard(() => this.#database.exec("COMMIT"));
      this.#isInTransaction = false;
      this.#lookAtLog();
      return result;
    } catch (error) {
      this.#isInTransaction = false;
      try {
        this.#database.exec("ROLLBACK");
      } catch {
        // SQLite has rolled back by itself (full disk, I/O error): the first error says why.
      }
      throw error;
    }
  }

  /** What was committed stays so whatever happens here. */
  #lookAtLog(): void {
    if (this.#checkpoints === undefined || this.#checkpoint !== undefined || ++this.#commits % LOOK_EVERY > 0) return;
    const pages = this.#pagesInLog();
    if (pages < this.#writtenPages) {
      this.#writtenPages = 0;
      this.#longFrom = LONG_LOG_PAGES;
    }
    if (pages - this.#writtenPages < STEP_PAGES) return;
    this.#writtenPages = pages;
    const running = this.#checkpoints.run(this.path);
    this.#checkpoint = running;
    void running.done.then(() => {
      if (this.#checkpoint !== running) return;
      this.#checkpoint = undefined;
      // Pages have come meanwhile where many write, and only when all are written does the log begin anew. That is worth two waits for the
      // disk now and then; where somebody still reads what is in it, it must wait for its next length.
      const now = this.#database.isOpen ? this.#pagesInLog() : 0;
      if (now < this.#longFrom) return;
      this.#longFrom = now + LONG_LOG_PAGES;
      this.#pagesInLog("PASSIVE");
    });
  }

  #pagesInLog(mode: "NOOP" | "PASSIVE" = "NOOP"): number {
    try {
      return Number(this.#statement(`PRAGMA wal_checkpoint(${mode})`).get()?.log ?? 0);
    } catch {
      return 0;
    }
  }

  /** Changes when anybody else has written (sqlite.org/pragma.html#pragma_data_version). */
  othersVersion(): number {
    return Number(Object.values(this.get("PRAGMA data_version")!)[0]);
  }

  sizeBytes(): number {
    const [pages] = Object.values(this.get("PRAGMA page_count")!);
    return Number(pages) * Number(Object.values(this.get("PRAGMA page_size")!)[0]);
  }

  /**
   * Writes a copy of the whole, as it is when this begins, while everybody goes on: by a connection of its own, since on this one a step of
   * the copy fails when it comes within a transaction. Throws `interrupted`.
   */
  async copyTo(
    path: string,
    options: { readonly signal?: AbortSignal; readonly onProgress?: (doneBytes: number) => void } = {},
  ): Promise<void> {
    const pageBytes = Number(Object.values(this.get("PRAGMA page_size")!)[0]);
    const progress = ({ totalPages, remainingPages }: { totalPages: number; remainingPages: number }): void => {
      throwIfAborted(options.signal);
      options.onProgress?.((totalPages - remainingPages) * pageBytes);
    };
    const source = this.#guard(() => new DatabaseSync(this.path, { readOnly: true, timeout: BUSY_TIMEOUT_MS }));
    try {
      // As long as it reads, what it sees stays as it is: else each commit of somebody else would let the copy begin anew.
      source.exec("BEGIN; SELECT count(*) FROM sqlite_schema");
      await backup(source, path, { rate: COPY_PAGES, progress });
    } catch (error) {
      throw translate(error, path);
    } finally {
      source.close();
    }
  }

  /** Waits for a checkpoint: its thread may not have the files open when somebody else takes or replaces them. */
  close(): void {
    this.#checkpoint?.wait();
    this.#checkpoint = undefined;
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
    const file = this.#logFile;
    this.#logFile = undefined;
    if (file !== undefined) void this.#flushing.then(() => closeSync(file));
  }

  #statement(sql: string, asArrays = false): StatementSync {
    const key = asArrays ? `[]${sql}` : sql;
    const known = this.#statements.get(key);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    if (asArrays) statement.setReturnArrays(true);
    this.#statements.set(key, statement);
    return statement;
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw translate(error, this.path);
    }
  }
}

function translate(error: unknown, path: string): unknown {
  const { errcode, message } = error as { errcode?: number; message: string };
  if (errcode === undefined) return error;
  const options = (context: Record<string, string>) => ({ cause: error, context });
  switch (errcode & 0xff) {
    case SQLITE.busy:
    case SQLITE.locked:
      return new AppError("vault_busy", options({ holder: "another process is writing to its index" }));
    case SQLITE.corrupt:
    case SQLITE.notADatabase:
      return new AppError("index_corrupt", options({ detail: `${message}.` }));
    case SQLITE.full:
      return new AppError("disk_full", options({ path }));
    case SQLITE.io:
    case SQLITE.readOnly:
    case SQLITE.cantOpen:
      return new AppError("io", options({ path, detail: `${message}.` }));
    default:
      return error;
  }
}
