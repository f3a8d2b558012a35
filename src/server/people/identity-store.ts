// Who at a provider is who here. An identity is the provider's issuer and its own name for somebody (`sub`), which it never gives to another one; the e-mail
// address only finds the account at the first time, because addresses change hands.

import type { Clock } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import type { Database } from "../../vault/database.ts";
import type { Role } from "../http/principal.ts";
import type { Identity } from "./oidc-client.ts";
import type { PeopleStore, PersonRow } from "./store.ts";

export class IdentityStore {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #store: PeopleStore;

  constructor({ database, clock, store }: { database: Database; clock: Clock; store: PeopleStore }) {
    this.#database = database;
    this.#clock = clock;
    this.#store = store;
  }

  /** Links at the first time. `newcomers`: the role of who has no account; null takes nobody in. Throws `sign_in_unknown`. */
  personOf(identity: Identity, newcomers: Role | null): PersonRow {
    return this.#database.transaction(() => {
      const person = this.#linked(identity) ?? this.#link(identity, newcomers);
      this.#database.run(
        "UPDATE person_identity SET lastUsedAt = ? WHERE issuer = ? AND subject = ?",
        this.#clock.now(),
        identity.issuer,
        identity.subject,
      );
      return person;
    });
  }

  #linked({ issuer, subject }: Identity): PersonRow | undefined {
    const sql = "SELECT person FROM person_identity WHERE issuer = ? AND subject = ?";
    const row = this.#database.get<{ person: string }>(sql, issuer, subject);
    return row && this.#store.byId(row.person);
  }

  #link(identity: Identity, newcomers: Role | null): PersonRow {
    const { issuer, subject, email, name } = identity;
    if (email === undefined) throw new AppError("sign_in_unknown");
    const known = this.#store.byEmail(email);
    const person = known ?? this.#add(email, name, newcomers);
    // Somebody else at the provider came with this address before: it has changed hands there.
    const sql = "SELECT 1 AS one FROM person_identity WHERE issuer = ? AND person = ?";
    if (this.#database.get(sql, issuer, person.id) !== undefined) throw new AppError("sign_in_unknown");
    this.#database.run(
      "INSERT INTO person_identity (issuer, subject, person, createdAt, lastUsedAt) VALUES (?, ?, ?, ?, ?)",
      issuer,
      subject,
      person.id,
      this.#clock.now(),
      this.#clock.now(),
    );
    return person;
  }

  #add(email: string, name: string | undefined, role: Role | null): PersonRow {
    if (role === null) throw new AppError("sign_in_unknown");
    const shown = (name ?? email.split("@", 1)[0]!)
      .replace(/\p{Cc}/gu, "")
      .trim()
      .slice(0, 100);
    return this.#store.add({ email, name: shown || email, role, grants: [], passwordHash: undefined });
  }
}
