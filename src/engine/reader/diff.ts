// What changed from one snapshot to another: two sorted trees walked side by side. Directories whose segments have the same ids are
// equal all the way down and are not opened; so are equal segments of directories that differ elsewhere.

import { AppError, throwIfAborted } from "../../core/errors.ts";
import { type RawPath, rawToText } from "../../core/raw-path.ts";
import { ENTRY, type TreeEntry, type Xattr } from "../../wire/v4/tree-types.ts";
import { chunkKey } from "./chunk-table.ts";
import type { VaultReader } from "./reader.ts";
import { sameContent } from "./search.ts";
import { type FoundEntry, ROOT_PATH, readSegment, segmentCount, segmentId } from "./tree-reader.ts";
import { MAX_DEPTH } from "./walk.ts";

/** `type`: a file became a directory and so on. `metadata`: the same content with another mode, owner, time or attribute. */
export type ChangeKind = "added" | "removed" | "modified" | "metadata" | "type";

export type Change = {
  readonly kind: ChangeKind;
  readonly path: RawPath;
  readonly before: TreeEntry | undefined;
  readonly after: TreeEntry | undefined;
};

/** Each side is read with the reader of its own snapshot. */
type Readers = { readonly before: VaultReader; readonly after: VaultReader };
type DiffOptions = { readonly signal?: AbortSignal | undefined };

/** Changes in path order; everything in an added or removed directory is listed too. */
export async function* diffTrees(
  readers: Readers,
  before: FoundEntry,
  after: FoundEntry,
  options: DiffOptions = {},
): AsyncGenerator<Change> {
  const path = after.path;
  if (before.entry.type === ENTRY.directory && after.entry.type === ENTRY.directory) {
    yield* diffDirectories(readers, path, before.entry, after.entry, options, 0);
  } else {
    yield* diffPair(readers, path, before.entry, after.entry, options, 0);
  }
}

async function* diffDirectories(
  readers: Readers,
  path: RawPath,
  before: TreeEntry | undefined,
  after: TreeEntry | undefined,
  options: DiffOptions,
  depth: number,
): AsyncGenerator<Change> {
  throwIfAborted(options.signal);
  if (before && after && sameContent(before, after)) return;
  if (depth > MAX_DEPTH) {
    throw new AppError("limit", { context: { what: "The depth of folders", limit: MAX_DEPTH } });
  }
  const shared = sharedSegments(before, after);
  const left = differingEntries(readers.before, path, before, shared);
  const right = differingEntries(readers.after, path, after, shared);
  let [a, b] = await Promise.all([left.next(), right.next()]);
  while (!a.done || !b.done) {
    const order = a.done ? 1 : b.done ? -1 : compareNames(a.value.name, b.value.name);
    const was = order <= 0 && !a.done ? a.value : undefined;
    const is = order >= 0 && !b.done ? b.value : undefined;
    const child = (path === ROOT_PATH ? `/${(is ?? was)!.name}` : `${path}/${(is ?? was)!.name}`) as RawPath;
    yield* diffPair(readers, child, was, is, options, depth + 1);
    if (was) a = await left.next();
    if (is) b = await right.next();
  }
}

async function* diffPair(
  readers: Readers,
  path: RawPath,
  before: TreeEntry | undefined,
  after: TreeEntry | undefined,
  options: DiffOptions,
  depth: number,
): AsyncGenerator<Change> {
  const kind = changeOf(before, after);
  if (kind) yield { kind, path, before, after };
  const wasDirectory = before?.type === ENTRY.directory ? before : undefined;
  const isDirectory = after?.type === ENTRY.directory ? after : undefined;
  if (wasDirectory || isDirectory) yield* diffDirectories(readers, path, wasDirectory, isDirectory, options, depth);
}

function changeOf(before: TreeEntry | undefined, after: TreeEntry | undefined): ChangeKind | undefined {
  if (!before) return "added";
  if (!after) return "removed";
  if (before.type !== after.type) return "type";
  if (after.type !== ENTRY.directory && !sameContent(before, after)) return "modified";
  return sameMetadata(before, after) ? undefined : "metadata";
}

/** ctime does not count: nobody sets it, and a restore or a rename changes it. */
export function sameMetadata(a: TreeEntry, b: TreeEntry): boolean {
  return (
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.mtimeSeconds === b.mtimeSeconds &&
    a.mtimeNanos === b.mtimeNanos &&
    sameXattrs(a.xattrs ?? [], b.xattrs ?? [])
  );
}

function sameXattrs(a: readonly Xattr[], b: readonly Xattr[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ name, value }, i) => {
      const other = b[i]!;
      return (
        name === other.name &&
        value.length === other.value.length &&
        value.every((byte, at) => byte === other.value[at])
      );
    })
  );
}

/** Segments that both directories have: their entries are equal on both sides, so neither side needs to read them. */
function sharedSegments(before: TreeEntry | undefined, after: TreeEntry | undefined): ReadonlySet<string> {
  if (!before || !after) return new Set();
  const ids = new Set(Array.from({ length: segmentCount(before) }, (_, i) => chunkKey(before.chunkIds!, i)));
  return new Set(
    Array.from({ length: segmentCount(after) }, (_, i) => chunkKey(after.chunkIds!, i)).filter((id) => ids.has(id)),
  );
}

async function* differingEntries(
  reader: VaultReader,
  path: RawPath,
  directory: TreeEntry | undefined,
  shared: ReadonlySet<string>,
): AsyncGenerator<TreeEntry> {
  if (!directory) return;
  await reader.locateAhead(Array.from({ length: segmentCount(directory) }, (_, i) => segmentId(directory, i)));
  let last: RawPath | undefined;
  for (let i = 0; i < segmentCount(directory); i++) {
    if (shared.has(chunkKey(directory.chunkIds!, i))) continue;
    const { entries } = await readSegment(reader, directory, i, last, { path: rawToText(path) });
    yield* entries;
    last = entries.at(-1)?.name ?? last;
  }
}

function compareNames(a: RawPath, b: RawPath): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
