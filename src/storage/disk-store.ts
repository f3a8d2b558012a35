// Objects as files below one folder. An object is written to tmp/, fsynced, linked to its final name (a link, unlike a rename,
// never replaces what is there) and its folder is fsynced: a crash leaves it whole or not at all. File systems without hard
// links get a rename after a look; there, two processes that write the same key at the same instant are not kept apart.
// All work is asynchronous: an fsync never holds up the event loop.

import { randomBytes } from "node:crypto";
import { constants, type Dirent } from "node:fs";
import { type FileHandle, link, mkdir, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Bytes } from "../core/bytes.ts";
import { equalBytes } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import { type HandleCache, handleCache } from "./handle-cache.ts";
import {
  isReserved,
  type ObjectEntry,
  type ObjectStore,
  type ObjectWriter,
  requireKey,
  requirePrefix,
} from "./object-store.ts";

const COMPARE_BYTES = 1 << 20;
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** A store on a local folder, which is made when the first object is written. */
export function diskStore(folder: string): ObjectStore {
  const root = resolve(folder);
  const handles = handleCache((key) => open(join(root, key), "r"));
  return {
    async put(key, bytes) {
      const writer = await createWriter(root, handles);
      try {
        await writer.write(bytes);
        return await writer.commit(key);
      } finally {
        await writer.abort();
      }
    },

    create: () => createWriter(root, handles),

    async get(key) {
      const path = join(root, requireKey(key));
      return guard(path, async () => {
        const handle = await orMissing(open(path, "r"));
        if (handle === undefined) return undefined;
        try {
          return plain(await handle.readFile());
        } finally {
          await handle.close();
        }
      });
    },

    async getRange(key, offset, length) {
      const path = join(root, handles.has(key) ? key : requireKey(key));
      return guard(path, () => orMissing(handles.use(key, (handle) => readAt(handle, offset, length))));
    },

    async size(key) {
      const path = join(root, requireKey(key));
      return guard(path, async () => (await orMissing(stat(path)))?.size);
    },

    async *list(prefix) {
      requirePrefix(prefix);
      yield* walk(root, prefix);
    },

    async remove(key) {
      const path = join(root, requireKey(key));
      await handles.drop(key);
      await guard(path, async () => {
        await orMissing(unlink(path));
        await orMissing(syncFolder(dirname(path)));
      });
    },

    sweep: (before) => sweepFolder(join(root, "tmp"), before),

    close: () => handles.close(),
  };
}

async function createWriter(root: string, handles: HandleCache): Promise<ObjectWriter> {
  const path = join(root, "tmp", randomBytes(12).toString("hex"));
  const file = await guard(path, async () => {
    await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE });
    return open(path, "wx+", FILE_MODE);
  });
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await file.close();
  };
  return {
    write: (slice) => guard(path, () => writeAll(file, slice)),

    commit: (key) =>
      guard(path, async () => {
        const target = join(root, requireKey(key));
        try {
          await file.sync();
          await makeFolder(root, dirname(target));
          const isNew = await linkOrRename(path, target);
          const isEqual = isNew || (await sameContent(file, target));
          if (isEqual) await syncFolder(dirname(target));
          if (isNew) await handles.drop(key);
          return isEqual;
        } finally {
          await close();
          await orMissing(unlink(path));
        }
      }),

    abort: () =>
      guard(path, async () => {
        if (!isOpen) return;
        await close();
        await orMissing(unlink(path));
      }),
  };
}

async function writeAll(file: FileHandle, slice: Uint8Array): Promise<void> {
  let done = 0;
  while (done < slice.length) done += (await file.write(slice, done)).bytesWritten;
}

/** True when `target` is new and now the same file as `path`, false when it was there before. */
async function linkOrRename(path: string, target: string): Promise<boolean> {
  try {
    await link(path, target);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL"].includes(codeOf(error) ?? "")) throw error;
  }
  if ((await orMissing(stat(target))) !== undefined) return false;
  await rename(path, target);
  return true;
}

async function sameContent(file: FileHandle, target: string): Promise<boolean> {
  const other = await open(target, "r");
  try {
    const { size } = await file.stat();
    if ((await other.stat()).size !== size) return false;
    for (let offset = 0; offset < size; offset += COMPARE_BYTES) {
      const [a, b] = await Promise.all([readAt(file, offset, COMPARE_BYTES), readAt(other, offset, COMPARE_BYTES)]);
      if (!equalBytes(a, b)) return false;
    }
    return true;
  } finally {
    await other.close();
  }
}

async function readAt(handle: FileHandle, offset: number, length: number): Promise<Bytes> {
  // Not zeroed: what was not read is not given out.
  const buffer = Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(buffer, done, length - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return new Uint8Array(buffer.buffer, 0, done);
}

/** Makes a folder below `root`; each new one is durable in the one above it. */
async function makeFolder(root: string, folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  if (first === undefined) return;
  for (let at = folder; at.length > root.length && at.length >= first.length; at = dirname(at))
    await syncFolder(dirname(at));
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function* walk(root: string, prefix: string): AsyncGenerator<ObjectEntry> {
  const folder = join(root, prefix);
  const entries = (await guard(folder, () => orMissing(readdir(folder, { withFileTypes: true })))) ?? [];
  const sortKey = (entry: Dirent): string => (entry.isDirectory() ? `${entry.name}/` : entry.name);
  entries.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  for (const entry of entries) {
    const key = prefix + entry.name;
    if (prefix === "" && isReserved(key)) continue;
    if (entry.isDirectory()) yield* walk(root, `${key}/`);
    else {
      const found = await guard(join(root, key), () => orMissing(stat(join(root, key))));
      if (found !== undefined) yield { key, sizeBytes: found.size };
    }
  }
}

async function sweepFolder(folder: string, before: number): Promise<number> {
  return guard(folder, async () => {
    let count = 0;
    for (const name of (await orMissing(readdir(folder))) ?? []) {
      const path = join(folder, name);
      const found = await orMissing(stat(path));
      if (found === undefined || found.mtimeMs >= before) continue;
      await orMissing(unlink(path));
      count++;
    }
    return count;
  });
}

/** A plain Uint8Array over the same bytes. */
function plain(buffer: Buffer): Bytes {
  return new Uint8Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.length);
}

async function orMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

async function guard<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError) throw error;
    const code = codeOf(error);
    if (code === "ENOSPC" || code === "EDQUOT") throw new AppError("disk_full", { cause: error, context: { path } });
    throw new AppError("io", { cause: error, context: { path, detail: `${(error as Error).message}.` } });
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
