// Where the benchmark works, and the few things it does with folders.
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./measure.ts";

export const CHECKOUT = fileURLToPath(new URL("..", import.meta.url));

/** Everything that the benchmark makes lies here; it needs about 20 GB, the heavy case 10 GB more. */
export const WORK = process.env.CYBERBACKUP_BENCH_DIR ?? join(tmpdir(), "cyberbackup-bench");

export function work(...path: string[]): string {
  return join(WORK, ...path);
}

export async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}

export async function emptyFolder(path: string): Promise<void> {
  await remove(path);
  await mkdir(path, { recursive: true });
}

/** The sum of the sizes of all files under a path. */
export async function storedBytes(path: string): Promise<number> {
  const found = await stat(path);
  if (found.isFile()) return found.size;
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Reads everything under a path once, so that every contender finds it in the page cache. */
export async function warm(path: string): Promise<void> {
  await run({ argv: ["sh", "-c", 'find "$1" -type f -print0 | xargs -0 -r cat >/dev/null', "sh", path] });
}
