// One process at a time in a folder. The lock is a write transaction on a small database that lasts as long as the process: the
// operating system gives it back when the process dies, so no stale file can name a stranger.

import { join } from "node:path";
import { AppError, isAppError } from "../core/errors.ts";
import { Database } from "../vault/database.ts";

export type Hold = { release(): void };

/** Throws `gateway_busy` when another process holds it. */
export function holdFolder(folder: string): Hold {
  const database = new Database(join(folder, "lock.db"), { busyTimeoutMs: 0 });
  try {
    database.exec("BEGIN IMMEDIATE");
  } catch (cause) {
    database.close();
    if (isAppError(cause, "vault_busy")) throw new AppError("gateway_busy", { cause, context: { path: folder } });
    throw cause;
  }
  return { release: () => database.close() };
}
