import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../../tests/fast-check.ts";
import { pseudoRandomBytes } from "../../../tests/pseudo-random.ts";
import { anyEntries, anyEntry, entryBytes, segmentOf, treeEntries, treeOwners } from "../../../tests/tree-samples.ts";
import { ByteReader, ByteWriter, concatBytes, fromHex } from "../../core/bytes.ts";
import type { RawPath } from "../../core/raw-path.ts";
import { decodeEntry, decodeSegment, encodeSegment, TREE_LIMITS } from "./tree.ts";
import { ENTRY, type TreeEntry } from "./tree-types.ts";

const [empty, one, everything, , folder, link, fifo] = treeEntries as [
  TreeEntry,
  TreeEntry,
  TreeEntry,
  TreeEntry,
  TreeEntry,
  TreeEntry,
  TreeEntry,
];
const NOBODY = { users: new Map(), groups: new Map() };

function fail(detail: string): never {
  throw new Error(detail);
}

function refused(entries: readonly TreeEntry[], detail: RegExp): void {
  assert.throws(() => decodeSegment(segmentOf(entries)), { code: "tree_corrupt", message: detail });
}

function named(name: string, entry: TreeEntry = fifo): TreeEntry {
  return { ...entry, name: name as RawPath };
}

/** A segment of one entry whose bytes, after its length, are `body`. */
function segmentWithBody(body: Uint8Array): Uint8Array {
  const writer = new ByteWriter();
  writer.prefixed(body);
  return encodeSegment(NOBODY, 1, writer.take());
}

/** The bytes of an entry without its length, which is less than 128 here. */
function bodyOf(entry: TreeEntry): Uint8Array<ArrayBuffer> {
  const bytes = entryBytes(entry);
  assert.ok(bytes[0]! < 0x80);
  return bytes.slice(1);
}

describe("what is written is read", () => {
  test("an entry of every type and flag, with owners", () => {
    const decoded = decodeSegment(segmentOf(treeEntries));
    assert.deepEqual(decoded, { entries: [...treeEntries], owners: treeOwners });
  });

  test("any entries", () => {
    fc.assert(
      fc.property(anyEntries, (entries) => {
        assert.deepEqual(decodeSegment(segmentOf(entries, NOBODY)).entries, entries);
      }),
      { numRuns: 60 },
    );
  });

  test("entries one after the other, from the middle of other bytes", () => {
    fc.assert(
      fc.property(anyEntry, anyEntry, (first, second) => {
        const bytes = concatBytes([new Uint8Array(3), entryBytes(first), entryBytes(second), new Uint8Array(9)]);
        const reader = new ByteReader(bytes, fail, 3);
        assert.deepEqual([decodeEntry(reader, bytes), decodeEntry(reader, bytes)], [first, second]);
        assert.equal(reader.remaining, 9);
      }),
      { numRuns: 60 },
    );
  });

  test("attributes given in any order are written sorted", () => {
    const xattrs = everything.xattrs!.toReversed();
    assert.deepEqual(entryBytes({ ...everything, xattrs }), entryBytes(everything));
  });

  test("a folder without entries, and the longest fields", () => {
    assert.deepEqual(decodeSegment(segmentOf([], NOBODY)), { entries: [], owners: NOBODY });
    const longest = [
      named("n".repeat(TREE_LIMITS.name)),
      named("o", { ...link, linkTarget: "t".repeat(TREE_LIMITS.linkTarget) as RawPath }),
      named("p", {
        ...fifo,
        xattrs: [{ name: "x".repeat(TREE_LIMITS.xattrName) as RawPath, value: pseudoRandomBytes(1, 2 ** 20) }],
      }),
    ];
    assert.deepEqual(decodeSegment(segmentOf(longest, NOBODY)).entries, longest);
  });

  test("what is decoded does not hang on to the bytes", () => {
    const bytes = segmentOf([one]);
    const { entries } = decodeSegment(bytes);
    bytes.fill(0);
    assert.deepEqual(entries, [one]);
  });
});

describe("what readers refuse", () => {
  test("names out of order or twice, also across segments", () => {
    refused([named("b"), named("a")], /out of order/);
    refused([named("a"), named("a")], /out of order/);
    refused([named("\xff"), named("z")], /out of order/);
    const later = segmentOf([named("m")]);
    assert.equal(decodeSegment(later, "l" as RawPath).entries.length, 1);
    for (const after of ["m", "n", "m\x00"]) {
      assert.throws(() => decodeSegment(later, after as RawPath), { code: "tree_corrupt" });
    }
  });

  test("names that are none, or too long", () => {
    for (const name of ["", ".", "..", "a/b", "/", "a\0", "\0"]) refused([named(name)], /name is not allowed/);
    refused([named("n".repeat(TREE_LIMITS.name + 1))], /too long/);
    refused([{ ...link, linkTarget: "t".repeat(TREE_LIMITS.linkTarget + 1) as RawPath }], /too long/);
    for (const fine of ["...", " ", "a\\b", "\n", "\xff"]) assert.ok(decodeSegment(segmentOf([named(fine)])));
  });

  test("lengths that do not add up", () => {
    refused([{ ...one, size: 5, chunkIds: new Uint8Array(0), chunkLengths: [] }], /add up/);
    refused([{ ...everything, size: 4_999_999_999, holes: [] }], /add up/);
    refused([{ ...everything, chunkLengths: [2 ** 32, 0, 705_032_704] }], /add up/);
    refused([{ ...one, size: 0, chunkLengths: [0] }], /add up/);
  });

  test("holes beyond their file, without length, in what is no file, or none where some are said to be", () => {
    refused([{ ...one, holes: [{ offset: 69_999, length: 2 }] }], /hole/);
    refused([{ ...one, holes: [{ offset: 5, length: 0 }] }], /hole/);
    refused([{ ...empty, holes: [{ offset: 0, length: 1 }] }], /hole/);
    refused([{ ...fifo, holes: [{ offset: 0, length: 1 }] }], /hole/);
    for (const flag of [2, 4]) {
      const body = concatBytes([bodyOf(fifo), Uint8Array.of(0)]);
      body[1] = flag;
      assert.throws(() => decodeSegment(segmentWithBody(body)), { code: "tree_corrupt" }, `flag ${flag}`);
    }
  });

  test("attributes without a name, with NUL, or twice", () => {
    const value = new Uint8Array(1);
    const attribute = (name: string) => ({ name: name as RawPath, value });
    refused([{ ...fifo, xattrs: [attribute("")] }], /attribute/);
    refused([{ ...fifo, xattrs: [attribute("a\0b")] }], /attribute/);
    refused([{ ...fifo, xattrs: [attribute("a"), attribute("a")] }], /attribute/);
    refused([{ ...fifo, xattrs: [attribute("a".repeat(256))] }], /too long/);
  });

  test("numbers out of range", () => {
    refused([{ ...fifo, mode: 0o10000 }], /mode/);
    refused([{ ...fifo, mtimeNanos: 1e9 }], /time/);
    refused([{ ...fifo, ctimeNanos: 1e9 }], /time/);
    refused([{ ...everything, birthNanos: 1e9 }], /time/);
    refused([{ ...folder, chunkIds: new Uint8Array(0) }], /no segments/);
  });

  test("unknown types, flags and versions", () => {
    for (const type of [0, 8, 255]) refused([{ ...fifo, type: type as never }], /unknown entry type/);
    const body = bodyOf({ ...fifo, type: ENTRY.fifo });
    body[1] = 64;
    assert.throws(() => decodeSegment(segmentWithBody(body)), { code: "tree_corrupt", message: /unknown flags 64/ });
    for (const version of [0, 2]) {
      const bytes = segmentOf([fifo]);
      bytes[0] = version;
      assert.throws(() => decodeSegment(bytes), { code: "tree_corrupt", message: /unknown version/ });
    }
  });

  test("chunk lists of what has none", () => {
    for (const entry of [fifo, folder, { ...everything, size: 0, chunkIds: new Uint8Array(0), chunkLengths: [] }]) {
      refused([{ ...entry, holes: undefined, indirect: true }], /chunk lists/);
    }
  });

  test("an entry that is longer or shorter than it says", () => {
    const body = bodyOf(fifo);
    assert.equal(decodeSegment(segmentWithBody(body)).entries.length, 1);
    assert.throws(() => decodeSegment(segmentWithBody(concatBytes([body, new Uint8Array(1)]))), {
      code: "tree_corrupt",
      message: /another length/,
    });
    const bytes = segmentWithBody(body);
    bytes[4]! -= 1;
    assert.throws(() => decodeSegment(bytes), { code: "tree_corrupt" });
  });

  test("a segment cut anywhere, with bytes behind it, or with another count", () => {
    const bytes = segmentOf(treeEntries);
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => decodeSegment(bytes.subarray(0, length)), { code: "tree_corrupt" }, `${length}`);
    }
    assert.throws(() => decodeSegment(concatBytes([bytes, new Uint8Array(1)])), { code: "tree_corrupt" });
    for (const count of [0, 2]) {
      const wrong = encodeSegment(NOBODY, count, entryBytes(fifo));
      assert.throws(() => decodeSegment(wrong), { code: "tree_corrupt" });
    }
  });

  test("owners out of order, twice, not UTF-8 or too long", () => {
    for (const tables of [
      "02 05 00 04 00 00",
      "02 05 00 05 00 00",
      "01 05 01 ff 00",
      `01 05 8002 ${"61".repeat(256)} 00`,
    ]) {
      const bytes = fromHex(`01${tables.replaceAll(" ", "")}00`);
      assert.throws(() => decodeSegment(bytes), { code: "tree_corrupt" }, tables);
    }
    assert.ok(decodeSegment(fromHex(`01010501610000`)));
  });

  test("counts that claim more than there is", () => {
    for (const hex of ["01ffffffffffff0f", "010000ffffffffffff0f", "0100ff7f00"]) {
      assert.throws(() => decodeSegment(fromHex(hex)), { code: "tree_corrupt" }, hex);
    }
  });
});
