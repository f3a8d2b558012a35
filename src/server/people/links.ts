// Links by which somebody chooses a password: the first owner of a new server, and people who were invited. A link carries a token
// of 32 random bytes; only its SHA-256 is kept, so that whoever reads the database cannot use one.

import { createHash } from "node:crypto";
import type { Clock, RandomSource } from "../../core/clock.ts";
import { LIMITS } from "../../core/config-schema.ts";
import { AppError } from "../../core/errors.ts";
import type { Database } from "../../vault/database.ts";
import type { StoreParts } from "../store-parts.ts";

export type Link = { readonly token: string; readonly expiresAt: number };

/** The link of the first owner lives as long as the server runs without one: it is made anew at each start. */
const FIRST_OWNER_MS = 366 * 24 * 60 * 60 * 1000;

export class PeopleLinks {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #random: RandomSource;

  constructor({ database, clock, random }: StoreParts) {
    this.#database = database;
    this.#clock = clock;
    this.#random = random;
  }

  /** A new link; those that the same person had before end. `undefined` is the first owner. */
  make(person: string | undefined): Link {
    const token = Buffer.from(this.#random.bytes(32)).toString("base64url");
    const now = this.#clock.now();
    const expiresAt = now + (person === undefined ? FIRST_OWNER_MS : LIMITS.setupHours.value * 60 * 60 * 1000);
    this.#database.transaction(() => {
      this.#database.run("DELETE FROM person_link WHERE person IS ? OR expiresAt <= ?", person ?? null, now);
      this.#database.run(
        "INSERT INTO person_link (hash, person, expiresAt) VALUES (?, ?, ?)",
        hashOf(token),
        person ?? null,
        expiresAt,
      );
    });
    return { token, expiresAt };
  }

  /** Whom a link is for; null is the first owner. Throws `setup_invalid`. */
  find(token: string): string | null {
    const sql = "SELECT person FROM person_link WHERE hash = ? AND expiresAt > ?";
    const row = this.#database.get<{ person: string | null }>(sql, hashOf(token), this.#clock.now());
    if (row === undefined) throw new AppError("setup_invalid");
    return row.person;
  }

  /** Inside the transaction of what it is used for: of two who use it at one time, one does. Throws `setup_invalid`. */
  use(token: string): void {
    const sql = "DELETE FROM person_link WHERE hash = ? AND expiresAt > ?";
    if (this.#database.run(sql, hashOf(token), this.#clock.now()).changes === 0) throw new AppError("setup_invalid");
  }

  /** No link for a first owner is good any more. */
  endFirstOwner(): void {
    this.#database.run("DELETE FROM person_link WHERE person IS NULL");
  }
}

function hashOf(token: string): Uint8Array {
  return createHash("sha256").update(token).digest();
}
