import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { pseudoRandomBytes } from "../../../tests/pseudo-random.ts";
import { counting } from "../../../tests/samples.ts";
import { type Bytes, concatBytes, toHex } from "../../core/bytes.ts";
import { type ChunkList, decodeChunkList } from "../../wire/v4/chunk-list.ts";
import { ChunkLists, LIST_CUTTING, type ListCutting, RefList } from "./chunk-lists.ts";

const SMALL: ListCutting = { direct: 10, min: 5, oneIn: 8, max: 20 };

/** Chunks with ids that look random; their lengths count. */
function chunks(count: number, seed = 1): ChunkList {
  return { chunkIds: pseudoRandomBytes(seed, 32 * count), lengths: Array.from({ length: count }, (_, i) => i + 1) };
}

/** What becomes of chunks that are given `step` at a time. */
async function cut({ chunkIds, lengths }: ChunkList, cutting = SMALL, step = lengths.length) {
  const stored: Bytes[] = [];
  const lists = new ChunkLists(cutting, (list) => {
    const row = stored.push(list) - 1;
    const id = counting(row, 32);
    return { id: row % 2 ? id : Promise.resolve(id), row };
  });
  for (let at = 0; at < lengths.length; at += step) {
    lists.add(chunkIds.subarray(at * 32, (at + step) * 32), lengths.slice(at, at + step));
  }
  const refs = new RefList();
  const entry = await lists.finish(refs);
  return { entry, stored, refs: refs.take() };
}

/** The chunks that an entry with lists stands for. */
function opened({ entry, stored }: Awaited<ReturnType<typeof cut>>): ChunkList {
  const lists = stored.map((list, i) => decodeChunkList(list, entry.lengths[i]!));
  return {
    chunkIds: concatBytes(lists.map(({ chunkIds }) => chunkIds)),
    lengths: lists.flatMap(({ lengths }) => lengths),
  };
}

describe("the chunks of a file", () => {
  test("stand in its entry while they are few", async () => {
    for (const count of [0, 1, 10]) {
      const { entry, stored, refs } = await cut(chunks(count));
      assert.deepEqual(entry, chunks(count));
      assert.deepEqual([stored, refs], [[], []]);
    }
  });

  test("stand in lists when they are more, all of them, in order", async () => {
    for (const count of [11, 12, 100, 1000]) {
      const result = await cut(chunks(count));
      assert.deepEqual(opened(result), chunks(count));
      assert.equal(result.entry.indirect, true);
      assert.deepEqual(result.entry.chunkIds, concatBytes(result.stored.map((_, i) => counting(i, 32))));
      assert.deepEqual(
        result.refs,
        result.stored.map((_, i) => 2 * i + 1),
      );
    }
  });

  test("are cut alike whichever way they come", async () => {
    const whole = await cut(chunks(500));
    for (const step of [1, 7, 11, 499]) assert.deepEqual((await cut(chunks(500), SMALL, step)).stored, whole.stored);
  });

  test("make lists within their limits, about as many as they should", async () => {
    const { stored, entry } = await cut(chunks(4000));
    const counts = stored.map((list, i) => decodeChunkList(list, entry.lengths[i]!).lengths.length);
    for (const count of counts.slice(0, -1)) assert.ok(count >= SMALL.min && count <= SMALL.max, `${count}`);
    assert.ok(counts.some((count) => count === SMALL.max) && new Set(counts).size > 5);
    assert.ok(stored.length > 4000 / 15 && stored.length < 4000 / 8, `${stored.length} lists`);
  });

  test("change the lists next to an insertion only", async () => {
    const { chunkIds, lengths } = chunks(2000);
    const [before, after] = [chunkIds.subarray(0, 32 * 1000), chunkIds.subarray(32 * 1000)];
    const inserted = { chunkIds: concatBytes([before, counting(9, 32), after]), lengths: Array<number>(2001).fill(1) };
    const old = await cut({ chunkIds, lengths: lengths.map(() => 1) });
    const known = new Set(old.stored.map(toHex));
    const fresh = (await cut(inserted)).stored.filter((list) => !known.has(toHex(list)));
    assert.ok(fresh.length >= 1 && fresh.length <= 4, `${fresh.length} new lists`);
  });

  test("that are all the same make lists that are all the same", async () => {
    const { stored } = await cut({ chunkIds: new Uint8Array(32 * 500).fill(7), lengths: Array<number>(500).fill(1) });
    assert.equal(new Set(stored.map(toHex)).size, 1);
  });

  test("of two and a half gigabytes and more get lists of about four thousand", async () => {
    const count = 50_000;
    const { entry, stored } = await cut(
      { chunkIds: pseudoRandomBytes(3, 32 * count), lengths: Array<number>(count).fill(2 ** 19) },
      LIST_CUTTING,
    );
    assert.ok(stored.length > 8 && stored.length < 18, `${stored.length} lists`);
    for (const list of stored) assert.ok(list.length < 300_000);
    assert.equal(
      entry.lengths.reduce((sum, length) => sum + length, 0),
      count * 2 ** 19,
    );
  });
});

test("references are listed once each, far apart or near", () => {
  const refs = new RefList();
  for (let round = 0; round < 3; round++) for (let ref = 1000; ref > 0; ref--) refs.add(ref);
  for (let i = 0; i < 10; i++) refs.add(2 ** 50);
  assert.deepEqual(refs.take(), [...Array.from({ length: 1000 }, (_, i) => i + 1), 2 ** 50]);
});
