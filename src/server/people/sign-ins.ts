// Where people are signed in with the page: better-auth's sessions, without their tokens.

import type { Clock } from "../../core/clock.ts";
import type { Database } from "../../vault/database.ts";
import type { Parts } from "../store-parts.ts";

export type SignInRow = {
  readonly id: string;
  readonly person: string;
  readonly address: string;
  readonly program: string;
  readonly createdAt: number;
  readonly expiresAt: number;
};

type RawSession = {
  id: string;
  userId: string;
  ipAddress: string | null;
  userAgent: string | null;
  createdAt: string;
  expiresAt: string;
};

export class SignIns {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor({ database, clock }: Parts<"database" | "clock">) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Newest first. */
  list(person: string): SignInRow[] {
    const sql = `SELECT id, userId, ipAddress, userAgent, createdAt, expiresAt FROM person_session
      WHERE userId = ? AND expiresAt > ? ORDER BY createdAt DESC, id LIMIT 1000`;
    return this.#database.all<RawSession>(sql, person, this.#now()).map((row) => ({
      id: row.id,
      person: row.userId,
      address: row.ipAddress ?? "",
      program: row.userAgent ?? "",
      createdAt: Date.parse(row.createdAt),
      expiresAt: Date.parse(row.expiresAt),
    }));
  }

  personOf(id: string): string | undefined {
    return this.#database.get<{ userId: string }>("SELECT userId FROM person_session WHERE id = ?", id)?.userId;
  }

  drop(id: string): void {
    this.#database.run("DELETE FROM person_session WHERE id = ?", id);
  }

  dropAll(person: string, keep: string | undefined): void {
    this.#database.run("DELETE FROM person_session WHERE userId = ? AND id IS NOT ?", person, keep ?? null);
  }

  /** Rows that nobody can use any more: old sign-ins, steps of signing in that nobody finished. */
  sweep(): void {
    this.#database.run("DELETE FROM person_session WHERE expiresAt <= ?", this.#now());
    this.#database.run("DELETE FROM person_verification WHERE expiresAt <= ?", this.#now());
  }

  #now(): string {
    return new Date(this.#clock.now()).toISOString();
  }
}
