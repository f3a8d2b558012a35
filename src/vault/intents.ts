// Intents: which object is about to appear or to go, noted before it does, so that nothing that a crash leaves in the store is a
// riddle, and so that garbage collection never removes what somebody is just adding. See docs/vault.md, [Note: intents].

import { AppError } from "../core/errors.ts";
import type { Database } from "./database.ts";

/** A device's pack (its session is noted) or a keyslot file. */
export const INTENT_ADD = 1;
/** A pack that compaction writes. Only the holder of the gc lock makes and clears these, and those to remove. */
export const INTENT_COMPACT = 2;
export const INTENT_REMOVE = 3;

/** Inside a transaction. `vault_busy` while garbage collection is removing the object. */
export function intendToAdd(database: Database, key: string, session: number | null, now: number): void {
  const other = database.get<{ kind: number }>("SELECT kind FROM intents WHERE key = ?", key);
  if (other !== undefined && other.kind !== INTENT_ADD) {
    throw new AppError("vault_busy", { context: { holder: `${key} is being removed` } });
  }
  intend(database, key, INTENT_ADD, session, now);
}

/** Inside a transaction. */
export function intend(database: Database, key: string, kind: number, session: number | null, now: number): void {
  const sql = "INSERT OR REPLACE INTO intents (key, kind, session, createdAt) VALUES (?, ?, ?, ?)";
  database.run(sql, key, kind, session, now);
}

/** False when there was none. */
export function dropIntent(database: Database, key: string, kind: number): boolean {
  return database.run("DELETE FROM intents WHERE key = ? AND kind = ?", key, kind).changes > 0;
}

export function hasIntent(database: Database, key: string): boolean {
  return database.get("SELECT 1 FROM intents WHERE key = ?", key) !== undefined;
}

export function intentsOf(database: Database, kind: number): string[] {
  return database.tuples<[string]>("SELECT key FROM intents WHERE kind = ? ORDER BY key", kind).map(([key]) => key);
}
