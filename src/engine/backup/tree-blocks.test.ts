import assert from "node:assert/strict";
import { test } from "node:test";
import { platform } from "../../../tests/platform.ts";
import { pseudoRandomBytes } from "../../../tests/pseudo-random.ts";
import { counting } from "../../../tests/samples.ts";
import { toHex } from "../../core/bytes.ts";
import { blockPayload } from "../block.ts";
import { Dedup, type FindChunks } from "./dedup.ts";
import { TreeBlocks } from "./tree-blocks.ts";

const chunkIdKey = counting(1, 32);
const NOTHING: FindChunks = async (chunkIds) => new Float64Array(chunkIds.length / 32);

type Sealed = { readonly payload: Uint8Array; readonly ids: readonly string[]; readonly rows: readonly number[] };

function makeTrees(find: FindChunks = NOTHING, vaultWasEmpty = false) {
  const sealed: Sealed[] = [];
  let newBytes = 0;
  const dedup = new Dedup(find, vaultWasEmpty);
  const trees = new TreeBlocks({
    primitives: platform.primitives,
    chunkIdKey,
    dedup,
    seal: (payload, chunkIds, rows) => {
      const ids = Array.from({ length: chunkIds.length / 32 }, (_, i) => toHex(chunkIds.subarray(i * 32, i * 32 + 32)));
      sealed.push({ payload: payload.slice(), ids, rows });
    },
    onNewBytes: (bytes) => {
      newBytes += bytes;
    },
  });
  return { trees, dedup, sealed, newBytes: () => newBytes };
}

const segmentAt = (i: number, length = 100) => pseudoRandomBytes(i + 1, length);

async function idOf(segment: Uint8Array): Promise<string> {
  return toHex(await platform.primitives.hmacSha256(chunkIdKey, Uint8Array.of(2), segment));
}

test("segments go to blocks in their order, under their ids", async () => {
  const { trees, sealed, newBytes } = makeTrees();
  const segments = [0, 1, 2].map((i) => segmentAt(i));
  const added = segments.map((segment) => trees.add(segment));
  await trees.flush();
  assert.equal(sealed.length, 1);
  assert.deepEqual(sealed[0]!.payload, blockPayload(segments));
  assert.deepEqual(sealed[0]!.ids, await Promise.all(segments.map(idOf)));
  assert.deepEqual(
    sealed[0]!.rows,
    added.map(({ row }) => row),
  );
  for (const [i, { id }] of added.entries()) assert.equal(toHex(await id), sealed[0]!.ids[i]);
  assert.equal(newBytes(), 300);
});

test("a flush without segments seals nothing", async () => {
  const { trees, sealed } = makeTrees();
  await trees.flush();
  assert.deepEqual(sealed, []);
});

for (const count of [127, 128, 129, 131, 256, 300]) {
  for (const [what, find, empty] of [
    ["an empty vault", NOTHING, true],
    ["a quick vault", NOTHING, false],
    ["a slow vault", (ids) => new Promise((resolve) => setTimeout(() => resolve(NOTHING(ids)), 20)), false],
  ] as const satisfies readonly (readonly [string, FindChunks, boolean])[]) {
    test(`every one of ${count} segments is sealed when the flush returns (${what})`, async () => {
      const { trees, sealed } = makeTrees(find, empty);
      const wanted = new Set<string>();
      for (let i = 0; i < count; i++) {
        wanted.add(toHex(await trees.add(segmentAt(i)).id));
      }
      await trees.flush();
      assert.deepEqual(new Set(sealed.flatMap(({ ids }) => ids)), wanted);
    });
  }
}

test("the same segment is stored once; the other rows follow it", async () => {
  const { trees, dedup, sealed } = makeTrees();
  const first = trees.add(segmentAt(1));
  const second = trees.add(segmentAt(1));
  await trees.flush();
  const third = trees.add(segmentAt(1));
  await trees.flush();
  assert.equal(sealed.length, 1);
  assert.deepEqual(sealed[0]!.rows, [first.row]);
  dedup.stored(sealed[0]!.rows, 12, new Uint8Array(await first.id));
  assert.deepEqual(
    [second.row, third.row].map((row) => dedup.finish()[row]),
    [12, 12],
  );
});

test("what the vault has is not sent, and its block is known", async () => {
  const known = await idOf(segmentAt(5));
  const { trees, dedup, sealed, newBytes } = makeTrees(async (chunkIds) =>
    Float64Array.from({ length: chunkIds.length / 32 }, (_, i) =>
      toHex(chunkIds.subarray(i * 32, i * 32 + 32)) === known ? 99 : 0,
    ),
  );
  const { row } = trees.add(segmentAt(5));
  await trees.flush();
  assert.deepEqual([sealed.length, newBytes(), dedup.finish()[row]], [0, 0, 99]);
});

test("blocks are closed at about a mebibyte", async () => {
  const { trees, sealed } = makeTrees();
  for (let i = 0; i < 40; i++) trees.add(segmentAt(i, 100_000));
  await trees.flush();
  assert.deepEqual(
    sealed.map(({ ids }) => ids.length),
    [11, 11, 11, 7],
  );
});

test("a question that fails is heard of by whoever waits for it, and by the flush", async () => {
  const { trees } = makeTrees(() => Promise.reject(new Error("lost")));
  let heard: Promise<void> | undefined;
  for (let i = 0; i < 128; i++) heard = trees.add(segmentAt(i)).asked ?? heard;
  const flushed = trees.flush();
  await assert.rejects(heard!, /lost/);
  await assert.rejects(flushed, /lost/);
});
