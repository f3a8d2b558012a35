import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { counting } from "../../../tests/samples.ts";
import { entryBytes } from "../../../tests/tree-samples.ts";
import { toHex } from "../../core/bytes.ts";
import type { RawPath } from "../../core/raw-path.ts";
import { SipHash } from "../../crypto/prf.ts";
import { decodeSegment, TREE_LIMITS } from "../../wire/v4/tree.ts";
import { ENTRY, type TreeEntry } from "../../wire/v4/tree-types.ts";
import { DirectoryWriter } from "./tree-writer.ts";

const prf = new SipHash(counting(1, 16));
const owners = {
  userName: (uid: number) => (uid < 5 ? `user ${uid}` : undefined),
  groupName: (gid: number) => (gid === 0 ? "root" : undefined),
};

function entryOf(name: string, more: Partial<TreeEntry> = {}): TreeEntry {
  const times = { mtimeSeconds: 1, mtimeNanos: 2, ctimeSeconds: 3, ctimeNanos: 4 };
  return { type: ENTRY.fifo, name: name as RawPath, mode: 0o644, uid: 0, gid: 0, ...times, ...more };
}

function segmentsOf(entries: readonly TreeEntry[], unchanged = false): { segments: Uint8Array[]; canReuse: boolean } {
  const segments: Uint8Array[] = [];
  const writer = new DirectoryWriter(prf, owners, (segment) => segments.push(segment));
  for (const entry of entries) writer.add(entry.name, entry.uid, entry.gid, entryBytes(entry), unchanged);
  const { canReuse } = writer;
  writer.finish();
  return { segments, canReuse };
}

/** What readers get: segment after segment, each in order with the one before. */
function readBack(segments: readonly Uint8Array[]): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (const segment of segments) entries.push(...decodeSegment(segment, entries.at(-1)?.name).entries);
  return entries;
}

const many = Array.from({ length: 30_000 }, (_, i) => entryOf(`name ${String(i).padStart(6, "0")}`));

describe("segments", () => {
  test("an empty folder is one without entries", () => {
    const { segments } = segmentsOf([]);
    assert.equal(segments.length, 1);
    assert.deepEqual(readBack(segments), []);
  });

  test("hold all entries in order, within their limits", () => {
    const { segments } = segmentsOf(many);
    assert.deepEqual(readBack(segments), many);
    assert.ok(segments.length > 3, `${segments.length} segments`);
    for (const { length } of segments.slice(0, -1)) {
      assert.ok(length >= TREE_LIMITS.segmentSoft && length < TREE_LIMITS.segmentHard + 200, `${length} bytes`);
    }
  });

  test("end at the hard limit where no name ends one before", () => {
    // Only the first 64 bytes count, so entries with one long prefix either all end a segment or none does.
    const prefix = "p".repeat(64);
    assert.ok(prf.hash(new Uint8Array(64).fill(0x70), 0, 64) >= 2 ** 32 / 512);
    const entries = Array.from({ length: 12_000 }, (_, i) => entryOf(prefix + String(i).padStart(50, "0")));
    const { segments } = segmentsOf(entries);
    assert.ok(segments.length >= 3);
    for (const { length } of segments.slice(0, -1)) assert.ok(length >= TREE_LIMITS.segmentHard && length < 525_000);
    assert.deepEqual(readBack(segments), entries);
  });

  test("stay what they were where one entry is put in or taken out", () => {
    const before = new Set(segmentsOf(many).segments.map(toHex));
    for (const at of [0, 7000, 15_000, 29_999]) {
      const more = [...many.slice(0, at + 1), entryOf(`${many[at]!.name}+`), ...many.slice(at + 1)];
      const less = [...many.slice(0, at), ...many.slice(at + 1)];
      for (const entries of [more, less]) {
        const after = segmentsOf(entries).segments.map(toHex);
        const fresh = after.filter((segment) => !before.has(segment));
        assert.ok(fresh.length >= 1 && fresh.length <= 3, `${fresh.length} of ${after.length} are new`);
      }
    }
  });

  test("are cut elsewhere under another key", () => {
    const ends = (key: number) => {
      const found: string[] = [];
      const writer = new DirectoryWriter(new SipHash(counting(key, 16)), owners, (segment) => {
        found.push(decodeSegment(segment).entries.at(-1)!.name);
      });
      for (const entry of many) writer.add(entry.name, 0, 0, entryBytes(entry), false);
      writer.finish();
      return found.slice(0, -1);
    };
    const other = new Set(ends(2));
    assert.ok(ends(1).filter((name) => other.has(name)).length <= 1);
  });

  test("name the owners that occur in each, those that have names", () => {
    const entries = many.map((entry, i) => ({ ...entry, uid: i < 15_000 ? 1 : i === 15_000 ? 9 : 2, gid: i % 2 }));
    const { segments } = segmentsOf(entries);
    const first = decodeSegment(segments[0]!).owners;
    assert.deepEqual([...first.users], [[1, "user 1"]]);
    assert.deepEqual([...first.groups], [[0, "root"]]);
    assert.deepEqual([...decodeSegment(segments.at(-1)!).owners.users], [[2, "user 2"]]);
  });
});

describe("a folder that did not change", () => {
  const few = many.slice(0, 100);

  test("can stand as it is, and gives the same segments when it is written all the same", () => {
    const unchanged = segmentsOf(few, true);
    assert.ok(unchanged.canReuse);
    assert.deepEqual(unchanged.segments, segmentsOf(few).segments);
    assert.ok(!segmentsOf(few).canReuse);
  });

  test("cannot stand when one entry differs or something was left out", () => {
    const writer = new DirectoryWriter(prf, owners, () => undefined);
    writer.add(few[0]!.name, 0, 0, entryBytes(few[0]!), true);
    assert.ok(writer.canReuse);
    writer.changed = true;
    assert.ok(!writer.canReuse);
  });

  test("is written anew when it is too large to be kept", () => {
    const { canReuse, segments } = segmentsOf(many, true);
    assert.ok(!canReuse);
    assert.deepEqual(segments, segmentsOf(many).segments);
  });
});
