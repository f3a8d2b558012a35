import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChunkId } from "../../../core/ids.ts";
import { KIND_DATA } from "../../../wire/v4/vault-port.ts";
import { workerPrimitives } from "../worker-primitives.ts";
import { holdsPieces, partsOf } from "./file-check.ts";
import type { ContentPiece } from "./file-writes.ts";

const primitives = workerPrimitives();
const key = new Uint8Array(32).fill(5);
const KIND_PREFIX = Uint8Array.of(KIND_DATA);

async function fileOf(lengths: readonly number[]): Promise<{ bytes: Uint8Array<ArrayBuffer>; pieces: ContentPiece[] }> {
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0)).map((_, i) => i * 7 + (i >> 8));
  const pieces: ContentPiece[] = [];
  let at = 0;
  for (const length of lengths) {
    const chunk = new Uint8Array([0, ...bytes.subarray(at, at + length)]).subarray(1);
    pieces.push({ id: (await primitives.hmacSha256(key, KIND_PREFIX, chunk)) as Uint8Array as ChunkId, length });
    at += length;
  }
  return { bytes, pieces };
}

test("a file holds its pieces, and does not with one bit or one byte less of the last or the first", async () => {
  const { bytes, pieces } = await fileOf([100_000, 1, 70_000, 200_000]);
  const holds = (parts: BlobPart[]): Promise<boolean> => holdsPieces(new Blob(parts), pieces, primitives, key);
  assert.equal(await holds([bytes]), true);
  assert.equal(await holds([bytes.subarray(0, -1)]), false);
  for (const at of [0, 100_000, bytes.length - 1]) {
    const bad = bytes.slice();
    bad[at]! ^= 1;
    assert.equal(await holds([bad]), false);
  }
  assert.equal(await holdsPieces(new Blob(), [], primitives, key), true);
});

test("parts are of about one length, and together they are the file", async () => {
  const { bytes, pieces } = await fileOf([900, 10, 500, 700, 30, 800]);
  for (const most of [1, 2, 3, 9]) {
    const parts = partsOf(pieces, most);
    assert.ok(parts.length <= most && parts.every(({ start, end }) => end > start));
    assert.deepEqual(
      parts.flatMap((part) => part.pieces),
      pieces,
    );
    assert.deepEqual(
      parts.map(({ start }) => start),
      [0, ...parts.slice(0, -1).map(({ end }) => end)],
    );
    assert.equal(parts.at(-1)!.end, bytes.length);
    for (const part of parts) {
      const blob = new Blob([bytes.subarray(part.start, part.end)]);
      assert.equal(await holdsPieces(blob, part.pieces, primitives, key), true);
    }
  }
  assert.equal(partsOf(pieces, 2).length, 2);
  assert.deepEqual(partsOf([], 3), []);
});
