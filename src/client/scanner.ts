// Walks the file system in the order that the engine wants: depth first, names in byte order, one device if asked. It opens nothing
// but directories and never follows a link. What cannot be read becomes a problem item, and the walk goes on.

import { readdirSync, readlinkSync } from "node:fs";
import { AppError } from "../core/errors.ts";
import { type RawPath, rawJoin } from "../core/raw-path.ts";
import type { BackupSource, EntryDetails, ScanItem, ScannedEntry } from "../engine/backup/types.ts";
import { ROOT_NAME } from "../wire/v4/state-file.ts";
import { ENTRY } from "../wire/v4/tree-types.ts";
import type { DirectoryRules, Excluder } from "./excludes.ts";
import { emptyFileStat, type FileStat } from "./file-stat.ts";
import type { Owners } from "./owners.ts";
import { getXattr, listXattrs, lstatInto, nodePath, type SystemError } from "./posix.ts";

const ITEMS_PER_BATCH = 512;
const MAX_DEPTH = 4096;

export type ScannerOptions = {
  /** Absolute, normalised, raw. */
  readonly paths: readonly RawPath[];
  readonly excluder: Excluder | undefined;
  readonly oneFileSystem: boolean;
  readonly owners: Owners;
  /** A file that comes from a stream, put at `path`. */
  readonly stream?: {
    readonly path: RawPath;
    readonly bytes: AsyncIterable<Uint8Array>;
    readonly entry: Omit<ScannedEntry, "name" | "path">;
  };
  /** Hears of attributes that could not be read. */
  readonly onProblem?: (path: RawPath, code: string) => void;
};

/** Where a backed-up path lies below the root: each node has the names below it, or is itself backed up. */
type Way = { below: Map<RawPath, Way>; whole: boolean };

export function createScanner(options: ScannerOptions): BackupSource {
  const { owners } = options;
  return {
    scan: () => scan(options),
    details: (entry) => details(entry, options.onProblem),
    userName: (uid) => owners.userName(uid),
    groupName: (gid) => owners.groupName(gid),
  };
}

async function* scan(options: ScannerOptions): AsyncGenerator<readonly ScanItem[]> {
  const root: Way = { below: new Map(), whole: false };
  for (const path of options.paths) addWay(root, path);
  if (options.stream) addWay(root, options.stream.path);
  let batch: ScanItem[] = [];
  let found = 0;
  for (const item of walkWay(options, root, "/" as RawPath, ROOT_NAME)) {
    if (item.kind !== "problem" && item.kind !== "enter") found++;
    batch.push(item);
    if (batch.length >= ITEMS_PER_BATCH) {
      yield batch;
      batch = [];
    }
  }
  // The root itself is always there.
  if (found <= 1) throw new AppError("source_missing", { context: { path: options.paths.join(", ") } });
  yield batch;
}

function addWay(root: Way, path: RawPath): void {
  let at = root;
  for (const part of path.split("/").filter((name) => name !== "") as RawPath[]) {
    if (at.whole) return;
    let next = at.below.get(part);
    if (!next) {
      next = { below: new Map(), whole: false };
      at.below.set(part, next);
    }
    at = next;
  }
  at.whole = true;
  at.below.clear();
}

/** The directories that lead to the backed-up paths: only what is on the way is stored of them. */
function* walkWay(options: ScannerOptions, way: Way, path: RawPath, name: RawPath): Generator<ScanItem> {
  if (options.stream && way.whole && path === options.stream.path) {
    yield { kind: "stream", entry: { ...options.stream.entry, name, path }, stream: options.stream.bytes };
    return;
  }
  const entry = way.whole && name !== ROOT_NAME ? statEntry(path, name) : statDirectory(path, name);
  if ("problem" in entry) {
    if (options.stream?.path.startsWith(`${path}/`)) yield* walkVirtual(options, way, path, name);
    else yield { kind: "problem", path, code: entry.problem };
    return;
  }
  if (way.whole) {
    yield* walk(options, entry, entry.device, 0);
    return;
  }
  yield { kind: "enter", name, path };
  yield* walkBelow(options, way, path);
  yield { kind: "leave", entry };
}

function* walkBelow(options: ScannerOptions, way: Way, path: RawPath): Generator<ScanItem> {
  for (const child of [...way.below.keys()].sort())
    yield* walkWay(options, way.below.get(child)!, rawJoin(path, child), child);
}

/** A folder on the way to a stream's name that does not exist on this machine. */
function* walkVirtual(options: ScannerOptions, way: Way, path: RawPath, name: RawPath): Generator<ScanItem> {
  const like = options.stream!.entry;
  yield { kind: "enter", name, path };
  yield* walkBelow(options, way, path);
  yield { kind: "leave", entry: { ...like, type: ENTRY.directory, mode: 0o755, size: 0, name, path } };
}

/** One backed-up entry and, if it is a directory, all below it. `root` is the device that --one-file-system stays on. */
function* walk(
  options: ScannerOptions,
  entry: ScannedEntry,
  root: number,
  depth: number,
  rules?: DirectoryRules,
): Generator<ScanItem> {
  if (entry.type !== ENTRY.directory) {
    yield { kind: "entry", entry };
    return;
  }
  const { path } = entry;
  yield { kind: "enter", name: entry.name, path };
  const crossed = options.oneFileSystem && entry.device !== root;
  if (!crossed) yield* walkDirectory(options, path, root, depth, rules);
  yield { kind: "leave", entry };
}

function* walkDirectory(
  options: ScannerOptions,
  path: RawPath,
  root: number,
  depth: number,
  parentRules?: DirectoryRules,
): Generator<ScanItem> {
  let names: RawPath[];
  try {
    if (depth > MAX_DEPTH) throw Object.assign(new Error("too deep"), { code: "ELOOP" });
    names = (readdirSync(nodePath(path), { encoding: "latin1" }) as RawPath[]).sort();
  } catch (error) {
    yield { kind: "problem", path, code: codeOf(error) };
    return;
  }
  const { excluder } = options;
  const rules = excluder?.enterDirectory(path, names, parentRules);
  for (const name of names) {
    const child = rawJoin(path, name);
    const entry = statEntry(child, name);
    if ("problem" in entry) {
      // A file that went away between listing and looking is not a problem: it was deleted.
      if (entry.problem !== "ENOENT") yield { kind: "problem", path: child, code: entry.problem };
      continue;
    }
    if (excluder?.excludes(rules, name, child, entry.type === ENTRY.directory, entry.size)) continue;
    if (entry.type === ENTRY.directory) yield* walk(options, entry, root, depth + 1, rules);
    else yield { kind: "entry", entry };
  }
}

const stat: FileStat = emptyFileStat();

function statEntry(path: RawPath, name: RawPath): ScannedEntry | { readonly problem: string } {
  try {
    lstatInto(path, stat);
  } catch (error) {
    return { problem: codeOf(error) };
  }
  if (stat.type === undefined) return { problem: "ENOTSUP" };
  return { ...stat, type: stat.type, name, path };
}

/** A directory on the way to a backed-up path; where it is a link, what it leads to. */
function statDirectory(path: RawPath, name: RawPath): ScannedEntry | { readonly problem: string } {
  const entry = statEntry(path, name);
  if ("problem" in entry || entry.type === ENTRY.directory) return entry;
  const inside = statEntry(rawJoin(path, "." as RawPath), name);
  return "problem" in inside ? inside : { ...inside, path };
}

function details(entry: ScannedEntry, onProblem: ScannerOptions["onProblem"]): EntryDetails {
  const { path } = entry;
  const out: { -readonly [K in keyof EntryDetails]: EntryDetails[K] } = {};
  try {
    if (entry.type === ENTRY.symlink) out.linkTarget = readlinkSync(nodePath(path), { encoding: "latin1" }) as RawPath;
    const names = listXattrs(path);
    if (names.length > 0) {
      out.xattrs = names.flatMap((name) => {
        const value = getXattr(path, name);
        return value ? [{ name, value }] : [];
      });
    }
  } catch (error) {
    const code = codeOf(error);
    if (code !== "ENOENT" || entry.type === ENTRY.symlink) onProblem?.(path, code);
  }
  return out;
}

function codeOf(error: unknown): string {
  const { code } = error as SystemError;
  if (typeof code !== "string") throw error;
  return code;
}
