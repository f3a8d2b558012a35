// A lock between processes: a little SQLite file that stays locked while its holder lives. The system takes such a lock away with its process,
// however that ends, so a stale one never has to be told from a live one.

import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { isAppError } from "../core/errors.ts";
import { Database } from "../vault/database.ts";

/** undefined while another process holds it. */
export function takeHold(path: string): { release(): void } | undefined {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const database = new Database(path, { busyTimeoutMs: 0 });
  try {
    database.exec("BEGIN IMMEDIATE");
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if (isAppError(error, "vault_busy")) return undefined;
    throw error;
  }
}
