// Small files that are replaced as a whole: a crash leaves the old one or the new one, never half of either.
// A file is written beside its final name, fsynced, renamed over it, and its folder is fsynced.

import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, readFile, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Bytes } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";

export type AtomicWriteOptions = {
  /** Default 0o600. */
  readonly mode?: number;
  /** Mode of folders that have to be made; default 0o700. */
  readonly folderMode?: number;
};

/** When it answers, the file holds `content` and survives a crash. Missing folders are made. Throws `io` or `disk_full`. */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  options: AtomicWriteOptions = {},
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path).slice(0, 100)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    await mkdir(folder, { recursive: true, mode: options.folderMode ?? 0o700 });
    await writeDurably(temporary, content, options.mode ?? 0o600);
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (cause) {
    await unlink(temporary).catch(() => undefined);
    throw ioError(path, cause);
  }
}

/** The file's bytes, or undefined when there is none. Throws `io`. */
export async function readFileIfExists(path: string): Promise<Bytes | undefined> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw ioError(path, cause);
  }
}

/** Makes the names in `folder` survive a crash. Windows has no such call and keeps them by itself. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeDurably(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  const handle = await open(path, "wx", mode);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  // `open` applies the umask: the mode that was asked for is set again.
  await chmod(path, mode);
}

function ioError(path: string, cause: unknown): AppError {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT") return new AppError("disk_full", { cause, context: { path } });
  return new AppError("io", { cause, context: { path, detail: `${code ?? "unknown error"}.` } });
}
