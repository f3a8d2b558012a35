// A file system that is a map: a source of backups and the workers' way to its files, in Node and in browsers. Every change moves its
// clock on. Hooks let a test change a file while it is read.

import type { Bytes } from "../src/core/bytes.ts";
import { type RawPath, rawFromText } from "../src/core/raw-path.ts";
import type { FileAccess, OpenFile } from "../src/engine/backup/read-file.ts";
import type { BackupSource, FileMark, ScanItem, ScannedEntry } from "../src/engine/backup/types.ts";
import { ROOT_NAME } from "../src/wire/v4/state-file.ts";
import { ENTRY, type EntryType, type Hole, type Xattr } from "../src/wire/v4/tree-types.ts";

export type DiskNode = {
  readonly type: EntryType;
  content: Bytes;
  mode: number;
  uid: number;
  gid: number;
  links: number;
  mtimeSeconds: number;
  ctimeSeconds: number;
  mtimeNanos: number;
  readonly inode: number;
  readonly rdevMajor: number;
  readonly rdevMinor: number;
  linkTarget?: RawPath;
  xattrs?: readonly Xattr[];
  holes?: readonly Hole[];
};

const EMPTY: Bytes = new Uint8Array(0);
const ROOT = "/" as RawPath;
const ITEMS_PER_BATCH = 100;

export class MemoryDisk implements BackupSource, FileAccess {
  readonly nodes = new Map<RawPath, DiskNode>();
  /** Paths in the order in which they were opened. */
  opened: RawPath[] = [];
  /** Called before each read. */
  onRead: (path: RawPath, offset: number) => unknown = () => undefined;
  /** Files are reached through promises, as in a browser. */
  isAsync = false;
  /** Paths that cannot be opened, with the code. */
  readonly broken = new Map<RawPath, string>();
  #seconds = 1_700_000_000;
  #inode = 100;

  constructor() {
    this.#add(ROOT, ENTRY.directory, {});
  }

  /** Creates or overwrites a file; missing folders are made. */
  write(path: string, content: Uint8Array, fields: Partial<DiskNode> = {}): RawPath {
    const raw = rawFromText(path);
    const node = this.nodes.get(raw);
    if (node) {
      Object.assign(node, { content: content.slice(), ...fields });
      this.touch(raw);
    } else {
      this.#add(raw, ENTRY.file, { content: content.slice(), ...fields });
    }
    return raw;
  }

  make(path: string, type: EntryType, fields: Partial<DiskNode> = {}): RawPath {
    const raw = rawFromText(path);
    this.#add(raw, type, fields);
    return raw;
  }

  /** A second name of a file. */
  link(path: string, other: string): void {
    const node = this.get(rawFromText(path));
    node.links++;
    this.touch(rawFromText(path));
    this.nodes.set(rawFromText(other), node);
    this.touch(parentOf(rawFromText(other)));
  }

  /** With all below it. */
  remove(path: string): void {
    const raw = rawFromText(path);
    for (const other of [...this.nodes.keys()]) {
      if (other === raw || other.startsWith(`${raw}/`)) this.nodes.delete(other);
    }
    this.touch(parentOf(raw));
  }

  /** With all below it. */
  rename(from: string, to: string): void {
    const [old, fresh] = [rawFromText(from), rawFromText(to)];
    for (const [path, node] of [...this.nodes]) {
      if (path !== old && !path.startsWith(`${old}/`)) continue;
      this.nodes.delete(path);
      this.nodes.set((fresh + path.slice(old.length)) as RawPath, node);
    }
    this.get(fresh).ctimeSeconds = this.#seconds++;
    this.touch(parentOf(old));
    this.touch(parentOf(fresh));
  }

  get(path: RawPath): DiskNode {
    const node = this.nodes.get(path);
    if (!node) throw Object.assign(new Error(`no ${path}`), { code: "ENOENT" });
    return node;
  }

  touch(path: RawPath): void {
    const node = this.get(path);
    node.mtimeSeconds = node.ctimeSeconds = this.#seconds++;
  }

  async *scan(): AsyncGenerator<readonly ScanItem[]> {
    const below = new Map<RawPath, RawPath[]>();
    for (const path of this.nodes.keys()) {
      if (path === ROOT) continue;
      const siblings = below.get(parentOf(path)) ?? [];
      siblings.push(nameOf(path));
      below.set(parentOf(path), siblings);
    }
    let batch: ScanItem[] = [];
    for (const item of this.#walk(ROOT, ROOT_NAME, below)) {
      batch.push(item);
      if (batch.length < ITEMS_PER_BATCH) continue;
      yield batch;
      batch = [];
    }
    yield batch;
  }

  details(entry: ScannedEntry): Pick<DiskNode, "linkTarget" | "xattrs"> {
    const { linkTarget, xattrs } = this.get(entry.path);
    return { ...(linkTarget !== undefined && { linkTarget }), ...(xattrs && { xattrs }) };
  }

  userName(uid: number): string | undefined {
    return uid === 1000 ? "ann" : undefined;
  }

  groupName(gid: number): string | undefined {
    return gid === 100 ? "users" : undefined;
  }

  withFile<T>(path: RawPath, use: (file: OpenFile) => T | Promise<T>): T | Promise<T> {
    this.opened.push(path);
    const code = this.broken.get(path);
    if (code !== undefined) throw Object.assign(new Error(code), { code });
    const node = this.get(path);
    return use({
      read: (target, at, length, offset) => {
        this.onRead(path, offset);
        if (at + length > target.length) throw new RangeError("a read beyond the end of its buffer");
        const bytes = node.content.subarray(offset, offset + length);
        target.set(bytes, at);
        return this.isAsync ? Promise.resolve(bytes.length) : bytes.length;
      },
      mark: () => (this.isAsync ? Promise.resolve(markOf(node)) : markOf(node)),
      holes: () => node.holes ?? [],
    });
  }

  mark(path: RawPath): FileMark {
    return markOf(this.get(path));
  }

  *#walk(path: RawPath, name: RawPath, below: ReadonlyMap<RawPath, RawPath[]>): Generator<ScanItem> {
    const entry = entryOf(path, name, this.get(path));
    if (entry.type !== ENTRY.directory) {
      yield { kind: "entry", entry };
      return;
    }
    yield { kind: "enter", name, path };
    for (const child of (below.get(path) ?? []).sort()) yield* this.#walk(joined(path, child), child, below);
    yield { kind: "leave", entry };
  }

  #add(path: RawPath, type: EntryType, fields: Partial<DiskNode>): void {
    const seconds = this.#seconds++;
    if (path !== ROOT) {
      const parent = parentOf(path);
      if (!this.nodes.has(parent)) this.#add(parent, ENTRY.directory, {});
      this.touch(parent);
    }
    this.nodes.set(path, {
      type,
      content: EMPTY,
      mode: type === ENTRY.directory ? 0o755 : 0o644,
      uid: 1000,
      gid: 100,
      links: 1,
      mtimeSeconds: seconds,
      ctimeSeconds: seconds,
      mtimeNanos: 123_456_789,
      inode: this.#inode++,
      rdevMajor: 0,
      rdevMinor: 0,
      ...fields,
    });
  }
}

function entryOf(path: RawPath, name: RawPath, node: DiskNode): ScannedEntry {
  const { type, mode, uid, gid, links, rdevMajor, rdevMinor } = node;
  const birth = { birthSeconds: 1_600_000_000, birthNanos: 5 };
  const place = { name, path, device: 7, allocated: node.content.length };
  return { type, mode, uid, gid, links, rdevMajor, rdevMinor, ...birth, ...place, ...markOf(node) };
}

function markOf({ content, mtimeSeconds, mtimeNanos, ctimeSeconds, inode }: DiskNode): FileMark {
  return { size: content.length, mtimeSeconds, mtimeNanos, ctimeSeconds, ctimeNanos: 1, inode };
}

function parentOf(path: RawPath): RawPath {
  return (path.slice(0, path.lastIndexOf("/")) || "/") as RawPath;
}

function nameOf(path: RawPath): RawPath {
  return path.slice(path.lastIndexOf("/") + 1) as RawPath;
}

function joined(parent: RawPath, name: RawPath): RawPath {
  return (parent === ROOT ? `/${name}` : `${parent}/${name}`) as RawPath;
}
