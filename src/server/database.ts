// DATA/server.db: what the server itself must remember (vaults by name, invitations, accounts, jobs). Nothing in here is
// needed to read a backup: the vaults stand for themselves.
// Each part of the server brings its own migrations; they run at start, all in one transaction, after a copy of the file was made.

import { closeSync, copyFileSync, existsSync, openSync } from "node:fs";
import { AppError } from "../core/errors.ts";
import { Database, type DatabaseOptions } from "../vault/database.ts";

export type Migrations = {
  /** Name of the part. */
  readonly part: string;
  /** SQL of each step. Steps that were released are never edited. */
  readonly steps: readonly string[];
};

export function openServerDatabase(path: string, parts: readonly Migrations[]): Database {
  const database = privateDatabase(path);
  try {
    migrate(database, parts);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** SQLite would make a file that everybody can read; what it puts beside it gets the file's mode. */
export function privateDatabase(path: string, options: DatabaseOptions = {}): Database {
  closeSync(openSync(path, "a", 0o600));
  return new Database(path, options);
}

function migrate(database: Database, parts: readonly Migrations[]): void {
  database.exec("CREATE TABLE IF NOT EXISTS migrations (part TEXT PRIMARY KEY, steps INTEGER NOT NULL) STRICT");
  const done = new Map(
    database.tuples<[string, number]>("SELECT part, steps FROM migrations").map(([part, steps]) => [part, steps]),
  );
  for (const { part, steps } of parts) {
    const version = done.get(part) ?? 0;
    if (version <= steps.length) continue;
    throw new AppError("vault_version", { context: { version: `server.db ${part} ${version}` } });
  }
  const behind = parts.filter(({ part, steps }) => (done.get(part) ?? 0) < steps.length);
  if (behind.length === 0) return;
  if (done.size > 0) keepCopy(database);
  database.transaction(() => {
    for (const { part, steps } of behind) {
      for (const step of steps.slice(done.get(part) ?? 0)) database.exec(step);
      database.run("INSERT OR REPLACE INTO migrations (part, steps) VALUES (?, ?)", part, steps.length);
    }
  });
}

/** `server.db.before-migration`: the last one only. */
function keepCopy(database: Database): void {
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  if (existsSync(database.path)) copyFileSync(database.path, `${database.path}.before-migration`);
}
