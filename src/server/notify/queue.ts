// What is to be told, as rows: it survives a restart, and the same is queued for one channel once. A try that was cut short by the end
// of the server is made again under the same id, so that whoever gets it twice can tell.

import { toHex } from "../../core/bytes.ts";
import type { Clock, RandomSource } from "../../core/clock.ts";
import type { Database } from "../../vault/database.ts";
import type { StoreParts } from "../store-parts.ts";
import type { Notice } from "./notice.ts";

export type PingWord = "start" | "success" | "fail";

export type Queued = {
  readonly id: string;
  readonly channel: string | null;
  readonly ping: string | null;
  readonly cause: string;
  readonly state: "waiting" | "sent" | "given-up";
  readonly attempts: number;
  readonly createdAt: number;
  readonly at: number;
  readonly error: string | null;
} & ({ readonly notice: Notice } | { readonly word: PingWord });

type Row = {
  readonly [Column in "id" | "cause" | "notice" | "state"]: string;
} & { readonly [Column in "channel" | "ping" | "error"]: string | null } & {
  readonly [Column in "attempts" | "createdAt" | "at"]: number;
};

const KEPT_MS = 30 * 86_400_000;

export class NotifyQueue {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #random: RandomSource;

  constructor({ database, clock, random }: StoreParts) {
    this.#database = database;
    this.#clock = clock;
    this.#random = random;
  }

  /** False when the same was queued there before. */
  add(to: { channel: string } | { ping: string }, cause: string, what: Notice | PingWord, at: number): boolean {
    const [channel, ping] = "channel" in to ? [to.channel, null] : [null, to.ping];
    const { changes } = this.#database.run(
      `INSERT OR IGNORE INTO notify_queue (id, channel, ping, cause, notice, state, attempts, createdAt, at)
       VALUES (?, ?, ?, ?, ?, 'waiting', 0, ?, ?)`,
      ...[toHex(this.#random.bytes(16)), channel, ping, cause, JSON.stringify(what), this.#clock.now(), at],
    );
    return changes > 0;
  }

  /** How one channel was told of a cause; undefined when it was not. */
  stateOf(channel: string, cause: string): { state: Queued["state"]; attempts: number } | undefined {
    const sql = "SELECT state, attempts FROM notify_queue WHERE channel = ? AND cause = ?";
    return this.#database.get<{ state: Queued["state"]; attempts: number }>(sql, channel, cause);
  }

  forget(channel: string, cause: string): void {
    this.#database.run("DELETE FROM notify_queue WHERE channel = ? AND cause = ?", channel, cause);
  }

  /** What is due by now, oldest first. */
  due(limit: number): Queued[] {
    const sql = "SELECT * FROM notify_queue WHERE state = 'waiting' AND at <= ? ORDER BY at, rowid LIMIT ?";
    return this.#database.all<Row>(sql, this.#clock.now(), limit).map(queuedOf);
  }

  nextAt(): number | undefined {
    const sql = "SELECT min(at) AS at FROM notify_queue WHERE state = 'waiting'";
    return this.#database.get<{ at: number | null }>(sql)!.at ?? undefined;
  }

  sent(ids: readonly string[]): void {
    const sql = "UPDATE notify_queue SET state = 'sent', attempts = attempts + 1, at = ?, error = NULL WHERE id = ?";
    this.#all(ids, (id) => this.#database.run(sql, this.#clock.now(), id));
  }

  /** Tried, and to be tried again at `at`; or never, when there is none. */
  failed(ids: readonly string[], error: string, at: number | undefined): void {
    const state = at === undefined ? "given-up" : "waiting";
    const sql = "UPDATE notify_queue SET state = ?, attempts = attempts + 1, at = ?, error = ? WHERE id = ?";
    this.#all(ids, (id) => this.#database.run(sql, state, at ?? this.#clock.now(), error, id));
  }

  waiting(channel: string): number {
    const sql = "SELECT count(*) AS n FROM notify_queue WHERE channel = ? AND state = 'waiting'";
    return this.#database.get<{ n: number }>(sql, channel)!.n;
  }

  /** Of some channels and pings, newest first. */
  newest(where: { channels: readonly string[]; pings: boolean }, limit: number): Queued[] {
    const marks = where.channels.map(() => "?").join(", ");
    const sql = `SELECT * FROM notify_queue WHERE channel IN (${marks}) ${where.pings ? "OR ping IS NOT NULL" : ""}
      ORDER BY rowid DESC LIMIT ?`;
    return this.#database.all<Row>(sql, ...where.channels, limit).map(queuedOf);
  }

  /** What is over is kept for 30 days: so long an alert that comes and goes is known to have been told. */
  sweep(): void {
    const sql = "DELETE FROM notify_queue WHERE state <> 'waiting' AND at < ?";
    this.#database.run(sql, this.#clock.now() - KEPT_MS);
  }

  /** By state, for metrics. */
  counts(): { waiting: number; oldestAt: number | undefined } {
    const sql = "SELECT count(*) AS n, min(createdAt) AS oldest FROM notify_queue WHERE state = 'waiting'";
    const { n, oldest } = this.#database.get<{ n: number; oldest: number | null }>(sql)!;
    return { waiting: n, oldestAt: oldest ?? undefined };
  }

  #all(ids: readonly string[], change: (id: string) => void): void {
    this.#database.transaction(() => ids.forEach(change));
  }
}

function queuedOf({ notice, ...row }: Row): Queued {
  const what = JSON.parse(notice) as Notice | PingWord;
  const rest = row as Omit<Queued, "notice" | "word">;
  return typeof what === "string" ? { ...rest, word: what } : { ...rest, notice: what };
}
