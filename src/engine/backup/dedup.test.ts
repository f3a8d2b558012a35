import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { concatBytes } from "../../core/bytes.ts";
import { sha256 } from "../../core/sha256.ts";
import type { BlockRef } from "../../wire/v4/state-file.ts";
import { Dedup, type FindChunks } from "./dedup.ts";

const IDS = await Promise.all(Array.from({ length: 20 }, (_, i) => sha256(Uint8Array.of(i))));
const ids = (...which: number[]) => concatBytes(which.map((i) => IDS[i]!));

/** A vault that knows chunk i in block `known[i]`; asks are answered when the test says so, or at once. */
function vault(known: Readonly<Record<number, number>>, held = false) {
  const asks: { chunkIds: Uint8Array; answer(): void; fail(error: Error): void }[] = [];
  const find: FindChunks = (chunkIds) =>
    new Promise((resolve, reject) => {
      const blockNos = Array.from({ length: chunkIds.length / 32 }, (_, i) => {
        const index = IDS.findIndex((id) => id.every((byte, at) => chunkIds[i * 32 + at] === byte));
        return known[index] ?? 0;
      });
      asks.push({ chunkIds, answer: () => resolve(Float64Array.from(blockNos)), fail: reject });
      if (!held) asks.at(-1)!.answer();
    });
  return { find, asks };
}

/** Asks, gives every missing chunk a row of its own, and tells what was found. */
async function decide(dedup: Dedup, ...which: number[]): Promise<(BlockRef | undefined)[]> {
  const found: (BlockRef | undefined)[] = [];
  const chunkIds = ids(...which);
  await dedup.ask(chunkIds, (lookup) => {
    which.forEach((_, i) => {
      const ref = lookup(i);
      found.push(ref);
      if (ref === undefined) dedup.place(chunkIds, i, dedup.newRow());
    });
  });
  return found;
}

describe("what is stored already", () => {
  test("is found in the vault, or on its way in this run", async () => {
    const dedup = new Dedup(vault({ 1: 41, 3: 2 ** 40 }).find, false);
    assert.deepEqual(await decide(dedup, 0, 1, 0, 2, 3), [undefined, 82, 1, undefined, 2 ** 41]);
    assert.deepEqual(await decide(dedup, 2, 0), [3, 1]);
  });

  test("is found on its way until the vault knows it, whenever the question was sent", async () => {
    const { find, asks } = vault({}, true);
    const dedup = new Dedup(find, false);
    const first = decide(dedup, 5);
    asks[0]!.answer();
    assert.deepEqual(await first, [undefined]);
    // The vault did not know it when this was asked, and has it when the answer comes.
    const second = decide(dedup, 5);
    dedup.stored([0], 9, ids(5));
    asks[1]!.answer();
    assert.deepEqual(await second, [1]);
    // From now on the vault is asked, and is right.
    const known = vault({ 5: 9 });
    const third = decide(dedup, 5);
    asks[2]!.answer();
    assert.deepEqual(await third, [undefined], "nothing is remembered beside the vault");
    assert.equal(known.asks.length, 0);
  });

  test("asks are decided in their order, whichever answer comes first", async () => {
    const { find, asks } = vault({}, true);
    const dedup = new Dedup(find, false);
    const order: number[] = [];
    const all = [1, 2, 3].map((i) => decide(dedup, 7).then((found) => order.push(i) && found));
    asks[2]!.answer();
    asks[1]!.answer();
    await new Promise((resolve) => setTimeout(resolve));
    assert.deepEqual(order, []);
    asks[0]!.answer();
    assert.deepEqual(await Promise.all(all), [[undefined], [1], [1]]);
    assert.deepEqual(order, [1, 2, 3]);
    await dedup.settled();
  });

  test("an ask that fails tells its own caller, and the others go on", async () => {
    const { find, asks } = vault({}, true);
    const dedup = new Dedup(find, false);
    const first = decide(dedup, 1);
    const second = decide(dedup, 2);
    asks[1]!.answer();
    asks[0]!.fail(new Error("lost"));
    await assert.rejects(first, /lost/);
    assert.deepEqual(await second, [undefined]);
    await dedup.settled();
  });
});

describe("a vault that was empty", () => {
  test("is not asked before it was given something", async () => {
    const { find, asks } = vault({ 1: 5 });
    const dedup = new Dedup(find, true);
    assert.deepEqual(await decide(dedup, 1, 2), [undefined, undefined]);
    assert.equal(asks.length, 0);
    dedup.stored([0], 5, ids(1));
    await dedup.settled();
    assert.deepEqual(await decide(dedup, 3), [undefined]);
    assert.equal(asks.length, 0, "for other chunks it need not be asked");
    assert.deepEqual(await decide(dedup, 1), [10]);
    assert.equal(asks.length, 1);
  });
});

describe("rows", () => {
  test("become blockNos when their block is stored, aliases with them", () => {
    const dedup = new Dedup(vault({}).find, false);
    const [a, b, c, d, e] = [1, 2, 3, 4, 5].map(() => dedup.newRow()) as [number, number, number, number, number];
    dedup.alias(c, 2 * a + 1);
    dedup.alias(d, 2 * 77);
    dedup.stored([a, b], 300, ids(1, 2));
    assert.deepEqual(dedup.finish(), [300, 300, 300, 77, 0]);
    dedup.stored([e], 301, ids(3));
    assert.deepEqual(dedup.finish(), [300, 300, 300, 77, 301]);
  });
});
