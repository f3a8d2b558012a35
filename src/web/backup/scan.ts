// Walks what was chosen in the order that the engine wants: depth first, names in byte order. A browser tells names, sizes and times of
// change; owners, modes and links it does not tell (docs/web.md, What a browser cannot know). It opens no file.

import { AppError } from "../../core/errors.ts";
import { isPlainComponent, sanitiseName } from "../../core/filename.ts";
import { type RawPath, rawFromText, rawJoin } from "../../core/raw-path.ts";
import type { BackupSource, ScanItem, ScannedEntry } from "../../engine/backup/types.ts";
import { ROOT_NAME } from "../../wire/v4/state-file.ts";
import { ENTRY, UNKNOWN_OWNER } from "../../wire/v4/tree-types.ts";
import { type Chosen, isHandle } from "./chosen.ts";

/** What a seal worker opens: the file as it was found and, where there is one, what gives it anew. */
export type OpenableFile = { readonly file: File; readonly handle?: FileSystemFileHandle | undefined };
/** Travels to the workers inside the engine's jobs. */
export type BrowserEntry = ScannedEntry & { readonly source?: OpenableFile };

/** A folder of what was chosen. Its names are sorted when it is walked. */
type Folder = Map<RawPath, Node>;
type Node =
  | { readonly kind: "folder"; readonly entries: Folder }
  | { readonly kind: "handle"; readonly handle: FileSystemDirectoryHandle }
  | ({ readonly kind: "file" } & OpenableFile)
  | { readonly kind: "problem"; readonly code: string };

const ITEMS_PER_BATCH = 256;
/** Files of one folder that the browser is asked for at a time. */
const ASKED_AT_ONCE = 64;
const MAX_DEPTH = 1024;
/** As the tree format has it. */
const NAME_BYTES = 4096;
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** `waits` is awaited before each batch: a run that pauses holds it back. `onLarge` hears of each file that is read in parts. */
export function browserSource(
  chosen: readonly Chosen[],
  hooks: { readonly waits: () => Promise<void>; readonly onFile: (path: RawPath, source: OpenableFile) => void },
): BackupSource {
  return {
    async *scan() {
      let batch: ScanItem[] = [];
      let found = 0;
      for await (const item of walkFolder(await rootOf(chosen), "/" as RawPath, ROOT_NAME, 0)) {
        if (item.kind === "entry") {
          found++;
          const { source, path } = item.entry as BrowserEntry;
          if (source) hooks.onFile(path, source);
        } else if (item.kind === "leave" && item.entry.name !== ROOT_NAME) found++;
        batch.push(item);
        if (batch.length < ITEMS_PER_BATCH) continue;
        await hooks.waits();
        yield batch;
        batch = [];
      }
      if (found === 0) throw new AppError("source_missing", { context: { path: namesOf(chosen) } });
      yield batch;
    },
    details: () => ({}),
    userName: () => undefined,
    groupName: () => undefined,
  };
}

export type Measured = { files: number; folders: number; bytes: number };

/** How much there is, live: `onProgress` hears of it now and then. */
export async function measure(
  chosen: Chosen,
  onProgress: (measured: Measured) => void,
  signal: AbortSignal,
): Promise<Measured> {
  const measured: Measured = { files: 0, folders: 0, bytes: 0 };
  let steps = 0;
  for await (const item of walkFolder(await rootOf([chosen]), "/" as RawPath, ROOT_NAME, 0)) {
    if (signal.aborted) throw new AppError("interrupted");
    if (item.kind === "entry") {
      measured.files++;
      measured.bytes += item.entry.size;
    } else if (item.kind === "leave" && item.entry.name !== ROOT_NAME) measured.folders++;
    if (++steps % 500 === 0) onProgress({ ...measured });
  }
  return measured;
}

function namesOf(chosen: readonly Chosen[]): string {
  return chosen.map(({ name }) => name).join(", ");
}

async function rootOf(chosen: readonly Chosen[]): Promise<Folder> {
  const root: Folder = new Map();
  for (const one of chosen) {
    if (isHandle(one)) put(root, one.name, await nodeOf(one.handle));
    else
      for (const { path, file } of one.files)
        putFile(root, path === "" ? [one.name] : [one.name, ...path.split("/")], file);
  }
  return root;
}

function putFile(root: Folder, names: readonly string[], file: File): void {
  let at = root;
  for (const name of names.slice(0, -1)) {
    const raw = rawNameOf(name);
    let next = at.get(raw);
    if (next?.kind !== "folder") {
      next = { kind: "folder", entries: new Map() };
      at.set(raw, next);
    }
    at = next.entries;
  }
  put(at, names.at(-1)!, { kind: "file", file });
}

/** Two names that become one are both told of: only one of them could be kept. */
function put(folder: Folder, name: string, node: Node): void {
  const raw = rawNameOf(name);
  if (!isPlainComponent(raw, NAME_BYTES))
    return void folder.set(rawFromText(sanitiseName(name)), { kind: "problem", code: "EINVAL" });
  folder.set(raw, folder.has(raw) ? { kind: "problem", code: "EEXIST" } : node);
}

/** Names on disks are bytes or 16-bit units; what is no text is written by its codes. */
function rawNameOf(name: string): RawPath {
  return rawFromText(name.isWellFormed() ? name : sanitiseName(name));
}

async function nodeOf(handle: FileSystemDirectoryHandle | FileSystemFileHandle): Promise<Node> {
  if (handle.kind === "directory") return { kind: "handle", handle: handle as FileSystemDirectoryHandle };
  try {
    const own = handle as FileSystemFileHandle;
    return { kind: "file", file: await own.getFile(), handle: own };
  } catch (error) {
    return { kind: "problem", code: codeOfDomError(error) };
  }
}

async function* walkFolder(entries: Folder, path: RawPath, name: RawPath, depth: number): AsyncGenerator<ScanItem> {
  yield { kind: "enter", name, path };
  let newest = 0;
  for (const child of [...entries.keys()].sort()) {
    const node = entries.get(child)!;
    const below = rawJoin(path, child);
    if (node.kind === "problem") yield { kind: "problem", path: below, code: node.code };
    else if (node.kind === "file") {
      const entry = fileEntry(child, below, node);
      newest = Math.max(newest, node.file.lastModified);
      yield { kind: "entry", entry };
    } else if (node.kind === "folder") yield* walkFolder(node.entries, below, child, depth + 1);
    else yield* walkHandle(node.handle, below, child, depth + 1);
  }
  yield { kind: "leave", entry: folderEntry(name, path, newest) };
}

async function* walkHandle(
  handle: FileSystemDirectoryHandle,
  path: RawPath,
  name: RawPath,
  depth: number,
): AsyncGenerator<ScanItem> {
  let entries: Folder | { readonly code: string };
  try {
    entries = depth > MAX_DEPTH ? { code: "ELOOP" } : await listHandle(handle);
  } catch (error) {
    entries = { code: codeOfDomError(error) };
  }
  if (entries instanceof Map) return yield* walkFolder(entries, path, name, depth);
  yield { kind: "problem", path, code: entries.code };
  yield { kind: "enter", name, path };
  yield { kind: "leave", entry: folderEntry(name, path, 0) };
}

async function listHandle(handle: FileSystemDirectoryHandle): Promise<Folder> {
  const entries: Folder = new Map();
  let asked: Promise<{ name: string; node: Node }>[] = [];
  const settle = async (): Promise<void> => {
    for (const { name, node } of await Promise.all(asked)) put(entries, name, node);
    asked = [];
  };
  for await (const [name, child] of handle.entries()) {
    asked.push(nodeOf(child as FileSystemDirectoryHandle | FileSystemFileHandle).then((node) => ({ name, node })));
    if (asked.length >= ASKED_AT_ONCE) await settle();
  }
  await settle();
  return entries;
}

function fileEntry(name: RawPath, path: RawPath, { file, handle }: OpenableFile): BrowserEntry {
  return {
    ...commonOf(name, path, file.lastModified),
    type: ENTRY.file,
    mode: FILE_MODE,
    size: file.size,
    source: { file, handle },
  };
}

/** A browser does not tell when a folder changed: its newest file says it. */
function folderEntry(name: RawPath, path: RawPath, newest: number): BrowserEntry {
  return { ...commonOf(name, path, newest), type: ENTRY.directory, mode: FOLDER_MODE, size: 0 };
}

function commonOf(name: RawPath, path: RawPath, modifiedMs: number) {
  const times = timesOf(modifiedMs);
  return {
    ...{ name, path, uid: UNKNOWN_OWNER, gid: UNKNOWN_OWNER, links: 1 },
    ...times,
    birthSeconds: undefined,
    birthNanos: undefined,
    ...{ inode: 0, device: 0, rdevMajor: 0, rdevMinor: 0 },
    allocated: Number.MAX_SAFE_INTEGER,
  };
}

/** Time of change, which is all that a browser tells, in both places. */
export function timesOf(modifiedMs: number) {
  const seconds = Math.floor(modifiedMs / 1000);
  const nanos = Math.round((modifiedMs - seconds * 1000) * 1e6);
  return { mtimeSeconds: seconds, mtimeNanos: nanos, ctimeSeconds: seconds, ctimeNanos: nanos };
}

/** What the engine calls problems, of what a browser throws (File API, File System Standard). */
export function codeOfDomError(error: unknown): string {
  switch ((error as Error).name) {
    case "NotFoundError":
      return "ENOENT";
    case "NotAllowedError":
    case "SecurityError":
      return "EACCES";
    case "TypeMismatchError":
      return "ENOTDIR";
    default:
      return "EIO";
  }
}
