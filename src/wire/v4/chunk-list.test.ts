import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { counting } from "../../../tests/samples.ts";
import { CHUNK_LIST_COVERS, chunkList, segmentOf, treeEntries } from "../../../tests/tree-samples.ts";
import { concatBytes } from "../../core/bytes.ts";
import { CHUNK_LIST_LIMITS, type ChunkList, decodeChunkList, encodeChunkList } from "./chunk-list.ts";
import { decodeSegment } from "./tree.ts";

function listOf(count: number, length: number): ChunkList {
  return { chunkIds: counting(count % 256, 32 * count), lengths: Array<number>(count).fill(length) };
}

function refused(list: ChunkList | Uint8Array, covers: number, message: RegExp): void {
  const bytes = list instanceof Uint8Array ? list : encodeChunkList(list);
  assert.throws(() => decodeChunkList(bytes, covers), { code: "tree_corrupt", message });
}

describe("a chunk list", () => {
  test("comes back, small and as large as may be", () => {
    const most = listOf(CHUNK_LIST_LIMITS.chunks, CHUNK_LIST_LIMITS.chunkBytes);
    for (const [list, covers] of [
      [chunkList, CHUNK_LIST_COVERS],
      [listOf(1, 1), 1],
      [most, CHUNK_LIST_LIMITS.chunks * CHUNK_LIST_LIMITS.chunkBytes],
    ] as const) {
      assert.deepEqual(decodeChunkList(encodeChunkList(list), covers), list);
    }
  });

  test("is for exactly the bytes that the entry says", () => {
    for (const covers of [0, CHUNK_LIST_COVERS - 1, CHUNK_LIST_COVERS + 1]) refused(chunkList, covers, /more or less/);
  });

  test("has chunks, not too many, of possible lengths", () => {
    refused(listOf(0, 1), 0, /empty or too long/);
    refused(listOf(CHUNK_LIST_LIMITS.chunks + 1, 1), CHUNK_LIST_LIMITS.chunks + 1, /empty or too long/);
    refused({ ...chunkList, lengths: [0, 1, 1] }, 2, /impossible length/);
    refused(
      { ...chunkList, lengths: [1, CHUNK_LIST_LIMITS.chunkBytes + 1, 1] },
      CHUNK_LIST_LIMITS.chunkBytes + 3,
      /impossible/,
    );
  });

  test("cut anywhere, or with bytes behind it, is refused", () => {
    const bytes = encodeChunkList(chunkList);
    for (let length = 0; length < bytes.length; length++) refused(bytes.subarray(0, length), CHUNK_LIST_COVERS, /./);
    refused(concatBytes([bytes, new Uint8Array(1)]), CHUNK_LIST_COVERS, /./);
  });

  test("is never taken for a segment, nor a segment for a list", () => {
    assert.throws(() => decodeSegment(encodeChunkList(chunkList)), {
      code: "tree_corrupt",
      message: /unknown version 2/,
    });
    refused(segmentOf(treeEntries), 1, /unknown version 1/);
  });
});
