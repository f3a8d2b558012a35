// The merge-join against a map that knows both trees by heart.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../../tests/fast-check.ts";
import { SNAPSHOT } from "../../../tests/samples.ts";
import { openStateBytes, stateSink } from "../../../tests/state-bytes.ts";
import { entryBytes } from "../../../tests/tree-samples.ts";
import { toHex } from "../../core/bytes.ts";
import type { RawPath } from "../../core/raw-path.ts";
import { ROOT_NAME, StateEncoder } from "../../wire/v4/state-file.ts";
import { ENTRY, type TreeEntry } from "../../wire/v4/tree-types.ts";
import { StateMerge } from "./state-merge.ts";
import type { ScannedEntry } from "./types.ts";

/** `version` stands for all that tells whether an entry changed. */
type Leaf = { readonly version: number; readonly type: 1 | 3 };
type Folder = { readonly version: number; readonly below: ReadonlyMap<string, Tree> };
type Tree = Leaf | Folder;

const isFolder = (tree: Tree): tree is Folder => "below" in tree;

function scanned(name: string, tree: Tree, path: string): ScannedEntry {
  const { version } = tree;
  const unused = { mode: 0o644, uid: 0, gid: 0, links: 1, device: 1, rdevMajor: 0, rdevMinor: 0, allocated: 0 };
  return {
    ...unused,
    type: isFolder(tree) ? ENTRY.directory : tree.type,
    name: name as RawPath,
    path: path as RawPath,
    size: 100 + (version % 2),
    mtimeSeconds: 1000,
    mtimeNanos: version % 3,
    ctimeSeconds: 2000 + version,
    ctimeNanos: 0,
    birthSeconds: undefined,
    birthNanos: undefined,
    inode: 5,
  };
}

function stored(name: string, tree: Tree, path: string): { inode: number; bytes: Uint8Array } {
  const { type, mode, uid, gid, mtimeSeconds, mtimeNanos, ctimeSeconds, ctimeNanos, size, inode } = scanned(
    name,
    tree,
    path,
  );
  const common = { type, name: name as RawPath, mode, uid, gid, mtimeSeconds, mtimeNanos, ctimeSeconds, ctimeNanos };
  const chunkIds = new Uint8Array(32).fill(path.length);
  const more: Partial<TreeEntry> =
    type === ENTRY.file
      ? { size, chunkIds, chunkLengths: [size] }
      : type === ENTRY.directory
        ? { chunkIds }
        : { linkTarget: "t" as RawPath };
  return { inode, bytes: entryBytes({ ...common, ...more }) };
}

function children(folder: Folder): [string, Tree][] {
  return [...folder.below].sort(([a], [b]) => (a < b ? -1 : 1));
}

const refsOf = (path: string) => [2 * path.length, 2 * path.length + 1];

/** The state that a run over `root` leaves, and every entry in it by its path. */
function stateOf(root: Folder): { merge: StateMerge; entries: Map<string, { tree: Tree; hex: string }> } {
  const sink = stateSink();
  const encoder = new StateEncoder(sink.emit);
  const entries = new Map<string, { tree: Tree; hex: string }>();
  const write = (name: string, tree: Tree, path: string): void => {
    const { inode, bytes } = stored(name, tree, path);
    entries.set(path, { tree, hex: toHex(bytes) });
    if (!isFolder(tree)) {
      encoder.entry(inode, bytes, refsOf(path));
      return;
    }
    encoder.enter(name as RawPath);
    for (const [child, below] of children(tree)) write(child, below, `${path}/${child}`);
    encoder.leave(inode, bytes, refsOf(path));
  };
  write(ROOT_NAME, root, "");
  encoder.finish({ snapshot: SNAPSHOT, table: [] });
  return { merge: new StateMerge(openStateBytes(sink.take()).cursor), entries };
}

/** Lets the merge follow a scan of `after`, and compares every answer with what the map says. */
function checkMerge(before: Folder, after: Folder): void {
  const { merge, entries } = stateOf(before);
  const visit = (name: string, tree: Tree, path: string): void => {
    const old = entries.get(path);
    const entry = scanned(name, tree, path);
    if (!isFolder(tree)) {
      const { known, same } = merge.file(entry);
      assert.equal(known, old !== undefined && !isFolder(old.tree), `${path} known`);
      const isSame =
        known && !isFolder(old!.tree) && old!.tree.type === tree.type && old!.tree.version === tree.version;
      assert.equal(same !== undefined, isSame, `${path} same`);
      if (same) assert.deepEqual([toHex(same.entry), same.refs], [old!.hex, refsOf(path)]);
      return;
    }
    merge.enter(entry.name);
    for (const [child, below] of children(tree)) visit(child, below, `${path}/${child}`);
    const { previous, complete, same } = merge.leave(entry);
    const was = old && isFolder(old.tree) ? old.tree : undefined;
    assert.equal(previous !== undefined, was !== undefined, `${path} previous`);
    if (previous) assert.deepEqual([toHex(previous.entry), previous.refs], [old!.hex, refsOf(path)]);
    assert.equal(same, was !== undefined && was.version === tree.version, `${path} same`);
    assert.equal(complete, was !== undefined && nothingLost(was, tree), `${path} complete`);
  };
  visit(ROOT_NAME, after, "");
}

/** Every name that was there is there, and is a folder where it was one. */
function nothingLost(before: Folder, after: Folder): boolean {
  return [...before.below].every(([name, tree]) => {
    const now = after.below.get(name);
    return now !== undefined && isFolder(now) === isFolder(tree);
  });
}

// Names that are prefixes of each other and sort around "/", as bytes.
const NAMES = ["a", "a-", "a.b", "aa", "ab", "b", "\x01", "\xff", "\xff\xff"];
const leaf: fc.Arbitrary<Tree> = fc
  .tuple(fc.nat(3), fc.constantFrom(1, 1, 1, 3))
  .map(([version, type]) => ({ version, type: type as 1 | 3 }));

function folderOf(tree: fc.Arbitrary<Tree>): fc.Arbitrary<Folder> {
  return fc
    .tuple(fc.nat(2), fc.uniqueArray(fc.tuple(fc.constantFrom(...NAMES), tree), { maxLength: 6, selector: ([n]) => n }))
    .map(([version, list]) => ({ version, below: new Map(list) }));
}

const shallow = folderOf(leaf);
const middle = folderOf(fc.oneof(leaf, shallow));
const anyTree = folderOf(fc.oneof(leaf, middle));

describe("the merge of a scan with the last run", () => {
  test("of any two trees", () => {
    fc.assert(fc.property(anyTree, anyTree, checkMerge), { numRuns: 1500 });
  });

  test("of a tree with itself, where all is the same and complete", () => {
    fc.assert(
      fc.property(anyTree, (tree) => checkMerge(tree, tree)),
      { numRuns: 300 },
    );
  });

  test("of a tree and one that differs in one place", () => {
    fc.assert(
      fc.property(
        anyTree,
        fc.constantFrom(...NAMES),
        fc.oneof(leaf, shallow, fc.constant(undefined)),
        (tree, name, put) => {
          const below = new Map(tree.below);
          if (put) below.set(name, put);
          else below.delete(name);
          checkMerge(tree, { ...tree, below });
          checkMerge({ ...tree, below }, tree);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("of a file that became a folder of that name, and the other way round", () => {
    const file: Leaf = { version: 1, type: 1 };
    const inner: Folder = { version: 1, below: new Map([["x", file]]) };
    const one: Folder = {
      version: 1,
      below: new Map<string, Tree>([
        ["a", file],
        ["b", inner],
        ["c", file],
      ]),
    };
    const other: Folder = {
      version: 1,
      below: new Map<string, Tree>([
        ["a", inner],
        ["b", file],
        ["c", file],
      ]),
    };
    checkMerge(one, other);
    checkMerge(other, one);
  });

  test("of an empty state knows nothing", () => {
    const sink = stateSink();
    new StateEncoder(sink.emit).finish({ snapshot: SNAPSHOT, table: [] });
    const merge = new StateMerge(openStateBytes(sink.take()).cursor);
    const root = scanned(ROOT_NAME, { version: 1, below: new Map() }, "");
    merge.enter(ROOT_NAME);
    assert.deepEqual(merge.file(scanned("a", { version: 1, type: 1 }, "/a")), { known: false, same: undefined });
    assert.deepEqual(merge.leave(root), { previous: undefined, complete: false, same: false });
  });

  test("any of size, times, inode and type makes a difference", () => {
    const file: Leaf = { version: 1, type: 1 };
    const before: Folder = { version: 1, below: new Map([["a", file]]) };
    const entry = scanned("a", file, "/a");
    const changes: Partial<ScannedEntry>[] = [
      { size: 5 },
      { mtimeSeconds: 5 },
      { mtimeNanos: 5 },
      { ctimeSeconds: 5 },
      { ctimeNanos: 5 },
      { inode: 6 },
      { type: ENTRY.fifo },
    ];
    for (const change of [{}, ...changes]) {
      const { merge } = stateOf(before);
      merge.enter(ROOT_NAME);
      const { known, same } = merge.file({ ...entry, ...change });
      assert.deepEqual([known, same !== undefined], [true, Object.keys(change).length === 0], JSON.stringify(change));
    }
  });
});
