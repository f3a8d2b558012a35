// Names of log files: `server.1.log`, `server.2.log`, … in one folder; the greatest number is the one that is written.

import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** Programs that keep log files. */
export type LogName = "server" | "gateway" | "agent";

/** Paths of the log's files, oldest first; none when there is no such folder. */
export async function logFiles(folder: string, name: LogName): Promise<string[]> {
  const numbered = new RegExp(`^${name}\\.(\\d{1,15})\\.log$`);
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return names
    .map((file) => ({ file, number: Number(numbered.exec(file)?.[1]) }))
    .filter(({ number }) => number > 0)
    .sort((a, b) => a.number - b.number)
    .map(({ file }) => join(folder, file));
}
