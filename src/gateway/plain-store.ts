// Uploads as files in a folder, in the manner of the old server's received_files: D/<user>/<file>. They are NOT encrypted. A file is
// written in D/.incoming, and gets its name only when it is whole, on the disk and confirmed; one that has the name already is kept
// under a number. The folder belongs to one gateway at a time, because what lies in .incoming at its start is swept.

import { randomBytes } from "node:crypto";
import { type FileHandle, link, mkdir, open, readdir, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { releaseWhole } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import { checkName, requireSafeName, sanitiseName } from "../core/filename.ts";
import type { V3ClientId } from "../core/ids.ts";
import { syncFolder } from "../node/atomic-file.ts";
import { holdFolder } from "./hold-folder.ts";
import type { Upload, UploadStore } from "./upload-store.ts";

const INCOMING = ".incoming";
const PART = /^[0-9a-f]{24}\.part$/;
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
/** Small slices are gathered, so that the disk sees few writes. */
const WRITE_BYTES = 512 * 1024;
/** Earlier versions that are looked past before a name is given up. */
const VERSIONS_AT_MOST = 100_000;

/** Throws `gateway_busy` when another gateway uses the folder, `io` and `disk_full`. */
export async function openPlainStore(folder: string): Promise<UploadStore> {
  const incoming = join(folder, INCOMING);
  await guard(folder, () => mkdir(incoming, { recursive: true, mode: FOLDER_MODE }));
  const hold = holdFolder(incoming);
  const uploads = new Set<PlainUpload>();
  try {
    await guard(incoming, () => sweep(incoming));
  } catch (error) {
    hold.release();
    throw error;
  }
  return {
    description: "folder, not encrypted",
    async begin(file) {
      const target = join(folder, userFolder(file.user, file.client));
      const path = join(incoming, `${randomBytes(12).toString("hex")}.part`);
      const handle = await guard(path, () => open(path, "wx", FILE_MODE));
      const upload = new PlainUpload(handle, path, target, requireSafeName(file.name), () => uploads.delete(upload));
      uploads.add(upload);
      return upload;
    },
    async close() {
      await Promise.all([...uploads].map((upload) => upload.abort()));
      hold.release();
    },
  };
}

/**
 * The folder of a user: their name, where that is a folder's name on every system; else one made of it and of a part of their id,
 * so that no two users meet in one.
 */
export function userFolder(user: string, client: V3ClientId): string {
  if (checkName(user) === undefined && !user.startsWith(".")) return user;
  return sanitiseName(`_${user}~${client.slice(0, 8)}`);
}

/** A run that was killed leaves its parts behind: nobody has confirmed them. */
async function sweep(incoming: string): Promise<void> {
  for (const name of await readdir(incoming)) if (PART.test(name)) await unlink(join(incoming, name));
}

class PlainUpload implements Upload {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #folder: string;
  readonly #name: string;
  readonly #onEnd: () => void;
  /** Bytes that wait to be written, and how many they are. */
  #gathered: Uint8Array | undefined;
  #length = 0;
  #spare: Uint8Array | undefined;
  #writing: Promise<void> | undefined;
  #isOver = false;

  constructor(handle: FileHandle, path: string, folder: string, name: string, onEnd: () => void) {
    this.#handle = handle;
    this.#path = path;
    this.#folder = folder;
    this.#name = name;
    this.#onEnd = onEnd;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0; ) {
      this.#gathered ??= new Uint8Array(WRITE_BYTES);
      const part = rest.subarray(0, WRITE_BYTES - this.#length);
      this.#gathered.set(part, this.#length);
      this.#length += part.length;
      rest = rest.subarray(part.length);
      if (this.#length === WRITE_BYTES) await this.#flush();
    }
    releaseWhole(bytes);
  }

  async commit(): Promise<void> {
    try {
      await guard(join(this.#folder, this.#name), async () => {
        await this.#flush();
        await this.#writing;
        await this.#handle.sync();
        await mkdir(this.#folder, { recursive: true, mode: FOLDER_MODE });
        await place(this.#path, this.#folder, this.#name);
        await syncFolder(this.#folder);
      });
    } catch (error) {
      await this.abort();
      throw error;
    }
    await this.#finish();
  }

  async abort(): Promise<void> {
    if (this.#isOver) return;
    await this.#finish();
    // A name that it may have got in a failed commit stays: by then it was whole.
    await unlink(this.#path).catch(() => undefined);
  }

  /** Begins to write what was gathered, once the write before it is done: one is written while the next one is filled. */
  async #flush(): Promise<void> {
    await this.#writing;
    const [full, length] = [this.#gathered, this.#length];
    [this.#gathered, this.#spare] = [this.#spare, full];
    this.#length = 0;
    if (!full) return;
    this.#writing = guard(this.#path, () => writeAll(this.#handle, full.subarray(0, length)));
    // Whoever flushes next, or commits, hears of it.
    this.#writing.catch(() => undefined);
  }

  async #finish(): Promise<void> {
    this.#isOver = true;
    this.#gathered = this.#spare = undefined;
    this.#onEnd();
    await this.#writing?.catch(() => undefined);
    await this.#handle.close().catch(() => undefined);
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done, bytes.length - done)).bytesWritten;
}

/** Gives the file its name. What had it before is found under a number from then on, and never under none. */
async function place(path: string, folder: string, name: string): Promise<void> {
  const target = join(folder, name);
  if (await linkIfFree(path, target)) {
    await unlink(path);
    return;
  }
  await keepVersion(folder, name);
  await rename(path, target);
}

/** A second name for the file that is there: `name.~1~`, `name.~2~` and so on, as `cp --backup=numbered` counts. */
async function keepVersion(folder: string, name: string): Promise<void> {
  for (let version = 1; version <= VERSIONS_AT_MOST; version++) {
    if (await linkIfFree(join(folder, name), join(folder, sanitiseName(`${name}.~${version}~`)))) return;
  }
  throw Object.assign(new Error("too many versions"), { code: "EEXIST" });
}

/** False when there is something of that name already. */
async function linkIfFree(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function guard<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (cause instanceof AppError || code === undefined) throw cause;
    if (code === "ENOSPC" || code === "EDQUOT") throw new AppError("disk_full", { cause, context: { path } });
    throw new AppError("io", { cause, context: { path, detail: `${code}.` } });
  }
}
