import assert from "node:assert/strict";
import { test } from "node:test";
import { constants, zstdCompressSync } from "node:zlib";
import { fc } from "../../tests/fast-check.ts";
import { nodeZstd } from "./zstd.ts";

test("what is compressed comes back, at every level and size", async () => {
  const data = fc.oneof(
    fc.uint8Array({ maxLength: 3000 }),
    fc.nat(300_000).map((length) => new Uint8Array(length).map((_, i) => (i * i) % 251)),
  );
  await fc.assert(
    fc.asyncProperty(data, fc.integer({ min: 1, max: 9 }), async (bytes, level) => {
      const frame = await nodeZstd.compress(bytes, level);
      assert.deepEqual(await nodeZstd.decompress(frame, bytes.length), new Uint8Array(bytes));
    }),
    { numRuns: 60 },
  );
});

test("another length than promised, a cut frame and bytes behind it give undefined", async () => {
  const frame = await nodeZstd.compress(new Uint8Array(100_000), 3);
  for (const length of [0, 1, 99_999, 100_001, 200_000])
    assert.ok((await nodeZstd.decompress(frame, length)) === undefined);
  assert.ok((await nodeZstd.decompress(frame.subarray(0, -1), 100_000)) === undefined);
  assert.ok((await nodeZstd.decompress(new Uint8Array([...frame, 7]), 100_000)) === undefined);
  assert.ok((await nodeZstd.decompress(new Uint8Array([...frame, ...frame]), 100_000)) === undefined);
  assert.ok((await nodeZstd.decompress(new Uint8Array(0), 0)) === undefined);
  assert.ok((await nodeZstd.decompress(new Uint8Array(50), 50)) === undefined);
});

test("a bomb does not unfold", async () => {
  const bomb = zstdCompressSync(new Uint8Array(256 * 2 ** 20));
  const before = process.memoryUsage().rss;
  assert.ok((await nodeZstd.decompress(bomb, 1000)) === undefined);
  assert.ok(process.memoryUsage().rss - before < 64 * 2 ** 20);
});

test("a frame that asks for a window over the limit is refused", async () => {
  const params = { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_contentSizeFlag]: 0 };
  const pieces = zstdCompressSync(new Uint8Array(32 * 2 ** 20), { params });
  assert.ok((await nodeZstd.decompress(pieces, 32 * 2 ** 20)) === undefined);
});
