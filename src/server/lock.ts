// DATA/server.lock: one server at a time works in a data folder. It is a little SQLite file that is kept locked: the system takes
// such a lock away with its process, however that ends, so a stale one never has to be told from a live one. It names its
// holder to whoever comes second.

import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { AppError, isAppError } from "../core/errors.ts";
import { Database } from "../vault/database.ts";
import { privateDatabase } from "./database.ts";

/** The process that works in a data folder. */
export type LockHolder = { readonly pid: number; readonly host: string; readonly since: string };

/** Throws `vault_busy`, which names the holder. Answers how to give the lock back. */
export function lockData(path: string, now: number): () => void {
  const database = privateDatabase(path, { busyTimeoutMs: 0 });
  try {
    database.exec(
      "CREATE TABLE IF NOT EXISTS holder (one INTEGER PRIMARY KEY, pid INTEGER, host TEXT, since TEXT) STRICT",
    );
    const sql = "INSERT OR REPLACE INTO holder VALUES (1, ?, ?, ?)";
    database.transaction(() => database.run(sql, process.pid, hostname(), new Date(now).toISOString()));
    database.exec("BEGIN IMMEDIATE");
    return () => database.close();
  } catch (error) {
    const holder = isAppError(error, "vault_busy") ? wordsOf(holderIn(database)) : undefined;
    database.close();
    throw holder === undefined ? error : new AppError("vault_busy", { cause: error, context: { holder } });
  }
}

/** Who holds the lock: undefined when nobody does, "unnamed" for the moment in which it comes or goes. */
export function lockHolder(path: string): LockHolder | "unnamed" | undefined {
  if (!existsSync(path)) return undefined;
  let database: Database | undefined;
  try {
    database = new Database(path, { busyTimeoutMs: 0 });
    database.exec("BEGIN IMMEDIATE");
    database.exec("ROLLBACK");
    return undefined;
  } catch (error) {
    if (isAppError(error, "vault_busy")) return (database && holderIn(database)) ?? "unnamed";
    throw error;
  } finally {
    database?.close();
  }
}

function holderIn(database: Database): LockHolder | undefined {
  try {
    return database.get<LockHolder>("SELECT pid, host, since FROM holder");
  } catch {
    // The holder is just writing its name.
    return undefined;
  }
}

function wordsOf(holder: LockHolder | undefined): string {
  if (holder === undefined) return "a server runs on it";
  return `a server runs on it as process ${holder.pid} on ${holder.host} since ${holder.since}`;
}
