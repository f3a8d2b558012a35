// Restores a selection into a folder on the person's computer (File System Access API). Only ordinary files and folders can be made there:
// links, owners, modes and times are the command line's. Names that are not safe on every system are written as core/filename makes
// them, what exists is kept or replaced as was asked, and whatever is not as in the backup is named in the result.

import { type AppError, isAppError } from "../../../core/errors.ts";
import { checkName, sanitiseName } from "../../../core/filename.ts";
import { type RawPath, rawToText } from "../../../core/raw-path.ts";
import type { VaultReader } from "../../../engine/reader/reader.ts";
import type { FoundEntry } from "../../../engine/reader/tree-reader.ts";
import { walkTree } from "../../../engine/reader/walk.ts";
import { ENTRY, type EntryType } from "../../../wire/v4/tree-types.ts";
import type { TransferNote, TransferResult } from "../reader-api.ts";
import { type FileJob, writeFailed, writeFiles } from "./file-writes.ts";
import { handleSink } from "./handle-sink.ts";
import type { Progress } from "./progress.ts";
import { commonFolder, countPicked } from "./selection.ts";

export type RestoreOptions = {
  readonly reader: VaultReader;
  readonly picked: readonly FoundEntry[];
  readonly directory: FileSystemDirectoryHandle;
  readonly existing: "keep" | "replace";
  /** Begun before and cut off: what stands there in its full length is not spoken of. */
  readonly isAgain: boolean;
  readonly signal: AbortSignal;
  readonly progress: Progress;
};

const UNSUPPORTED: Partial<Record<EntryType, string>> = {
  [ENTRY.symlink]: "a symbolic link, which a browser cannot make",
  [ENTRY.fifo]: "a pipe, which a browser cannot make",
  [ENTRY.charDevice]: "a device, which a browser cannot make",
  [ENTRY.blockDevice]: "a device, which a browser cannot make",
  [ENTRY.socket]: "a socket, which a browser cannot make",
};

export async function restoreInto(options: RestoreOptions): Promise<TransferResult> {
  const { reader, picked, signal, progress } = options;
  const counted = countPicked(reader, picked, signal).then(
    ({ files, bytes }) => {
      progress.totalFiles = files;
      progress.totalBytes = bytes;
    },
    // What cannot be counted cannot be restored either, and is reported there.
    () => undefined,
  );
  const onBytes = (count: number): void => {
    progress.bytes += count;
    progress.tell();
  };
  await writeFiles(reader, jobsOf(options), { signal, onBytes });
  await counted;
  progress.tell(true);
  return progress.result();
}

/** A folder that is being filled. */
type Folder = {
  readonly path: RawPath;
  readonly handle: FileSystemDirectoryHandle;
  /** Names in it, folded as most systems fold them. */
  readonly taken: Set<string>;
};

async function* jobsOf(options: RestoreOptions): AsyncGenerator<FileJob> {
  const { reader, picked, directory, signal, progress } = options;
  const base = commonFolder(picked);
  const root: Folder = { path: base, handle: directory, taken: new Set() };
  for (const start of picked) {
    const above = await foldersTo(root, start.path, progress);
    const stack: (Folder | undefined)[] = [above];
    for await (const { kind, path, entry, error } of walkTree(reader, start, { signal })) {
      const parent = stack.at(-1);
      if (kind === "problem") progress.note(failed(path, error!));
      else if (kind === "leave") stack.pop();
      else if (kind === "enter") {
        // The root of the snapshot is the chosen folder itself.
        stack.push(path === base ? root : parent && (await makeFolder(parent, path, progress)));
      } else if (parent && entry.type === ENTRY.file) {
        progress.current = rawToText(path);
        yield fileJob(options, parent, { path, entry });
      } else if (parent) {
        progress.note({
          path: rawToText(path),
          kind: "unsupported",
          detail: UNSUPPORTED[entry.type] ?? "of a kind that is not known",
        });
      }
    }
  }
}

/** The folders between the common one and what was picked. */
async function foldersTo(root: Folder, path: RawPath, progress: Progress): Promise<Folder | undefined> {
  if (path === root.path) return root;
  const base = root.path === "/" ? "" : root.path;
  const names = path
    .slice(base.length + 1)
    .split("/")
    .slice(0, -1);
  let folder: Folder | undefined = root;
  let at: string = base;
  for (const name of names) {
    at = `${at}/${name}`;
    folder = folder && (await makeFolder(folder, at as RawPath, progress, true));
  }
  return folder;
}

async function makeFolder(
  parent: Folder,
  path: RawPath,
  progress: Progress,
  isShared = false,
): Promise<Folder | undefined> {
  try {
    const name = nameFor(parent, path, progress, isShared);
    const handle = await parent.handle.getDirectoryHandle(name, { create: true });
    progress.folders++;
    return { path, handle, taken: new Set() };
  } catch (error) {
    // Everything in it is missing, and this says so.
    progress.note(failed(path, error));
    return undefined;
  }
}

function fileJob(
  { reader, existing, isAgain, progress }: RestoreOptions,
  parent: Folder,
  { path, entry }: Pick<FoundEntry, "path" | "entry">,
): FileJob {
  const shown = rawToText(path);
  const name = nameFor(parent, path, progress, false);
  return {
    path,
    entry,
    async open() {
      const sizeBytes = entry.size ?? 0;
      const there = await sizeOf(parent.handle, name);
      // An empty file is what a restore leaves that was cut off, and nothing to lose.
      if (existing === "keep" && there !== undefined && (there > 0 || sizeBytes === 0)) {
        throw new KeptFile(isAgain && there === sizeBytes);
      }
      const handle = await parent.handle.getFileHandle(name, { create: true });
      const sink = await handleSink(reader, handle, { shown, sizeBytes });
      if (there !== undefined) return sink;
      return {
        ...sink,
        async abort() {
          await sink.abort();
          await parent.handle.removeEntry(name);
        },
      };
    },
    onDone() {
      progress.files++;
      progress.tell();
    },
    onFailed(error) {
      if (error.cause instanceof KeptFile) {
        if (error.cause.isExpected) return;
        progress.note({ path: shown, kind: "left", detail: "there is a file of this name already" });
      } else progress.note(failed(path, error));
    },
  };
}

class KeptFile extends Error {
  readonly isExpected: boolean;

  constructor(isExpected: boolean) {
    super();
    this.isExpected = isExpected;
  }
}

async function sizeOf(folder: FileSystemDirectoryHandle, name: string): Promise<number | undefined> {
  try {
    return (await (await folder.getFileHandle(name)).getFile()).size;
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotFoundError") return undefined;
    throw error;
  }
}

/** A name that every system takes and that nothing else in this folder has. */
function nameFor(parent: Folder, path: RawPath, progress: Progress, isShared: boolean): string {
  const wanted = rawToText(path.slice(path.lastIndexOf("/") + 1) as RawPath);
  const safe = checkName(wanted) === undefined ? wanted : sanitiseName(wanted);
  let name = safe;
  for (let n = 2; !isShared && parent.taken.has(fold(name)); n++) name = numbered(safe, n);
  parent.taken.add(fold(name));
  if (name !== wanted) progress.note({ path: rawToText(path), kind: "renamed", detail: `written as ${name}` });
  return name;
}

function fold(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

function numbered(name: string, n: number): string {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? `${name.slice(0, dot)} (${n})${name.slice(dot)}` : `${name} (${n})`;
}

function failed(path: RawPath, error: unknown): TransferNote {
  const known: AppError = isAppError(error) ? error : writeFailed(error);
  return { path: rawToText(path), kind: "failed", detail: known.message };
}
