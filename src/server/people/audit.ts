// The audit trail: who did what, when, from where, and what came of it. Ids and names of accounts only: no body of a request, no
// e-mail address that somebody typed (it may be a password in the wrong field), no token, code or key. It is bounded, oldest first;
// what concerns a vault names the entry of the vault's log that came of it, which nobody can edit.

import type { Clock } from "../../core/clock.ts";
import { LIMITS } from "../../core/config-schema.ts";
import type { VaultId } from "../../core/ids.ts";
import type { Database } from "../../vault/database.ts";
import type { Parts } from "../store-parts.ts";

export type AuditEntry = {
  readonly id: number;
  readonly at: number;
  readonly by: string;
  readonly person: string | null;
  readonly name: string | null;
  readonly action: string;
  readonly vault: VaultId | null;
  readonly subject: string | null;
  readonly outcome: string;
  readonly address: string | null;
  readonly requestId: string | null;
  readonly seq: number | null;
};

export type AuditFilter = {
  readonly limit: number;
  /** Id of the last entry of the page before. */
  readonly after: number | undefined;
  readonly person?: string | undefined;
  readonly action?: string | undefined;
  readonly vault?: VaultId | undefined;
};

const TRIM_EVERY = 1000;

export class AuditTrail {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #mostRows: number;

  constructor({
    database,
    clock,
    mostRows = LIMITS.auditRows.value,
  }: Parts<"database" | "clock"> & { readonly mostRows?: number }) {
    this.#database = database;
    this.#clock = clock;
    this.#mostRows = mostRows;
  }

  record(entry: Omit<AuditEntry, "id" | "at">): void {
    const { lastInsertRowid } = this.#database.run(
      `INSERT INTO audit (at, by, person, name, action, vault, subject, outcome, address, requestId, seq)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      this.#clock.now(),
      entry.by,
      entry.person,
      entry.name,
      entry.action,
      entry.vault,
      entry.subject,
      entry.outcome,
      entry.address,
      entry.requestId,
      entry.seq,
    );
    if (lastInsertRowid % TRIM_EVERY !== 0) return;
    this.#database.run("DELETE FROM audit WHERE id <= ?", lastInsertRowid - this.#mostRows);
  }

  /** Newest first. */
  list({ limit, after, person, action, vault }: AuditFilter): AuditEntry[] {
    const terms: string[] = ["id < ?"];
    const values: (string | number)[] = [after ?? Number.MAX_SAFE_INTEGER];
    for (const [column, value] of Object.entries({ person, action, vault })) {
      if (value === undefined) continue;
      terms.push(`${column} = ?`);
      values.push(value);
    }
    return this.#database
      .all<AuditEntry>(`SELECT * FROM audit WHERE ${terms.join(" AND ")} ORDER BY id DESC LIMIT ?`, ...values, limit)
      .map((row) => ({ ...row }));
  }
}
