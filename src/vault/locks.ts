// Named locks for work that must not run twice at a time (gc, scrub, rebuild). The holder is a process; a lock whose process
// is gone from the same host is taken over. Taking, looking and giving back are one transaction each.

import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { Clock } from "../core/clock.ts";
import { AppError } from "../core/errors.ts";
import type { Database } from "./database.ts";

export type LockName = "gc" | "scrub" | "rebuild";

export type LockHolder = { readonly name: string; readonly pid: number; readonly host: string; readonly since: number };

type LockRow = { name: string; token: string; pid: number; host: string; since: number };

/** Runs `work` while holding the lock; `vault_busy` names the holder when there is one. */
export async function withLock<T>(
  database: Database,
  clock: Clock,
  name: LockName,
  work: () => Promise<T>,
): Promise<T> {
  const token = randomBytes(16).toString("hex");
  database.transaction(() => {
    requireUnlocked(database, name);
    database.run(
      "INSERT OR REPLACE INTO locks (name, token, pid, host, since) VALUES (?, ?, ?, ?, ?)",
      name,
      token,
      process.pid,
      hostname(),
      clock.now(),
    );
  });
  try {
    return await work();
  } finally {
    database.transaction(() => database.run("DELETE FROM locks WHERE name = ? AND token = ?", name, token));
  }
}

/** Throws `vault_busy` when a live process holds the lock. */
export function requireUnlocked(database: Database, name: LockName): void {
  const holder = holderOf(database, name);
  if (holder === undefined) return;
  const since = new Date(holder.since).toISOString();
  throw new AppError("vault_busy", {
    context: { holder: `${name} runs as process ${holder.pid} on ${holder.host} since ${since}` },
  });
}

function holderOf(database: Database, name: LockName): LockHolder | undefined {
  const row = database.get<LockRow>("SELECT * FROM locks WHERE name = ?", name);
  return row !== undefined && isAlive(row) ? row : undefined;
}

function isAlive({ pid, host }: LockHolder): boolean {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
