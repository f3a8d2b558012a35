import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../../../tests/fast-check.ts";
import { concatBytes } from "../../../core/bytes.ts";
import type { BlockId, DeviceId, PackId, SessionId } from "../../../core/ids.ts";
import type { BlockLocation } from "../vault-port.ts";
import { BlockStreamReader, encodeBlockLength } from "./block-stream.ts";
import { decodeFound, decodeLocated, encodeFound, encodeLocated } from "./chunk-answers.ts";

const fail = (detail: string): never => {
  throw new Error(`refused: ${detail}`);
};
const place = (blockNo: number): BlockLocation => ({
  blockNo,
  blockId: new Uint8Array(32) as BlockId,
  kind: 1,
  session: "5e" as SessionId,
  device: "de" as DeviceId,
  counter: 0,
  length: 100,
  pack: "ba" as PackId,
  offset: 16,
});
const blockNo = fc.oneof(
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 2 ** 40 }) },
);

describe("which chunks are there", () => {
  test("any numbers come back", () => {
    fc.assert(
      fc.property(fc.array(blockNo, { maxLength: 100 }), (numbers) => {
        const message = encodeFound(Float64Array.from(numbers));
        assert.deepEqual([...decodeFound(numbers.length, message, fail)], numbers);
      }),
    );
  });

  test("as the page describes it", () => {
    const { have, blockNos } = encodeFound(Float64Array.of(0, 5, 0, 0, 0, 0, 0, 0, 4, 4));
    assert.deepEqual([...have], [0b10, 0b11]);
    // 5, then one less, then the same: 10, 1, 0 as zigzag.
    assert.deepEqual([...blockNos], [10, 1, 0]);
  });

  const { have, blockNos } = encodeFound(Float64Array.of(1, 0, 3));
  const wrong: [string, number, { have: Uint8Array<ArrayBuffer>; blockNos: Uint8Array<ArrayBuffer> }][] = [
    ["a bitmap for more chunks", 9, { have, blockNos }],
    ["a bitmap for fewer chunks", 3, { have: new Uint8Array(2), blockNos }],
    ["bits of chunks that nobody asked for", 3, { have: Uint8Array.of(0b1101), blockNos: Uint8Array.of(2, 2, 2) }],
    ["a number that is missing", 3, { have, blockNos: blockNos.subarray(0, 1) }],
    ["a number too many", 3, { have, blockNos: Uint8Array.of(...blockNos, 0) }],
    ["block 0", 3, { have, blockNos: Uint8Array.of(2, 1) }],
  ];
  for (const [what, count, message] of wrong) {
    test(`${what} is refused`, () => assert.throws(() => decodeFound(count, message, fail), /refused/));
  }
});

describe("where chunks lie", () => {
  test("each block is sent once", () => {
    const locations = [{ ...place(7), state: 0 }, undefined, place(9), place(7)];
    const { blocks, of } = encodeLocated(locations);
    assert.deepEqual(blocks, [place(7), place(9)]);
    assert.deepEqual([...of], [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0]);
    assert.deepEqual(decodeLocated(4, { blocks, of }, fail), [place(7), undefined, place(9), place(7)]);
  });

  test("a place that is not named, and a wrong number of them, are refused", () => {
    const { blocks, of } = encodeLocated([place(7)]);
    assert.throws(() => decodeLocated(1, { blocks: [], of }, fail), /refused/);
    assert.throws(() => decodeLocated(2, { blocks, of }, fail), /refused/);
    assert.throws(() => decodeLocated(0, { blocks, of }, fail), /refused/);
  });
});

describe("a stream of blocks", () => {
  const blocks = [1, 0, 600_000, 3].map((length) => new Uint8Array(length).fill(length % 251));
  const bytes = concatBytes(blocks.flatMap((block) => [encodeBlockLength(block.length), block]));

  for (const size of [1, 7, 65_536, bytes.length]) {
    test(`comes back from slices of ${size}`, () => {
      const reader = new BlockStreamReader(fail);
      const found: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += size) found.push(...reader.push(bytes.subarray(at, at + size)));
      assert.deepEqual(found, blocks);
      assert.ok(reader.isWhole);
    });
  }

  test("knows when it was cut off", () => {
    for (const cut of [1, 4, 9, 10, bytes.length - 1]) {
      const reader = new BlockStreamReader(fail);
      for (const _ of reader.push(bytes.subarray(0, cut))) void 0;
      assert.equal(reader.isWhole, cut === 9, String(cut));
    }
  });

  test("refuses a length that no block has, without memory for it", () => {
    assert.throws(() => [...new BlockStreamReader(fail).push(encodeBlockLength(2 ** 31))], /refused/);
  });
});
