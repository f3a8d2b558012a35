// Accounts, their roles and their passwords' hashes, as rows. Rules that must hold whatever is asked at one time hold here, in
// transactions: an e-mail address names one account, and the last owner who can sign in stays one.

import { toHex } from "../../core/bytes.ts";
import type { Clock, RandomSource } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import type { VaultId } from "../../core/ids.ts";
import type { Database } from "../../vault/database.ts";
import type { Role } from "../http/principal.ts";
import type { StoreParts } from "../store-parts.ts";

export type PersonRow = {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly role: Role | null;
  readonly grants: { vault: VaultId; role: Role }[];
  readonly hasFactor: boolean;
  readonly isActive: boolean;
  readonly createdAt: number;
};

export type NewPerson = {
  readonly email: string;
  readonly name: string;
  readonly role: Role | null;
  readonly grants: readonly { vault: VaultId; role: Role }[];
  readonly passwordHash: string | undefined;
};

const SELECT = `SELECT p.id, p.email, p.name, p.role, coalesce(p.twoFactorEnabled, 0) AS hasFactor, p.createdAt,
  EXISTS (SELECT 1 FROM person_account a WHERE a.userId = p.id AND a.password IS NOT NULL)
    OR EXISTS (SELECT 1 FROM person_identity i WHERE i.person = p.id) AS isActive FROM person p`;

export class PeopleStore {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #random: RandomSource;

  constructor({ database, clock, random }: StoreParts) {
    this.#database = database;
    this.#clock = clock;
    this.#random = random;
  }

  byId(id: string): PersonRow | undefined {
    return this.#one(`${SELECT} WHERE p.id = ?`, id);
  }

  byEmail(email: string): PersonRow | undefined {
    return this.#one(`${SELECT} WHERE p.email = ?`, email.toLowerCase());
  }

  /** In the order of their addresses; `after` is the id of the last one of the page before. Throws `not_found`. */
  list(limit: number, after: string | undefined): PersonRow[] {
    const last = after === undefined ? "" : this.known(after).email;
    return this.#database
      .all<RawPerson>(`${SELECT} WHERE p.email > ? ORDER BY p.email LIMIT ?`, last, limit)
      .map((row) => this.#whole(row));
  }

  /** Whether anybody can sign in as an owner. */
  hasOwner(): boolean {
    return this.#activeOwners() > 0;
  }

  /** Throws `person_exists`. */
  add(person: NewPerson): PersonRow {
    return this.#database.transaction(() => {
      const email = person.email.toLowerCase();
      if (this.byEmail(email) !== undefined) throw new AppError("person_exists", { context: { email } });
      const id = toHex(this.#random.bytes(16));
      const now = this.#now();
      this.#database.run(
        `INSERT INTO person (id, name, email, emailVerified, createdAt, updatedAt, twoFactorEnabled, role)
         VALUES (?, ?, ?, 1, ?, ?, 0, ?)`,
        id,
        person.name,
        email,
        now,
        now,
        person.role,
      );
      for (const { vault, role } of person.grants) this.#setGrant(id, vault, role);
      if (person.passwordHash !== undefined) this.#setPassword(id, person.passwordHash);
      return this.byId(id)!;
    });
  }

  /** Throws `not_found`, `person_exists`, `last_owner`. */
  edit(
    id: string,
    change: { name?: string | undefined; email?: string | undefined; role?: Role | null | undefined },
  ): PersonRow {
    return this.#keepingAnOwner(() => {
      const row = this.known(id);
      const email = (change.email ?? row.email).toLowerCase();
      const other = this.byEmail(email);
      if (other !== undefined && other.id !== id) throw new AppError("person_exists", { context: { email } });
      const role = change.role === undefined ? row.role : change.role;
      this.#database.run(
        "UPDATE person SET name = ?, email = ?, role = ?, updatedAt = ? WHERE id = ?",
        change.name ?? row.name,
        email,
        role,
        this.#now(),
        id,
      );
      return this.byId(id)!;
    });
  }

  /** With grants, links, sign-ins and API keys. Throws `not_found`, `last_owner`. */
  remove(id: string): void {
    this.#keepingAnOwner(() => {
      this.known(id);
      this.#database.run("DELETE FROM person_key WHERE referenceId = ?", id);
      this.#database.run("DELETE FROM person_verification WHERE value = ?", id);
      this.#database.run("DELETE FROM person WHERE id = ?", id);
    });
  }

  /** A new password ends every sign-in, and what providers said of who this is: the next sign-in by one finds the account by its address again. Throws `not_found`. */
  setPassword(id: string, hash: string): void {
    this.#database.transaction(() => {
      this.known(id);
      this.#setPassword(id, hash);
      this.#database.run("DELETE FROM person_identity WHERE person = ?", id);
      this.#database.run("DELETE FROM person_session WHERE userId = ?", id);
    });
  }

  passwordHash(id: string): string | undefined {
    const sql = "SELECT password FROM person_account WHERE userId = ? AND providerId = 'credential'";
    return this.#database.get<{ password: string | null }>(sql, id)?.password ?? undefined;
  }

  /** Takes the second factor off and signs out everywhere. Throws `not_found`. */
  dropFactor(id: string): void {
    this.#database.transaction(() => {
      this.known(id);
      this.#database.run("DELETE FROM person_factor WHERE userId = ?", id);
      this.#database.run("UPDATE person SET twoFactorEnabled = 0, updatedAt = ? WHERE id = ?", this.#now(), id);
      this.#database.run("DELETE FROM person_session WHERE userId = ?", id);
    });
  }

  /** Throws `not_found`. */
  setGrant(id: string, vault: VaultId, role: Role): void {
    this.#database.transaction(() => {
      this.known(id);
      this.#setGrant(id, vault, role);
    });
  }

  /** Throws `not_found`. */
  dropGrant(id: string, vault: VaultId): void {
    const { changes } = this.#database.run("DELETE FROM person_grant WHERE person = ? AND vault = ?", id, vault);
    if (changes === 0) throw new AppError("not_found", { context: { what: "This grant" } });
  }

  grantsOf(vault: VaultId): { person: string; email: string; name: string; role: Role }[] {
    return this.#database.all(
      `SELECT g.person, p.email, p.name, g.role FROM person_grant g JOIN person p ON p.id = g.person
       WHERE g.vault = ? ORDER BY p.email`,
      vault,
    );
  }

  /** Throws `not_found`. */
  known(id: string): PersonRow {
    const row = this.byId(id);
    if (row === undefined) throw new AppError("not_found", { context: { what: "This account" } });
    return row;
  }

  #keepingAnOwner<T>(work: () => T): T {
    return this.#database.transaction(() => {
      const before = this.#activeOwners();
      const result = work();
      if (before > 0 && this.#activeOwners() === 0) throw new AppError("last_owner");
      return result;
    });
  }

  #activeOwners(): number {
    const sql = `SELECT count(*) AS n FROM person p WHERE p.role = 'owner'
      AND EXISTS (SELECT 1 FROM person_account a WHERE a.userId = p.id AND a.password IS NOT NULL)`;
    return this.#database.get<{ n: number }>(sql)!.n;
  }

  #setGrant(id: string, vault: VaultId, role: Role): void {
    this.#database.run("INSERT OR REPLACE INTO person_grant (person, vault, role) VALUES (?, ?, ?)", id, vault, role);
  }

  #setPassword(id: string, hash: string): void {
    const now = this.#now();
    this.#database.run("DELETE FROM person_account WHERE userId = ?", id);
    this.#database.run(
      `INSERT INTO person_account (id, accountId, providerId, userId, password, createdAt, updatedAt)
       VALUES (?, ?, 'credential', ?, ?, ?, ?)`,
      toHex(this.#random.bytes(16)),
      id,
      id,
      hash,
      now,
      now,
    );
  }

  #one(sql: string, value: string): PersonRow | undefined {
    const row = this.#database.get<RawPerson>(sql, value);
    return row === undefined ? undefined : this.#whole(row);
  }

  #whole(row: RawPerson): PersonRow {
    const grants = this.#database.all<{ vault: VaultId; role: Role }>(
      "SELECT vault, role FROM person_grant WHERE person = ? ORDER BY vault",
      row.id,
    );
    return {
      id: row.id,
      email: row.email,
      name: row.name,
      role: row.role,
      grants: grants.map(({ vault, role }) => ({ vault, role })),
      hasFactor: row.hasFactor === 1,
      isActive: row.isActive === 1,
      createdAt: Date.parse(row.createdAt),
    };
  }

  #now(): string {
    return new Date(this.#clock.now()).toISOString();
  }
}

type RawPerson = {
  id: string;
  email: string;
  name: string;
  role: Role | null;
  hasFactor: number;
  isActive: number;
  createdAt: string;
};
