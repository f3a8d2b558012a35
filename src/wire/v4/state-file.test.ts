import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../../tests/fast-check.ts";
import { PLAN, SNAPSHOT, VAULT } from "../../../tests/samples.ts";
import { openStateBytes, stateSink } from "../../../tests/state-bytes.ts";
import { anyEntry, entryBytes, treeEntries } from "../../../tests/tree-samples.ts";
import { ByteReader, concatBytes, utf8 } from "../../core/bytes.ts";
import type { NameToken, SnapshotId, VaultId } from "../../core/ids.ts";
import type { RawPath } from "../../core/raw-path.ts";
import {
  type BlockRef,
  decodeStateTail,
  encodeStateHeader,
  ROOT_NAME,
  STATE_HEADER_BYTES,
  STATE_ITEM,
  StateCursor,
  StateEncoder,
  stateHeaderFits,
} from "./state-file.ts";
import { decodeEntry } from "./tree.ts";
import type { TreeEntry } from "./tree-types.ts";

type Item =
  | { readonly kind: 1; readonly name: RawPath }
  | { readonly kind: 2 | 3; readonly inode: number; readonly entry: TreeEntry; readonly refs: readonly BlockRef[] };

const damaged = { code: "record_corrupt" } as const;

function encode(items: readonly Item[], tail = { snapshot: SNAPSHOT, table: [0, 7, 2 ** 40] }): Uint8Array {
  const sink = stateSink();
  const encoder = new StateEncoder(sink.emit);
  for (const item of items) {
    if (item.kind === STATE_ITEM.enter) encoder.enter(item.name);
    else if (item.kind === STATE_ITEM.entry) encoder.entry(item.inode, entryBytes(item.entry), item.refs);
    else encoder.leave(item.inode, entryBytes(item.entry), item.refs);
  }
  encoder.finish(tail);
  return sink.take();
}

function readAll(cursor: StateCursor): Item[] {
  const items: Item[] = [];
  while (cursor.next()) {
    const { kind, name, inode, refs } = cursor;
    if (kind === STATE_ITEM.enter) items.push({ kind, name });
    else items.push({ kind: kind as 2 | 3, inode, entry: decoded(cursor), refs });
  }
  return items;
}

/** The entry's bytes decode, and the cursor's own fields agree with them. */
function decoded(cursor: StateCursor): TreeEntry {
  const bytes = cursor.entry;
  const entry = decodeEntry(new ByteReader(bytes, assert.fail), bytes);
  for (const field of ["name", "type", "mtimeSeconds", "mtimeNanos", "ctimeSeconds", "ctimeNanos"] as const) {
    assert.equal(cursor[field], entry[field], field);
  }
  if (entry.size !== undefined) assert.equal(cursor.size, entry.size);
  return entry;
}

const refs = fc.array(fc.oneof(fc.nat(500), fc.maxSafeNat()), { maxLength: 5 });
const item: fc.Arbitrary<Item> = fc.oneof(
  anyEntry.map(({ name }) => ({ kind: STATE_ITEM.enter, name })),
  fc
    .tuple(fc.constantFrom(STATE_ITEM.entry, STATE_ITEM.leave), fc.maxSafeNat(), anyEntry, refs)
    .map(([kind, inode, entry, list]) => ({ kind, inode, entry, refs: list })),
);

describe("a state file", () => {
  test("comes back item by item", () => {
    const tail = fc.array(fc.maxSafeNat(), { maxLength: 20 }).map((table) => ({ snapshot: SNAPSHOT, table }));
    fc.assert(
      fc.property(fc.array(item, { maxLength: 20 }), tail, (items, end) => {
        const { cursor, tail: found } = openStateBytes(encode(items, end));
        assert.deepEqual(found, end);
        assert.deepEqual(readAll(cursor), items);
      }),
      { numRuns: 50 },
    );
  });

  test("of many frames comes back, and what was read stays valid", () => {
    const items: Item[] = [{ kind: 1, name: ROOT_NAME }];
    for (let i = 0; i < 9000; i++) {
      items.push({ kind: 2, inode: i, entry: treeEntries[i % treeEntries.length]!, refs: [2 * i, 2 * i + 1] });
    }
    const bytes = encode(items);
    let frames = 0;
    for (let at = 0, view = new DataView(bytes.buffer); view.getUint32(at, true) > 0; frames++) {
      const length = view.getUint32(at, true);
      assert.ok(length < 2 * 256 * 1024);
      at += 8 + length;
    }
    assert.ok(frames >= 3, `${frames} frames`);
    assert.deepEqual(readAll(openStateBytes(bytes).cursor), items);

    const { cursor } = openStateBytes(bytes);
    cursor.next();
    cursor.next();
    const first = cursor.entry;
    while (cursor.next());
    assert.deepEqual(first, entryBytes(treeEntries[0]!));
  });

  test("gives each entry all of its references, however many", () => {
    const refsOf = (count: number) => Array.from({ length: count }, (_, i) => 2 ** 40 + i);
    const counts = [0, 1, 255, 256, 257, 512, 513, 200_000, 3];
    const items: Item[] = counts.map((count, i) => ({
      kind: i % 2 ? 3 : 2,
      inode: i,
      entry: treeEntries[1]!,
      refs: refsOf(count),
    }));
    const bytes = encode(items);
    assert.deepEqual(readAll(openStateBytes(bytes).cursor), items);
    for (let at = 0, view = new DataView(bytes.buffer); view.getUint32(at, true) > 0; ) {
      const length = view.getUint32(at, true);
      assert.ok(length < 2 * 256 * 1024, "a long list of references does not make a long frame");
      at += 8 + length;
    }
  });

  test("with references that belong to nothing is not used", () => {
    const more = concatBytes([Uint8Array.of(STATE_ITEM.more), new Uint8Array(256)]);
    const entry = concatBytes([Uint8Array.of(STATE_ITEM.entry, 1), entryBytes(treeEntries[1]!)]);
    const enter = Uint8Array.of(STATE_ITEM.enter, 1, 97);
    const walk = (...parts: Uint8Array[]) => {
      const frames = [concatBytes(parts)];
      const cursor = new StateCursor(() => frames.shift());
      while (cursor.next());
      return cursor;
    };
    assert.equal(walk(more, entry, Uint8Array.of(1, 9)).refs.length, 257);
    assert.throws(() => walk(more), damaged);
    assert.throws(() => walk(more, enter), damaged);
    assert.throws(() => walk(more, entry, Uint8Array.of(0)), damaged);
    assert.throws(() => walk(more.subarray(0, 100)), damaged);
    assert.throws(() => walk(entry, Uint8Array.of(0x81, 2), new Uint8Array(257)), damaged);
  });

  test("without items has a tail only", () => {
    const { cursor, tail } = openStateBytes(encode([], { snapshot: SNAPSHOT, table: [] }));
    assert.equal(cursor.next(), false);
    assert.equal(cursor.next(), false);
    assert.deepEqual(tail, { snapshot: SNAPSHOT, table: [] });
  });

  test("belongs to one vault and one plan", () => {
    const header = encodeStateHeader(VAULT, PLAN);
    assert.equal(header.length, STATE_HEADER_BYTES);
    assert.ok(stateHeaderFits(header, VAULT, PLAN));
    const [otherVault, otherPlan] = ["00".repeat(16) as VaultId, "00".repeat(16) as NameToken];
    assert.ok(!stateHeaderFits(header, otherVault, PLAN));
    assert.ok(!stateHeaderFits(header, VAULT, otherPlan));
    assert.ok(!stateHeaderFits(header.subarray(1), VAULT, PLAN));
    for (let i = 0; i < header.length; i++) {
      const wrong = header.slice();
      wrong[i]! ^= 1;
      assert.ok(!stateHeaderFits(wrong, VAULT, PLAN), `byte ${i}`);
    }
  });
});

describe("damage", () => {
  const items: Item[] = treeEntries.map((entry, i) => ({ kind: 2, inode: i, entry, refs: [i] }));

  test("of any bit of a frame or of the tail is noticed", () => {
    const bytes = encode(items);
    const frameEnd = 8 + new DataView(bytes.buffer).getUint32(0, true);
    for (let bit = 4 * 8; bit < (bytes.length - 4) * 8; bit += 7) {
      const at = bit >>> 3;
      if (at >= frameEnd && at < frameEnd + 4) continue;
      const wrong = bytes.slice();
      wrong[at]! ^= 1 << (bit & 7);
      assert.throws(() => readAll(openStateBytes(wrong).cursor), damaged, `byte ${at}`);
    }
  });

  test("of a frame whose checksum fits is refused", () => {
    for (const payload of [[0], [4], [1, 9, 97], [2, 1, 200], [2, 0, 0], [255]]) {
      const frames = [Uint8Array.from(payload)];
      const cursor = new StateCursor(() => frames.shift());
      assert.throws(() => cursor.next(), damaged, `${payload}`);
    }
    const entry = entryBytes(treeEntries[1]!);
    for (const after of [[], [2], [1, 0x80], [255, 255, 255, 255, 255, 255, 255, 1]]) {
      const frames = [concatBytes([Uint8Array.of(2, 5), entry, Uint8Array.from(after)])];
      const cursor = new StateCursor(() => frames.shift());
      assert.throws(() => cursor.next(), damaged, `refs ${after}`);
    }
  });

  test("of a tail is refused", () => {
    const tail = utf8(`${"s".repeat(32)}\x02\x05\x06`);
    const crc = (bytes: Uint8Array) => {
      const sink = stateSink();
      new StateEncoder(sink.emit).finish({ snapshot: "73".repeat(32) as SnapshotId, table: [5, 6] });
      const out = sink.take();
      assert.deepEqual(out.subarray(4, 4 + bytes.length), bytes);
      return new DataView(out.buffer).getUint32(out.length - 8, true);
    };
    const right = crc(tail);
    assert.deepEqual(decodeStateTail(tail, right).table, [5, 6]);
    assert.throws(() => decodeStateTail(tail, right ^ 1), damaged);
    assert.throws(() => decodeStateTail(tail.subarray(1), right), damaged);
  });
});
