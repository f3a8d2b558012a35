// Copies of server.db and of the vaults' indexes in DATA/backups/<time>/, made while everybody goes on. The vaults' truth is their objects,
// so what is really saved is server.db: accounts, names, schedules, settings. A set appears whole or not at all.

import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { throwIfAborted } from "../../core/errors.ts";
import type { Database } from "../../vault/database.ts";

/** Sets that are kept. */
const KEPT = 7;
/** Indexes can be made anew and are large: they are in the newest sets only. */
const KEPT_INDEXES = 1;

export type BackupSource = { readonly name: string; readonly database: Database; readonly isIndex: boolean };

export type BackupReport = {
  readonly folder: string;
  readonly files: number;
  readonly bytes: number;
  readonly removed: readonly string[];
};

export async function backUpDatabases(
  folder: string,
  sources: readonly BackupSource[],
  clock: Clock,
  options: { readonly signal: AbortSignal; onProgress(done: number, total: number): void },
): Promise<BackupReport> {
  const name = new Date(clock.now()).toISOString().replaceAll(":", "-");
  const unfinished = join(folder, `${name}.unfinished`);
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  try {
    const total = sources.reduce((sum, { database }) => sum + database.sizeBytes(), 0);
    let bytes = 0;
    for (const { name: file, database } of sources) {
      throwIfAborted(options.signal);
      const path = join(unfinished, file);
      const before = bytes;
      const onProgress = (done: number): void => options.onProgress(before + done, total);
      await database.copyTo(path, { signal: options.signal, onProgress });
      bytes += await makeDurable(path);
    }
    await makeDurable(unfinished);
    await rename(unfinished, join(folder, name));
    await makeDurable(folder);
    const removed = await rotate(
      folder,
      sources.filter(({ isIndex }) => isIndex).map(({ name: file }) => file),
    );
    return { folder: name, files: sources.length, bytes, removed };
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
}

/** Answers its length; of a folder 0. */
async function makeDurable(path: string): Promise<number> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
    const stat = await handle.stat();
    if (stat.isFile()) await handle.chmod(0o600);
    return stat.isFile() ? stat.size : 0;
  } finally {
    await handle.close();
  }
}

/** Names of the sets that went. */
async function rotate(folder: string, indexes: readonly string[]): Promise<string[]> {
  const sets = (await readdir(folder))
    .filter((name) => /^\d{4}-\d\d-\d\dT[\d.-]+Z$/.test(name))
    .sort()
    .reverse();
  for (const old of sets.slice(KEPT_INDEXES, KEPT)) {
    for (const file of indexes) await rm(join(folder, old, file), { force: true });
  }
  for (const left of (await readdir(folder)).filter((name) => name.endsWith(".unfinished"))) {
    await rm(join(folder, left), { recursive: true, force: true });
  }
  const removed = sets.slice(KEPT);
  for (const old of removed) await rm(join(folder, old), { recursive: true, force: true });
  return removed;
}
