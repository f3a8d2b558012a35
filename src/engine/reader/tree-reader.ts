// Directories of a snapshot, segment by segment.

import { AppError } from "../../core/errors.ts";
import type { ChunkId } from "../../core/ids.ts";
import { type RawPath, rawToText } from "../../core/raw-path.ts";
import { decodeSegment, type TreeSegment } from "../../wire/v4/tree.ts";
import { chunkIdAt, ENTRY, type OwnerNames, type TreeEntry } from "../../wire/v4/tree-types.ts";
import { KIND_TREE } from "../../wire/v4/vault-port.ts";
import type { SnapshotInfo } from "../snapshot-info.ts";
import type { ReadOptions, VaultReader } from "./reader.ts";

/** An entry with the names of the owners that its segment gives. */
export type FoundEntry = { readonly path: RawPath; readonly entry: TreeEntry; readonly owners: OwnerNames };

export const ROOT_PATH = "/" as RawPath;

/** The root of a snapshot, as an entry like any other directory. It has no metadata of its own. */
export function rootEntry(info: Pick<SnapshotInfo, "root">): TreeEntry {
  const chunkIds = new Uint8Array(info.root.length * 32);
  info.root.forEach((id, i) => {
    chunkIds.set(id, i * 32);
  });
  const time = { mtimeSeconds: 0, mtimeNanos: 0, ctimeSeconds: 0, ctimeNanos: 0 };
  return { type: ENTRY.directory, name: "" as RawPath, mode: 0o755, uid: 0, gid: 0, ...time, chunkIds };
}

/** Number of segments of a directory entry. */
export function segmentCount(directory: TreeEntry): number {
  return (directory.chunkIds?.length ?? 0) / 32;
}

export function segmentId(directory: TreeEntry, index: number): ChunkId {
  return chunkIdAt(directory.chunkIds!, index);
}

/** Reads one segment; `after` is the last name before it. Throws `tree_corrupt`, `chunk_missing`, `block_corrupt`. */
export async function readSegment(
  reader: VaultReader,
  directory: TreeEntry,
  index: number,
  after: RawPath | undefined,
  options: ReadOptions = {},
): Promise<TreeSegment> {
  const [bytes] = await reader.readChunks([segmentId(directory, index)], KIND_TREE, options);
  return decodeSegment(bytes!, after);
}

/** The entries of one directory, in order. */
export async function* listDirectory(
  reader: VaultReader,
  path: RawPath,
  directory: TreeEntry,
  options: ReadOptions = {},
): AsyncGenerator<FoundEntry> {
  const base = path === ROOT_PATH ? "/" : `${path}/`;
  let after: RawPath | undefined;
  for (let i = 0; i < segmentCount(directory); i++) {
    const { entries, owners } = await readSegment(reader, directory, i, after, { path: rawToText(path), ...options });
    for (const entry of entries) yield { path: (base + entry.name) as RawPath, entry, owners };
    after = entries.at(-1)?.name ?? after;
  }
}

/** The entry at an absolute path; undefined when there is none. `/` gives the root. */
export async function lookup(
  reader: VaultReader,
  info: Pick<SnapshotInfo, "root">,
  path: RawPath,
  options: ReadOptions = {},
): Promise<FoundEntry | undefined> {
  let found: FoundEntry = {
    path: ROOT_PATH,
    entry: rootEntry(info),
    owners: { users: new Map(), groups: new Map() },
  };
  for (const name of components(path)) {
    if (found.entry.type !== ENTRY.directory) return undefined;
    const next = await findName(reader, found, name, options);
    if (!next) return undefined;
    found = next;
  }
  return found;
}

/** As `lookup`; throws `not_found`. */
export async function requireEntry(
  reader: VaultReader,
  info: Pick<SnapshotInfo, "root">,
  path: RawPath,
  options: ReadOptions = {},
): Promise<FoundEntry> {
  const found = await lookup(reader, info, path, options);
  if (found) return found;
  throw new AppError("not_found", { context: { what: `${rawToText(path)} in the snapshot` } });
}

/** Components of an absolute or relative path; empty ones and `.` do not count. Throws `usage` for `..`. */
export function components(path: RawPath): RawPath[] {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  if (names.includes("..")) {
    throw new AppError("usage", { context: { detail: `The path ${rawToText(path)} may not contain "..".` } });
  }
  return names as RawPath[];
}

/** Segments are sorted, so a large directory is searched by halves. */
async function findName(
  reader: VaultReader,
  parent: FoundEntry,
  name: RawPath,
  options: ReadOptions,
): Promise<FoundEntry | undefined> {
  let low = 0;
  let high = segmentCount(parent.entry);
  while (low < high) {
    const middle = (low + high) >>> 1;
    const segment = await readSegment(reader, parent.entry, middle, undefined, options);
    const { entries, owners } = segment;
    const first = entries[0];
    const last = entries.at(-1);
    if (!first || !last) return undefined;
    if (name < first.name) high = middle;
    else if (name > last.name) low = middle + 1;
    else {
      const entry = entries.find((candidate) => candidate.name === name);
      const path = (parent.path === ROOT_PATH ? `/${name}` : `${parent.path}/${name}`) as RawPath;
      return entry && { path, entry, owners };
    }
  }
  return undefined;
}
