// DATA/server.lock: one server at a time works in a data folder. It is a little SQLite file that is kept locked: the system takes
// such a lock away with its process, however that ends, so a stale one never has to be told from a live one. It names its
// holder to whoever comes second.

import { hostname } from "node:os";
import { AppError, isAppError } from "../core/errors.ts";
import type { Database } from "../vault/database.ts";
import { privateDatabase } from "./database.ts";

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
    const holder = isAppError(error, "vault_busy") ? holderIn(database) : undefined;
    database.close();
    throw holder === undefined ? error : new AppError("vault_busy", { cause: error, context: { holder } });
  }
}

function holderIn(database: Database): string {
  try {
    const row = database.get<{ pid: number; host: string; since: string }>("SELECT pid, host, since FROM holder");
    if (row) return `a server runs on it as process ${row.pid} on ${row.host} since ${row.since}`;
  } catch {
    // The holder is just writing its name.
  }
  return "a server runs on it";
}
