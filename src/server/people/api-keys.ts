// API keys. better-auth makes and hashes them; here they get a role and vaults, and are looked up: one read for a request, and a
// write once a minute at most. A key never does more than its person may at that time.

import { defaultKeyHasher } from "@better-auth/api-key";
import type { Clock } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import type { VaultId } from "../../core/ids.ts";
import type { Database } from "../../vault/database.ts";
import { hasRole, type Role } from "../http/principal.ts";
import type { Parts } from "../store-parts.ts";
import type { Auth } from "./auth.ts";
import type { PersonRow } from "./store.ts";

export type ApiKeyRow = {
  readonly id: string;
  readonly person: string;
  readonly name: string;
  readonly start: string;
  readonly role: Role;
  readonly vaults: VaultId[] | null;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
};

export type KeyWish = {
  readonly person: string;
  readonly name: string;
  readonly role: Role;
  readonly vaults: readonly VaultId[] | null;
  readonly days: number | null;
};

const USE_IS_NOTED_EVERY_MS = 60_000;
const MOST_KEYS_OF_A_PERSON = 100;
const DAY_SECONDS = 24 * 60 * 60;
const COLUMNS = "id, referenceId, name, start, permissions, createdAt, expiresAt, lastRequest";

export class ApiKeys {
  readonly #auth: Auth;
  readonly #database: Database;
  readonly #clock: Clock;

  constructor({ auth, database, clock }: Parts<"database" | "clock"> & { readonly auth: Auth }) {
    this.#auth = auth;
    this.#database = database;
    this.#clock = clock;
  }

  /** The key itself is in this answer and nowhere else. Throws `limit`. */
  async make({ person, name, role, vaults, days }: KeyWish): Promise<ApiKeyRow & { key: string }> {
    if (this.list(person).length >= MOST_KEYS_OF_A_PERSON) {
      throw new AppError("limit", { context: { what: "The number of API keys", limit: MOST_KEYS_OF_A_PERSON } });
    }
    const { id, key } = await this.#auth.api.createApiKey({
      body: {
        name,
        userId: person,
        permissions: { role: [role], ...(vaults === null ? {} : { vaults: [...vaults] }) },
        ...(days === null ? {} : { expiresIn: days * DAY_SECONDS }),
      },
    });
    return { key, ...this.byId(id)! };
  }

  /** Undefined when there is no such key, or it has ended. */
  async find(key: string): Promise<ApiKeyRow | undefined> {
    const hash = await defaultKeyHasher(key);
    const row = this.#database.get<RawKey>(`SELECT ${COLUMNS} FROM person_key WHERE key = ? AND enabled = 1`, hash);
    if (row === undefined) return undefined;
    const found = whole(row);
    const now = this.#clock.now();
    if (found.expiresAt !== null && found.expiresAt <= now) return undefined;
    if (found.lastUsedAt === null || now - found.lastUsedAt >= USE_IS_NOTED_EVERY_MS) {
      this.#database.run("UPDATE person_key SET lastRequest = ? WHERE id = ?", new Date(now).toISOString(), found.id);
    }
    return found;
  }

  byId(id: string): ApiKeyRow | undefined {
    const row = this.#database.get<RawKey>(`SELECT ${COLUMNS} FROM person_key WHERE id = ?`, id);
    return row === undefined ? undefined : whole(row);
  }

  list(person: string): ApiKeyRow[] {
    const sql = `SELECT ${COLUMNS} FROM person_key WHERE referenceId = ? ORDER BY createdAt, id`;
    return this.#database.all<RawKey>(sql, person).map(whole);
  }

  drop(id: string): void {
    this.#database.run("DELETE FROM person_key WHERE id = ?", id);
  }
}

/** What a key may do: the lesser of what it was made for and what its person may now. */
export function rightsOf(key: ApiKeyRow, person: PersonRow): { role: Role | undefined; grants: Map<VaultId, Role> } {
  const own = person.role ?? undefined;
  const granted = new Map(person.grants.map(({ vault, role }) => [vault, role]));
  const grants = new Map<VaultId, Role>();
  for (const vault of key.vaults ?? granted.keys()) {
    const role = lesser(key.role, greater(own, granted.get(vault)));
    if (role !== undefined) grants.set(vault, role);
  }
  return { role: key.vaults === null ? lesser(key.role, own) : undefined, grants };
}

function lesser(a: Role, b: Role | undefined): Role | undefined {
  if (b === undefined) return undefined;
  return hasRole(a, b) ? b : a;
}

function greater(a: Role | undefined, b: Role | undefined): Role | undefined {
  return b !== undefined && !hasRole(a, b) ? b : a;
}

type RawKey = {
  id: string;
  referenceId: string;
  name: string | null;
  start: string | null;
  permissions: string | null;
  createdAt: string;
  expiresAt: string | null;
  lastRequest: string | null;
};

function whole(row: RawKey): ApiKeyRow {
  const { role, vaults } = JSON.parse(row.permissions ?? "{}") as { role?: [Role]; vaults?: VaultId[] };
  return {
    id: row.id,
    person: row.referenceId,
    name: row.name ?? "",
    start: row.start ?? "",
    role: role?.[0] ?? "viewer",
    vaults: vaults ?? null,
    createdAt: Date.parse(row.createdAt),
    expiresAt: row.expiresAt === null ? null : Date.parse(row.expiresAt),
    lastUsedAt: row.lastRequest === null ? null : Date.parse(row.lastRequest),
  };
}
