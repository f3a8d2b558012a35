// Sweeps what a crash has left half written in the home folder: files that were to replace others, and states of runs that never ended.
// What a living process still writes is left alone. The server sweeps its data folder itself when it starts (server/app.ts).

import { readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";

/** Folders of the home folder that others look after: a server's data, logs, the gateway's files. */
const OTHERS: ReadonlySet<string> = new Set(["server", "logs", "gateway"]);
const DEEPEST = 3;
/** Written within milliseconds (atomic-file.ts): one this old is nobody's. */
const ATOMIC_MS = 3_600_000;
/** A process may have the number of another one that died. */
const ANY_MS = 7 * 86_400_000;

/** Removes them and answers how many there were; with `dryRun` it only counts. Never throws. */
export async function sweepTemporaries(home: string, now: number, { dryRun = false } = {}): Promise<number> {
  let count = 0;
  const walk = async (folder: string, depth: number): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && depth < DEEPEST && !(depth === 0 && OTHERS.has(entry.name)))
        await walk(path, depth + 1);
      else if (entry.isFile() && (await isLeftOver(path, entry.name, now))) {
        count += 1;
        if (!dryRun) await unlink(path).catch(() => undefined);
      }
    }
  };
  await walk(home, 0);
  return count;
}

async function isLeftOver(path: string, name: string, now: number): Promise<boolean> {
  const owner = /\.(\d{1,10})\.tmp$/.exec(name)?.[1];
  const isAtomic = /^\..+\.[0-9a-f]{12}\.tmp$/.test(name);
  if (owner === undefined && !isAtomic) return false;
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: now }));
  const ageMs = now - mtimeMs;
  return isAtomic ? ageMs > ATOMIC_MS : ageMs > ANY_MS || !isAlive(Number(owner));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
