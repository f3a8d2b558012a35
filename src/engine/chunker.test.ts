import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../tests/fast-check.ts";
import { fileOfRecipe, pseudoRandomBytes, repeatedBytes } from "../../tests/pseudo-random.ts";
import vectors from "../../tests/vectors/chunker.json" with { type: "json" };
import { concatBytes, fromHex } from "../core/bytes.ts";
import { isAppError } from "../core/errors.ts";
import {
  CHUNK_AVG,
  CHUNK_LIMITS,
  CHUNK_MAX,
  CHUNK_MIN,
  CHUNK_WINDOW,
  CHUNKER_VERSION,
  type Chunker,
  type ChunkLimits,
  type CutBatch,
  CutSelector,
  createChunker,
  cutBuffer,
  StreamChunker,
  scanCandidates,
  THRESHOLD_LOOSE,
  THRESHOLD_STRICT,
} from "./chunker.ts";
import { cutReference } from "./chunker-reference.ts";

const KEY = fromHex("000102030405060708090a0b0c0d0e0f");
/** CHUNK_LIMITS divided by 512, so that small files have many chunks. */
const SMALL: ChunkLimits = { min: 256, avg: 1024, max: 4096, candidateBits: 3 };
const MIB = 2 ** 20;
/** The vectors show that a browser cuts alike; so what takes hundreds of megabytes is shown in Node alone. */
const ONCE = { skip: !("process" in globalThis) };
const BATCH_BYTES = 10_000;

/** Cuts by the two-layer way: segments that end at `ends`, each in a buffer of its own with its 64 bytes of context. */
function cutBySegments(chunker: Chunker, file: Uint8Array, ends: readonly number[]): number[] {
  const selector = new CutSelector(chunker.limits);
  const cuts: number[] = [];
  let start = 0;
  for (const end of [...ends, file.length]) {
    const base = Math.max(0, start - CHUNK_WINDOW);
    const segment = file.slice(base, end);
    cuts.push(...selector.add(scanCandidates(chunker, segment, start - base, end - base, base), end));
    start = end;
  }
  cuts.push(...selector.end(file.length));
  return cuts;
}

/** Cuts as a stream of slices that end at `ends`; checks that the chunks are the file's bytes. */
function cutByStream(chunker: Chunker, file: Uint8Array, ends: readonly number[]): number[] {
  const stream = new StreamChunker(chunker, BATCH_BYTES);
  const batches: CutBatch[] = [];
  let start = 0;
  for (const end of [...ends, file.length]) {
    batches.push(...stream.push(file.subarray(start, end)));
    start = end;
  }
  const most = Math.max(BATCH_BYTES, chunker.limits.max);
  for (const { data } of batches) assert.ok(data.length <= most && data.length > most - chunker.limits.max);
  const last = stream.end();
  if (last) batches.push(last);
  for (const { data, lengths } of batches) assert.equal(sum(lengths), data.length);
  assert.deepEqual(concatBytes(batches.map(({ data }) => data)), file);
  let offset = 0;
  return batches.flatMap(({ lengths }) =>
    lengths.map((length) => {
      offset += length;
      return offset;
    }),
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function everyOffset(length: number, step: number): number[] {
  return Array.from({ length: Math.max(0, Math.ceil(length / step) - 1) }, (_, i) => (i + 1) * step);
}

function sizesOf(cuts: readonly number[]): number[] {
  return cuts.map((cut, i) => cut - (cuts[i - 1] ?? 0));
}

describe("golden vectors", () => {
  test("the version and the gear table are those of the vectors", () => {
    assert.equal(vectors.chunkerVersion, CHUNKER_VERSION);
    assert.deepEqual([...createChunker(fromHex(vectors.gear.key)).gear], vectors.gear.table);
  });
  for (const { name, key, limits, cuts, ...recipe } of vectors.files) {
    test(`${name}: every way of cutting gives the recorded cuts`, () => {
      const file = fileOfRecipe(recipe);
      const chunker = createChunker(fromHex(key), limits);
      assert.deepEqual(cutBuffer(chunker, file), cuts);
      const ends = everyOffset(file.length, Math.max(1, Math.floor(file.length / 7.5)));
      assert.deepEqual(cutBySegments(chunker, file, ends), cuts);
      assert.deepEqual(cutByStream(chunker, file, ends), cuts);
    });
  }
});

describe("the same cuts, whichever way", () => {
  const content = fc.oneof(
    fc.tuple(fc.integer({ min: 1 }), fc.nat(6000)).map(([seed, length]) => pseudoRandomBytes(seed, length)),
    fc
      .tuple(fc.integer({ min: 1 }), fc.nat(6000))
      .map(([seed, length]) => pseudoRandomBytes(seed, length).map((b) => b & 1)),
    fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 70 }), fc.nat(6000)).map(([unit, n]) => repeatedBytes(unit, n)),
    fc.nat(9000).map((length) => new Uint8Array(length)),
  );
  const key = fc.uint8Array({ minLength: 16, maxLength: 16 });
  const splits = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

  test("as the reference twin, in memory, by segments, as a stream, at any alignment", () => {
    fc.assert(
      fc.property(key, content, splits, fc.nat(3), (chunkerKey, file, fractions, skew) => {
        const chunker = createChunker(chunkerKey, SMALL);
        const expected = cutReference(chunkerKey, file, SMALL);
        const shifted = new Uint8Array(skew + file.length + 5).subarray(skew);
        shifted.set(file);
        assert.deepEqual(cutBuffer(chunker, shifted, file.length), expected);
        const ends = fractions.map((fraction) => Math.floor(fraction * file.length)).sort((a, b) => a - b);
        assert.deepEqual(cutBySegments(chunker, file, ends), expected);
        assert.deepEqual(cutByStream(chunker, file, ends), expected);
      }),
      { numRuns: 60 },
    );
  });

  test("with the tightest limits, so that cuts at exactly min, avg and max, and files that end there, are met", () => {
    const tight: ChunkLimits = { min: CHUNK_WINDOW, avg: 70, max: 76, candidateBits: 1 };
    const chunker = createChunker(KEY, tight);
    for (const length of [...Array.from({ length: 320 }, (_, i) => i), 100_000]) {
      const file = pseudoRandomBytes(length + 1, length);
      const expected = cutReference(KEY, file, tight);
      assert.deepEqual(cutBuffer(chunker, file), expected);
      assert.deepEqual(cutBySegments(chunker, file, everyOffset(length, 1)), expected);
      assert.deepEqual(cutByStream(chunker, file, everyOffset(length, 999)), expected);
    }
  });

  test("byte by byte", () => {
    const file = pseudoRandomBytes(11, 30_000);
    const chunker = createChunker(KEY, SMALL);
    const expected = cutBuffer(chunker, file);
    assert.ok(expected.length > 20);
    assert.deepEqual(cutByStream(chunker, file, everyOffset(file.length, 1)), expected);
    assert.deepEqual(cutBySegments(chunker, file, everyOffset(file.length, 1)), expected);
  });

  test("at full size", () => {
    const file = pseudoRandomBytes(12, 16 * MIB + 12_345);
    const chunker = createChunker(KEY);
    const expected = cutBuffer(chunker, file);
    assert.deepEqual(cutBySegments(chunker, file, everyOffset(file.length, MIB + 1)), expected);
    assert.deepEqual(cutByStream(chunker, file, everyOffset(file.length, 65_537)), expected);
    assert.deepEqual(cutByStream(chunker, file, []), expected);
  });

  test("candidates of a segment are those of the whole file", () => {
    const file = pseudoRandomBytes(13, 200_000);
    const chunker = createChunker(KEY, SMALL);
    const whole = scanCandidates(chunker, file, 0, file.length);
    const part = scanCandidates(chunker, file.slice(70_000 - CHUNK_WINDOW, 90_000), CHUNK_WINDOW, 20_064, 69_936);
    assert.ok(part.length > 10);
    assert.deepEqual(
      part,
      whole.filter(({ offset }) => offset > 70_000 && offset <= 90_000),
    );
  });
});

describe("sizes", () => {
  test("the thresholds solve the equation for a mean of CHUNK_AVG", () => {
    const rate = THRESHOLD_STRICT / 2 ** 32 / 2 ** CHUNK_LIMITS.candidateBits;
    const rateAfter = THRESHOLD_LOOSE / 2 ** 32 / 2 ** CHUNK_LIMITS.candidateBits;
    const unCutAtAvg = Math.exp(-rate * (CHUNK_AVG - CHUNK_MIN));
    const mean =
      CHUNK_MIN +
      (1 - unCutAtAvg) / rate +
      (unCutAtAvg * (1 - Math.exp(-rateAfter * (CHUNK_MAX - CHUNK_AVG)))) / rateAfter;
    assert.ok(Math.abs(mean / CHUNK_AVG - 1) < 1e-4, `${mean}`);
  });

  test("the mean over 256 MiB of random data is 512 KiB within 5 %, and every chunk keeps the limits", ONCE, () => {
    const sizes = sizesOf(cutBuffer(createChunker(KEY), pseudoRandomBytes(21, 256 * MIB))).slice(0, -1);
    const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    assert.ok(Math.abs(mean / CHUNK_AVG - 1) < 0.05, `mean ${mean}`);
    assert.ok(sizes.every((size) => size >= CHUNK_MIN && size <= CHUNK_MAX));
  });

  test("the mean of 8,000 small chunks is theirs within 2 %", () => {
    const sizes = sizesOf(cutBuffer(createChunker(KEY, SMALL), pseudoRandomBytes(22, 8 * MIB)));
    const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    assert.ok(Math.abs(mean / SMALL.avg - 1) < 0.02, `mean ${mean}`);
  });

  test("a file up to the minimum is one chunk, an empty one has none", () => {
    const chunker = createChunker(KEY);
    assert.deepEqual(cutBuffer(chunker, new Uint8Array(0)), []);
    assert.equal(new StreamChunker(chunker, BATCH_BYTES).end(), undefined);
    assert.deepEqual(cutBuffer(chunker, pseudoRandomBytes(1, CHUNK_MIN)), [CHUNK_MIN]);
  });

  test("no key makes a run of one byte all candidates, so zeros are cut at the maximum", () => {
    for (let i = 0; i < 64; i++) {
      const { gear } = createChunker(pseudoRandomBytes(i + 1, 16));
      for (const value of gear) assert.notEqual(-value >>> (32 - CHUNK_LIMITS.candidateBits), 0);
    }
    assert.deepEqual(cutBuffer(createChunker(KEY), new Uint8Array(2 * CHUNK_MAX + 1)), [
      CHUNK_MAX,
      2 * CHUNK_MAX,
      2 * CHUNK_MAX + 1,
    ]);
  });
});

describe("what the cuts depend on", () => {
  test("a byte put in or taken out keeps 95 % of the chunks of 64 MiB", ONCE, () => {
    const file = pseudoRandomBytes(31, 64 * MIB);
    const chunker = createChunker(KEY);
    const before = cutBuffer(chunker, file);
    const at = 20 * MIB + 77;
    const chunkNames = (cuts: readonly number[], length: number) =>
      cuts.map((cut, i) =>
        cut <= at
          ? `from the start ${cuts[i - 1] ?? 0}-${cut}`
          : `to the end ${length - (cuts[i - 1] ?? 0)}-${length - cut}`,
      );
    for (const edited of [
      concatBytes([file.subarray(0, at), new Uint8Array([7]), file.subarray(at)]),
      concatBytes([file.subarray(0, at), file.subarray(at + 1)]),
    ]) {
      const kept = new Set(chunkNames(before, file.length)).intersection(
        new Set(chunkNames(cutBuffer(chunker, edited), edited.length)),
      );
      assert.ok(kept.size >= 0.95 * before.length, `${kept.size} of ${before.length}`);
    }
  });

  test("another key makes other cuts", () => {
    const file = pseudoRandomBytes(32, 16 * MIB);
    const cuts = new Set(cutBuffer(createChunker(KEY), file).slice(0, -1));
    for (let bit = 0; bit < 128; bit += 9) {
      const other = KEY.slice();
      other[bit >> 3]! ^= 1 << (bit & 7);
      assert.ok(cutBuffer(createChunker(other), file).filter((cut) => cuts.has(cut)).length <= 1, `bit ${bit}`);
    }
  });
});

describe("misuse is refused", () => {
  const isInternal = (error: unknown) => isAppError(error, "internal");

  test("limits that are out of order or range", () => {
    for (const wrong of [
      { min: CHUNK_WINDOW - 1 },
      { avg: SMALL.min - 1 },
      { max: SMALL.avg - 1 },
      { candidateBits: 0 },
      { candidateBits: 32 },
    ]) {
      assert.throws(() => createChunker(KEY, { ...SMALL, ...wrong }), isInternal);
    }
  });

  test("a segment without the bytes before it", () => {
    const chunker = createChunker(KEY, SMALL);
    assert.throws(() => scanCandidates(chunker, new Uint8Array(1000), 63, 1000, 1), isInternal);
  });
});
