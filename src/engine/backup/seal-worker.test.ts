import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryDisk } from "../../../tests/memory-disk.ts";
import { platform } from "../../../tests/platform.ts";
import { pseudoRandomBytes } from "../../../tests/pseudo-random.ts";
import { counting } from "../../../tests/samples.ts";
import { type Bytes, toHex, utf8 } from "../../core/bytes.ts";
import type { RawPath } from "../../core/raw-path.ts";
import { decodeFrameHeader } from "../../wire/v4/pack-frame.ts";
import { blockPayload, openBlock } from "../block.ts";
import { CHUNK_MAX, createChunker, cutBuffer, scanCandidates } from "../chunker.ts";
import type { FileAccess } from "./read-file.ts";
import { SealWorker } from "./seal-worker.ts";
import type { FileMark, FinishedBlock, ReadFile } from "./types.ts";

const MIB = 2 ** 20;
const keys = {
  chunkIdKey: counting(1, 32),
  chunkerKey: counting(2, 16),
  sessionKey: counting(3, 32),
  vaultId: counting(4, 16),
  sessionId: counting(5, 16),
  level: 1,
};

function makeWorker(files: FileAccess) {
  const blocks: FinishedBlock[] = [];
  const spares: ArrayBuffer[] = [];
  return {
    worker: new SealWorker(platform, files, keys, {
      onBlock: (block) => blocks.push(block),
      onSpare: (buffer) => spares.push(buffer),
    }),
    blocks,
    spares,
  };
}

async function idsOf(chunks: readonly Uint8Array[]): Promise<string[]> {
  const { hmacSha256 } = platform.primitives;
  return Promise.all(chunks.map(async (chunk) => toHex(await hmacSha256(keys.chunkIdKey, Uint8Array.of(1), chunk))));
}

function split(ids: Uint8Array): string[] {
  return Array.from({ length: ids.length / 32 }, (_, i) => toHex(ids.subarray(i * 32, i * 32 + 32)));
}

/** The whole files' chunks, as the reference way of cutting gives them. */
function cut(content: Uint8Array): Uint8Array[] {
  const ends = cutBuffer(createChunker(keys.chunkerKey), content);
  return ends.map((end, i) => content.subarray(ends[i - 1] ?? 0, end));
}

function scanned(disk: MemoryDisk, ...paths: readonly RawPath[]): ReadFile[] {
  return paths.map((path) => ({ path, ...disk.mark(path) }));
}

async function openFinished({ frame, kind, counter }: FinishedBlock): Promise<Uint8Array[]> {
  const { vaultId, sessionId, sessionKey } = keys;
  const header = decodeFrameHeader(frame.subarray(0, 16));
  assert.deepEqual(header, { length: frame.length - 16, counter, sessionIndex: 0, kind });
  return openBlock(platform, sessionKey, { vaultId, sessionId, kind, counter }, frame.subarray(16), counter);
}

/** A disk that gives at most 1000 bytes at once, and runs `between` before each look at a file's metadata. */
function reluctant(disk: MemoryDisk, between: (path: RawPath) => void = () => undefined): FileAccess {
  return {
    withFile: (path, use) =>
      disk.withFile(path, (file) =>
        use({
          ...file,
          read: (target, at, length, offset) => file.read(target, at, Math.min(length, 1000), offset),
          mark: () => {
            between(path);
            return file.mark();
          },
        }),
      ),
  };
}

for (const isAsync of [false, true]) {
  describe(`small files (${isAsync ? "promises" : "synchronous"})`, () => {
    test("are cut and named, whole", async () => {
      const disk = new MemoryDisk();
      disk.isAsync = isAsync;
      const contents = [utf8("a"), new Uint8Array(0), pseudoRandomBytes(1, 131_072), pseudoRandomBytes(2, 1_500_000)];
      const paths = contents.map((content, i) => disk.write(`/${i}`, content));
      for (const files of [disk, reluctant(disk)]) {
        const { worker } = makeWorker(files);
        const result = await worker.read(1, { kind: "files", files: scanned(disk, ...paths) });
        const chunks = contents.flatMap(cut);
        assert.deepEqual(split(result.chunkIds), await idsOf(chunks));
        assert.deepEqual(
          result.lengths,
          chunks.map(({ length }) => length),
        );
        assert.deepEqual(
          result.files,
          contents.map((content) => ({ chunks: cut(content).length })),
        );
      }
    });

    test("that are not as the scan saw them are read a second time", async () => {
      const disk = new MemoryDisk();
      disk.isAsync = isAsync;
      const [grown, shrunk, gone, same] = ["/grown", "/shrunk", "/gone", "/same"].map((path) =>
        disk.write(path, pseudoRandomBytes(path.length, 5000)),
      ) as [RawPath, RawPath, RawPath, RawPath];
      const files = scanned(disk, grown, shrunk, gone, same);
      const now = [pseudoRandomBytes(9, 7000), pseudoRandomBytes(9, 100)];
      disk.write("/grown", now[0]!);
      disk.write("/shrunk", now[1]!);
      disk.remove("/gone");
      const { worker } = makeWorker(disk);
      const result = await worker.read(1, { kind: "files", files });
      assert.deepEqual(result.files, [
        { chunks: 1, mark: disk.mark(grown) },
        { chunks: 1, mark: disk.mark(shrunk) },
        { chunks: 0, problem: "ENOENT" },
        { chunks: 1 },
      ]);
      assert.deepEqual(split(result.chunkIds), await idsOf([...now, disk.get(same).content]));
    });

    test("that grew beyond the room of their batch do not harm the others", async () => {
      const disk = new MemoryDisk();
      disk.isAsync = isAsync;
      const paths = ["/1", "/2", "/3"].map((path, i) => disk.write(path, pseudoRandomBytes(i + 1, 1_900_000)));
      disk.write("/1", utf8("x"));
      disk.write("/3", utf8("y"));
      const files = scanned(disk, ...paths);
      disk.write("/1", pseudoRandomBytes(7, 3_000_000));
      disk.write("/3", pseudoRandomBytes(8, 3_500_000));
      const { worker } = makeWorker(disk);
      const result = await worker.read(1, { kind: "files", files });
      const contents = paths.map((path) => disk.get(path).content);
      assert.deepEqual(split(result.chunkIds), await idsOf(contents.flatMap(cut)));
      assert.deepEqual(
        result.files.map(({ problem, changed }) => problem ?? changed),
        [undefined, undefined, undefined],
      );
    });

    test("that do not stand still are marked, under the metadata from before what was read", async () => {
      const disk = new MemoryDisk();
      disk.isAsync = isAsync;
      const path = disk.write("/busy", utf8("first"));
      const files = scanned(disk, path);
      let looks: FileMark[] = [];
      const busy = reluctant(disk, () => {
        disk.write("/busy", utf8(`after look ${looks.length}`));
        looks.push(disk.mark(path));
      });
      const { worker } = makeWorker(busy);
      const { files: outcomes } = await worker.read(1, { kind: "files", files });
      assert.deepEqual(outcomes, [{ chunks: 1, mark: looks[0]!, changed: true }]);
      assert.notDeepEqual(outcomes[0]!.mark, disk.mark(path), "so that the next run reads it again");

      looks = [];
      const shrinking = reluctant(disk, () => {
        disk.write("/busy", utf8("x".repeat(20 - looks.length)));
        looks.push(disk.mark(path));
      });
      const again = await makeWorker(shrinking).worker.read(1, { kind: "files", files: scanned(disk, path) });
      assert.equal(again.lengths[0], again.files[0]!.mark!.size);
      assert.equal(again.files[0]!.changed, true);
    });
  });
}

describe("problems", () => {
  test("have the code of the error; an error without one is a bug and ends the job", async () => {
    const disk = new MemoryDisk();
    const path = disk.write("/locked", utf8("x"));
    disk.broken.set(path, "EACCES");
    const { worker } = makeWorker(disk);
    assert.deepEqual((await worker.read(1, { kind: "files", files: scanned(disk, path) })).files, [
      { chunks: 0, problem: "EACCES" },
    ]);
    assert.deepEqual(await worker.inspect(path), { holes: [], problem: "EACCES" });
    const range = { kind: "range", path, offset: 0, lengths: [1], holes: [] } as const;
    assert.deepEqual((await worker.read(2, range)).files, [{ chunks: 0, problem: "EACCES" }]);
    const scan = { path, offset: 0, end: 10, holes: [] };
    assert.deepEqual(await worker.scan(scan), { offsets: [], prfs: [], problem: "EACCES" });
    await worker.assign(1, new Int32Array(0));
    disk.broken.clear();
    disk.onRead = () => {
      throw new TypeError("a bug");
    };
    await assert.rejects(worker.read(3, range), /a bug/);
    await assert.rejects(worker.read(4, { kind: "files", files: scanned(disk, path) }), /a bug/);
    await assert.rejects(worker.scan(scan), /a bug/);
  });
});

describe("large files", () => {
  const disk = new MemoryDisk();
  const content = pseudoRandomBytes(3, 5 * MIB);
  const path = disk.write("/large", content);

  test("candidates of parts are those of the whole", async () => {
    const { worker } = makeWorker(disk);
    const expected = scanCandidates(createChunker(keys.chunkerKey), content, 0, content.length);
    const found: { offset: number; prf: number }[] = [];
    for (const [offset, end] of [
      [0, 2 * MIB],
      [2 * MIB, 4 * MIB + 1],
      [4 * MIB + 1, 5 * MIB],
    ] as const) {
      const { offsets, prfs } = await worker.scan({ path, offset, end, holes: [] });
      found.push(...offsets.map((at, i) => ({ offset: at, prf: prfs[i]! })));
    }
    assert.deepEqual(found, expected);
  });

  test("candidates beyond an early end are none", async () => {
    const { worker } = makeWorker(disk);
    await worker.scan({ path, offset: 0, end: 4 * MIB, holes: [] });
    const short = await worker.scan({ path, offset: 4 * MIB, end: 8 * MIB, holes: [] });
    assert.ok(short.offsets.every((offset) => offset <= 5 * MIB));
    assert.deepEqual(await worker.scan({ path, offset: 8 * MIB, end: 12 * MIB, holes: [] }), { offsets: [], prfs: [] });
  });

  test("a range that ends early says so, and has what there was", async () => {
    const { worker } = makeWorker(disk);
    const from = 5 * MIB - 250;
    const read = (lengths: number[], offset = from) =>
      worker.read(1, { kind: "range", path, offset, lengths, holes: [] });
    const whole = await read([100, 150]);
    assert.deepEqual([whole.lengths, whole.files], [[100, 150], [{ chunks: 2 }]]);
    const short = await read([100, 100, 100, 100]);
    assert.deepEqual([short.lengths, short.files], [[100, 100, 50], [{ chunks: 3, changed: true }]]);
    assert.deepEqual(split(short.chunkIds)[2], (await idsOf([content.subarray(-50)]))[0]);
    const none = await read([100], 9 * MIB);
    assert.deepEqual([none.lengths, none.files], [[], [{ chunks: 0, changed: true }]]);
  });

  test("holes are zeros that nobody reads", async () => {
    const sparse = disk.write("/sparse", new Uint8Array(9 * MIB));
    const holes = [{ offset: 0, length: 9 * MIB }];
    const { worker } = makeWorker(disk);
    disk.opened = [];
    const lengths = [CHUNK_MAX, CHUNK_MAX, 5];
    const result = await worker.read(1, { kind: "range", path: sparse, offset: 0, lengths, holes });
    const scan = await worker.scan({ path: sparse, offset: 4 * MIB, end: 8 * MIB, holes });
    assert.deepEqual(disk.opened, []);
    assert.deepEqual(split(result.chunkIds), await idsOf(lengths.map((length) => new Uint8Array(length))));
    const zeros = new Uint8Array(4096);
    assert.equal(scan.offsets.length > 0, scanCandidates(createChunker(keys.chunkerKey), zeros, 64, 4096).length > 0);
    // A buffer that held something else before.
    await worker.assign(1, new Int32Array(3).fill(-1));
    await worker.read(2, { kind: "range", path, offset: 0, lengths: [3 * MIB], holes: [] });
    await worker.assign(2, new Int32Array(1).fill(-1));
    const again = await worker.read(3, { kind: "range", path: sparse, offset: 0, lengths: [MIB], holes });
    assert.deepEqual(split(again.chunkIds), await idsOf([new Uint8Array(MIB)]));
  });
});

test("a chunk that is zeros but for one byte is not taken for zeros, wherever it lies", async () => {
  const { worker } = makeWorker(new MemoryDisk());
  const lengths = [3, CHUNK_MAX];
  const zeros = new Uint8Array(3 + CHUNK_MAX);
  const want = await idsOf([new Uint8Array(3), new Uint8Array(CHUNK_MAX)]);
  assert.deepEqual(split((await worker.read(0, { kind: "data", data: zeros, lengths })).chunkIds), want);
  for (const at of [3, 4, 5, 1000, CHUNK_MAX - 1, CHUNK_MAX, CHUNK_MAX + 1, CHUNK_MAX + 2]) {
    const data = zeros.with(at, 1);
    const { chunkIds } = await worker.read(at, { kind: "data", data, lengths });
    assert.deepEqual(split(chunkIds), await idsOf([data.subarray(0, 3), data.subarray(3)]), `${at}`);
  }
});

describe("blocks", () => {
  const data = (...texts: string[]) => {
    const parts = texts.map((text) => utf8(text));
    return { kind: "data", data: utf8(texts.join("")), lengths: parts.map(({ length }) => length) } as const;
  };

  async function textsOf(block: FinishedBlock): Promise<string[]> {
    return (await openFinished(block)).map((chunk) => new TextDecoder().decode(chunk));
  }

  test("hold copies: the buffer of a job goes back to its giver when the job is assigned", async () => {
    const { worker, blocks, spares } = makeWorker(new MemoryDisk());
    const job = data("one", "two");
    await worker.read(1, job);
    assert.deepEqual(spares, []);
    await worker.assign(1, Int32Array.of(4, 4));
    assert.deepEqual(spares, [job.data.buffer]);
    job.data.fill(0);
    await worker.flush();
    assert.deepEqual(await Promise.all(blocks.map(textsOf)), [["one", "two"]]);
  });

  test("hold what was assigned to their counter, in order, also across jobs", async () => {
    const { worker, blocks } = makeWorker(new MemoryDisk());
    await worker.read(1, data("one", "two", "known", "three"));
    await worker.read(2, data("four", "five"));
    await worker.assign(1, Int32Array.of(4, 4, -1, 9));
    assert.equal(blocks.length, 1);
    await worker.assign(2, Int32Array.of(9, -1));
    await worker.flush();
    await worker.flush();
    assert.deepEqual(await Promise.all(blocks.map(textsOf)), [
      ["one", "two"],
      ["three", "four"],
    ]);
    assert.deepEqual(
      blocks.map(({ counter, kind }) => [counter, kind]),
      [
        [4, 1],
        [9, 1],
      ],
    );
    for (const block of blocks) {
      assert.deepEqual(split(block.chunkIds), await idsOf((await textsOf(block)).map((text) => utf8(text))));
      assert.deepEqual(await platform.primitives.sha256(block.frame.subarray(16)), block.blockId);
    }
  });

  test("of jobs in which nothing is new are none", async () => {
    const { worker, blocks } = makeWorker(new MemoryDisk());
    await worker.read(1, data("one"));
    await worker.assign(1, Int32Array.of(-1));
    await worker.assign(77, Int32Array.of(1));
    await worker.flush();
    assert.deepEqual(blocks, []);
  });

  test("of many jobs keep their bytes apart", async () => {
    const disk = new MemoryDisk();
    const paths = Array.from({ length: 12 }, (_, i) =>
      disk.write(`/${i}`, pseudoRandomBytes(i + 1, 100_000 * (i + 1))),
    );
    const { worker, blocks } = makeWorker(disk);
    const counts: number[] = [];
    const contents = new Map<string, Uint8Array>();
    for (const [job, path] of paths.entries()) {
      for (const chunk of cut(disk.get(path).content)) contents.set((await idsOf([chunk]))[0]!, chunk);
      const { lengths } = await worker.read(job, { kind: "files", files: scanned(disk, path) });
      if (job >= 2) await worker.assign(job - 2, new Int32Array(counts[job - 2]!).fill(job));
      counts[job] = lengths.length;
    }
    for (const job of [10, 11]) await worker.assign(job, new Int32Array(counts[job]!).fill(job + 2));
    await worker.flush();
    for (const block of blocks) {
      const ids = split(block.chunkIds);
      for (const [i, chunk] of (await openFinished(block)).entries()) {
        const expected = contents.get(ids[i]!)!;
        contents.delete(ids[i]!);
        assert.ok(chunk.length === expected.length && chunk.every((byte, at) => byte === expected[at]));
      }
    }
    assert.equal(contents.size, 0);
  });

  test("that were put together elsewhere are sealed as they are", async () => {
    const { worker, blocks } = makeWorker(new MemoryDisk());
    const chunkIds: Bytes = counting(1, 32);
    await worker.seal(2, 3, blockPayload([utf8("tree")]), chunkIds);
    assert.deepEqual([blocks[0]!.kind, blocks[0]!.counter, blocks[0]!.chunkIds], [2, 3, chunkIds]);
    assert.deepEqual(await textsOf(blocks[0]!), ["tree"]);
  });
});
