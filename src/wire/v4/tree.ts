// Coding of tree segments (docs/format.md, Tree chunks). Pure; decoding takes hostile bytes and answers with entries or `tree_corrupt`.

import { ByteReader, type Bytes, ByteWriter, tryUtf8Decode, utf8 } from "../../core/bytes.ts";
import { AppError } from "../../core/errors.ts";
import { isPlainComponent } from "../../core/filename.ts";
import { type RawPath, rawSlice } from "../../core/raw-path.ts";
import { ENTRY, type EntryType, type Hole, type OwnerNames, type TreeEntry, type Xattr } from "./tree-types.ts";

const FLAG = { birth: 1, xattrs: 2, holes: 4, hardLink: 8, changed: 16, indirect: 32 } as const;
const ALL_FLAGS = 63;
const TREE_VERSION = 1;

/** Limits of docs/format.md; an encoder may not exceed them, a decoder refuses more. */
export const TREE_LIMITS = {
  segmentSoft: 64 * 1024,
  segmentHard: 512 * 1024,
  entry: 16 * 2 ** 20,
  name: 4096,
  linkTarget: 65536,
  ownerName: 255,
  xattrName: 255,
  xattrValue: 16 * 2 ** 20,
} as const;

export type TreeSegment = { readonly entries: TreeEntry[]; readonly owners: OwnerNames };

/** Puts a segment together from entries that `encodeEntry` made, in order. */
export function encodeSegment(owners: OwnerNames, entryCount: number, entries: Uint8Array): Bytes {
  const out = new ByteWriter(entries.length + 256);
  out.u8(TREE_VERSION);
  encodeNames(out, owners.users);
  encodeNames(out, owners.groups);
  out.varint(entryCount);
  out.bytes(entries);
  return out.take();
}

const scratch = new ByteWriter(4096);

/** Appends one entry, with its length, to `out`. */
export function encodeEntry(out: ByteWriter, entry: TreeEntry): void {
  scratch.clear();
  encodeEntryFields(scratch, entry);
  out.varint(scratch.length);
  out.bytes(scratch.view());
}

function encodeEntryFields(out: ByteWriter, entry: TreeEntry): void {
  const { holes, xattrs, hardLink } = entry;
  out.u8(entry.type);
  out.varint(
    (entry.birthSeconds !== undefined ? FLAG.birth : 0) |
      (xattrs?.length ? FLAG.xattrs : 0) |
      (holes?.length ? FLAG.holes : 0) |
      (hardLink ? FLAG.hardLink : 0) |
      (entry.changed ? FLAG.changed : 0) |
      (entry.indirect ? FLAG.indirect : 0),
  );
  encodeRaw(out, entry.name);
  out.varint(entry.mode);
  out.varint(entry.uid);
  out.varint(entry.gid);
  out.zigzag(entry.mtimeSeconds);
  out.varint(entry.mtimeNanos);
  out.zigzag(entry.ctimeSeconds);
  out.varint(entry.ctimeNanos);
  if (entry.birthSeconds !== undefined) {
    out.zigzag(entry.birthSeconds);
    out.varint(entry.birthNanos ?? 0);
  }
  if (hardLink) {
    out.varint(hardLink.device);
    out.varint(hardLink.inode);
  }
  encodeByType(out, entry);
  if (holes?.length) encodeHoles(out, holes);
  if (xattrs?.length) encodeXattrs(out, xattrs);
}

function encodeByType(out: ByteWriter, entry: TreeEntry): void {
  const ids = entry.chunkIds ?? new Uint8Array(0);
  switch (entry.type) {
    case ENTRY.file: {
      out.varint(entry.size ?? 0);
      out.varint(ids.length / 32);
      if (ids.length > 32) for (const length of entry.chunkLengths ?? []) out.varint(length);
      out.bytes(ids);
      break;
    }
    case ENTRY.directory:
      out.varint(ids.length / 32);
      out.bytes(ids);
      break;
    case ENTRY.symlink:
      encodeRaw(out, entry.linkTarget ?? ("" as RawPath));
      break;
    case ENTRY.charDevice:
    case ENTRY.blockDevice:
      out.varint(entry.rdevMajor ?? 0);
      out.varint(entry.rdevMinor ?? 0);
      break;
  }
}

function encodeHoles(out: ByteWriter, holes: readonly Hole[]): void {
  out.varint(holes.length);
  let end = 0;
  for (const hole of holes) {
    out.varint(hole.offset - end);
    out.varint(hole.length);
    end = hole.offset + hole.length;
  }
}

function encodeXattrs(out: ByteWriter, xattrs: readonly Xattr[]): void {
  const sorted = xattrs.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  out.varint(sorted.length);
  for (const { name, value } of sorted) {
    encodeRaw(out, name);
    out.prefixed(value);
  }
}

function encodeNames(out: ByteWriter, names: ReadonlyMap<number, string>): void {
  out.varint(names.size);
  for (const id of [...names.keys()].sort((a, b) => a - b)) {
    out.varint(id);
    out.prefixed(utf8(names.get(id) ?? ""));
  }
}

function encodeRaw(out: ByteWriter, raw: RawPath): void {
  out.varint(raw.length);
  out.rawString(raw);
}

const fail = (detail: string): never => {
  throw new AppError("tree_corrupt", { context: { detail } });
};

/** Decodes one segment; `after` is the last name of the segment before it, for the order check. */
export function decodeSegment(bytes: Uint8Array, after?: RawPath): TreeSegment {
  const reader = new ByteReader(bytes, fail);
  const version = reader.u8();
  if (version !== TREE_VERSION) fail(`unknown version ${version}`);
  const owners = { users: decodeNames(reader), groups: decodeNames(reader) };
  const count = reader.varint();
  const entries: TreeEntry[] = [];
  let last = after;
  for (let i = 0; i < count; i++) {
    const entry = decodeEntry(reader, bytes);
    if (last !== undefined && entry.name <= last) fail("names are out of order");
    last = entry.name;
    entries.push(entry);
  }
  reader.end();
  return { entries, owners };
}

/** Decodes the entry at the reader, its length included; `bytes` is what the reader reads. */
export function decodeEntry(reader: ByteReader, bytes: Uint8Array): TreeEntry {
  const length = reader.varint();
  if (length > TREE_LIMITS.entry || length > reader.remaining) fail("an entry is too long");
  const end = reader.offset + length;
  const type = reader.u8() as EntryType;
  if (type < 1 || type > 7) fail(`unknown entry type ${type}`);
  const flags = reader.varint();
  if (flags > ALL_FLAGS) fail(`unknown flags ${flags}`);
  const name = decodeRaw(reader, bytes, TREE_LIMITS.name);
  if (!isPlainComponent(name, TREE_LIMITS.name)) fail("a name is not allowed");
  const mode = reader.varint();
  if (mode > 0o7777) fail("a mode is out of range");
  const entry: { -readonly [K in keyof TreeEntry]: TreeEntry[K] } = {
    type,
    name,
    mode,
    uid: reader.varint(),
    gid: reader.varint(),
    mtimeSeconds: reader.zigzag(),
    mtimeNanos: decodeNanos(reader),
    ctimeSeconds: reader.zigzag(),
    ctimeNanos: decodeNanos(reader),
  };
  if (flags & FLAG.birth) {
    entry.birthSeconds = reader.zigzag();
    entry.birthNanos = decodeNanos(reader);
  }
  if (flags & FLAG.hardLink) entry.hardLink = { device: reader.varint(), inode: reader.varint() };
  if (flags & FLAG.changed) entry.changed = true;
  decodeByType(entry, reader, bytes);
  if (flags & FLAG.indirect) {
    if (entry.type !== ENTRY.file || !entry.size) fail("it says that there are chunk lists and has none");
    entry.indirect = true;
  }
  if (flags & FLAG.holes) entry.holes = decodeHoles(reader, entry.size ?? 0);
  if (flags & FLAG.xattrs) entry.xattrs = decodeXattrs(reader, bytes);
  if (reader.offset !== end) fail("an entry has another length than it says");
  return entry;
}

function decodeByType(
  entry: { -readonly [K in keyof TreeEntry]: TreeEntry[K] },
  reader: ByteReader,
  bytes: Uint8Array,
): void {
  switch (entry.type) {
    case ENTRY.file: {
      const size = reader.varint();
      const count = boundedCount(reader, 32);
      const lengths: number[] = [];
      if (count > 1) for (let i = 0; i < count; i++) lengths.push(reader.varint());
      else if (count === 1) lengths.push(size);
      let sum = 0;
      for (const length of lengths) sum += length;
      if (sum !== size || lengths.includes(0)) fail("chunk lengths do not add up to the size");
      entry.size = size;
      entry.chunkLengths = lengths;
      entry.chunkIds = reader.copy(count * 32);
      break;
    }
    case ENTRY.directory: {
      const count = boundedCount(reader, 32);
      if (count === 0) fail("a directory has no segments");
      entry.chunkIds = reader.copy(count * 32);
      break;
    }
    case ENTRY.symlink:
      entry.linkTarget = decodeRaw(reader, bytes, TREE_LIMITS.linkTarget);
      break;
    case ENTRY.charDevice:
    case ENTRY.blockDevice:
      entry.rdevMajor = reader.varint();
      entry.rdevMinor = reader.varint();
      break;
  }
}

function decodeHoles(reader: ByteReader, size: number): Hole[] {
  const count = boundedCount(reader, 2);
  if (count === 0) fail("it says that there are holes and has none");
  const holes: Hole[] = [];
  let end = 0;
  for (let i = 0; i < count; i++) {
    const offset = end + reader.varint();
    const length = reader.varint();
    end = offset + length;
    if (length === 0 || end > size) fail("a hole lies beyond its file");
    holes.push({ offset, length });
  }
  return holes;
}

function decodeXattrs(reader: ByteReader, bytes: Uint8Array): Xattr[] {
  const count = boundedCount(reader, 2);
  if (count === 0) fail("it says that there are extended attributes and has none");
  const xattrs: Xattr[] = [];
  for (let i = 0; i < count; i++) {
    const name = decodeRaw(reader, bytes, TREE_LIMITS.xattrName);
    const before = xattrs.at(-1);
    if (name === "" || name.includes("\0") || (before && name <= before.name))
      fail("an extended attribute's name is not allowed");
    xattrs.push({ name, value: reader.prefixed(TREE_LIMITS.xattrValue).slice() });
  }
  return xattrs;
}

function decodeNames(reader: ByteReader): Map<number, string> {
  const count = boundedCount(reader, 2);
  const names = new Map<number, string>();
  let last = -1;
  for (let i = 0; i < count; i++) {
    const id = reader.varint();
    if (id <= last) fail("owners are out of order");
    last = id;
    const name = tryUtf8Decode(reader.prefixed(TREE_LIMITS.ownerName));
    if (name === undefined) fail("an owner's name is not UTF-8");
    else names.set(id, name);
  }
  return names;
}

function decodeNanos(reader: ByteReader): number {
  const nanos = reader.varint();
  return nanos < 1e9 ? nanos : fail("a time is out of range");
}

function decodeRaw(reader: ByteReader, bytes: Uint8Array, limit: number): RawPath {
  const length = reader.varint();
  if (length > limit || length > reader.remaining) fail("a name is too long");
  const start = reader.offset;
  reader.offset += length;
  return rawSlice(bytes, start, start + length);
}

/** A count of things that take at least `minBytes` each, so that a hostile count cannot make us reserve memory. */
function boundedCount(reader: ByteReader, minBytes: number): number {
  const count = reader.varint();
  return count * minBytes <= reader.remaining ? count : fail("it ends too early");
}
