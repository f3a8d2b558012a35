import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryDisk } from "../../../tests/memory-disk.ts";
import { platform } from "../../../tests/platform.ts";
import { pseudoRandomBytes } from "../../../tests/pseudo-random.ts";
import { counting } from "../../../tests/samples.ts";
import { type Bytes, toHex, utf8 } from "../../core/bytes.ts";
import type { RawPath } from "../../core/raw-path.ts";
import { BLOCK_LIMITS } from "../block.ts";
import { createChunker, cutBuffer } from "../chunker.ts";
import type { ListCutting } from "./chunk-lists.ts";
import { type Content, ContentReader, LARGE_FILE_BYTES, type Outcome } from "./content.ts";
import { Dedup, type FindChunks } from "./dedup.ts";
import { createInlinePool } from "./inline-pool.ts";
import type { FinishedBlock, LargeRead } from "./types.ts";

const MIB = 2 ** 20;
const keys = {
  chunkIdKey: counting(1, 32),
  chunkerKey: counting(2, 16),
  sessionKey: counting(3, 32),
  vaultId: counting(4, 16),
  sessionId: counting(5, 16),
  level: 0,
};
const NOTHING: FindChunks = async (chunkIds) => new Float64Array(chunkIds.length / 32);

class Bench {
  readonly disk = new MemoryDisk();
  readonly blocks: FinishedBlock[] = [];
  readonly failures: unknown[] = [];
  readonly pool = createInlinePool(platform, this.disk, keys);
  readonly reader: ContentReader;
  readBytes = 0;
  newBytes = 0;
  readonly lists: Uint8Array[] = [];
  readonly #newRow: () => number;
  #counter = 0;

  constructor({
    find = NOTHING,
    dryRun = false,
    signal,
    listCutting,
  }: { find?: FindChunks; dryRun?: boolean; signal?: AbortSignal; listCutting?: ListCutting } = {}) {
    const dedup = new Dedup(find, false);
    this.#newRow = () => dedup.newRow();
    this.pool.onBlock = (block) => this.blocks.push(block);
    this.pool.onFailure = (error) => this.failures.push(error);
    this.reader = new ContentReader({
      pool: this.pool,
      dedup,
      chunker: createChunker(keys.chunkerKey),
      signal,
      dryRun,
      queuedBytes: () => 0,
      newBlock: () => ({ counter: this.#counter++, row: dedup.newRow() }),
      storeList: (list) => this.storeList(list),
      listCutting,
      onRead: (bytes) => {
        this.readBytes += bytes;
      },
      onNewBytes: (bytes) => {
        this.newBytes += bytes;
      },
      onFailure: (error) => this.failures.push(error),
    });
  }

  /** Lists get ids that count. */
  storeList(list: Bytes) {
    return { id: counting(this.lists.push(list), 32), row: this.#newRow() };
  }

  /** Reads files one after the other, waits, and seals. */
  async read(...paths: readonly RawPath[]): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    for (const [i, path] of paths.entries()) {
      await this.reader.file({ path, ...this.disk.mark(path) }, (outcome) => {
        assert.equal(outcomes[i], undefined, "done is called once");
        outcomes[i] = outcome;
      });
    }
    await this.settle();
    assert.equal(outcomes.filter(() => true).length, paths.length);
    return outcomes;
  }

  async settle(): Promise<void> {
    await this.reader.settle();
    await Promise.all(this.pool.workers.map((worker) => worker.flush()));
    assert.deepEqual(this.failures, []);
    for (const { outstanding } of this.pool.workers) assert.equal(outstanding, 0);
  }
}

function contentOf(outcome: Outcome | undefined): Content {
  assert.ok(outcome && !("problem" in outcome), "it was read");
  return outcome;
}

function ids(chunkIds: Uint8Array): string[] {
  return Array.from({ length: chunkIds.length / 32 }, (_, i) => toHex(chunkIds.subarray(i * 32, i * 32 + 32)));
}

/** Ids and lengths of a whole file that is cut at `ends`. */
async function expected(file: Uint8Array, ends = cutBuffer(createChunker(keys.chunkerKey), file)) {
  const { hmacSha256 } = platform.primitives;
  const chunks = ends.map((end, i) => file.subarray(ends[i - 1] ?? 0, end));
  return {
    ids: await Promise.all(
      chunks.map(async (chunk) => toHex(await hmacSha256(keys.chunkIdKey, Uint8Array.of(1), chunk))),
    ),
    lengths: chunks.map(({ length }) => length),
  };
}

async function assertIs(outcome: Outcome | undefined, file: Uint8Array): Promise<void> {
  const { chunkIds, lengths } = contentOf(outcome);
  assert.deepEqual({ ids: ids(chunkIds), lengths }, await expected(file));
}

/** What was stored is a true beginning of `file`, in chunks of whatever lengths. */
async function assertBegins(content: Content, file: Uint8Array): Promise<number> {
  let size = 0;
  const ends = content.lengths.map((length) => {
    size += length;
    return size;
  });
  assert.ok(size <= file.length);
  assert.deepEqual(ids(content.chunkIds), (await expected(file.subarray(0, size), ends)).ids);
  return size;
}

describe("the same chunks, whichever way a file is read", () => {
  const text = utf8("some words that repeat ".repeat(200_000));
  for (const [name, file] of [
    ["one byte", utf8("x")],
    ["as large as is read at once", pseudoRandomBytes(1, LARGE_FILE_BYTES)],
    ["one byte more than that", pseudoRandomBytes(1, LARGE_FILE_BYTES + 1)],
    ["random, of many parts", pseudoRandomBytes(2, 17 * MIB + 5)],
    ["text", text],
    ["zeros", new Uint8Array(9 * MIB + 1)],
  ] as const) {
    test(name, async () => {
      const bench = new Bench();
      const [outcome] = await bench.read(bench.disk.write("/f", file));
      await assertIs(outcome, file);
      assert.equal(bench.readBytes, file.length);
      assert.equal(contentOf(outcome).changed, undefined);
    });
  }

  test("in parts through promises", async () => {
    const bench = new Bench();
    bench.disk.isAsync = true;
    const file = pseudoRandomBytes(3, 6 * MIB);
    await assertIs((await bench.read(bench.disk.write("/f", file)))[0], file);
  });

  test("with holes, which are told of", async () => {
    const file = pseudoRandomBytes(4, 20 * MIB);
    const holes = [
      { offset: MIB, length: 12 * MIB },
      { offset: 19 * MIB, length: 100 },
    ];
    for (const { offset, length } of holes) file.fill(0, offset, offset + length);
    const bench = new Bench();
    const [outcome] = await bench.read(bench.disk.write("/f", file, { holes }));
    await assertIs(outcome, file);
    assert.deepEqual(contentOf(outcome).holes, holes);
  });

  test("as a stream of any slices", async () => {
    const file = pseudoRandomBytes(5, 5 * MIB + 3);
    for (const step of [1000, 300_001, 6 * MIB]) {
      const bench = new Bench();
      async function* slices() {
        for (let at = 0; at < file.length; at += step) yield file.subarray(at, at + step);
      }
      const outcomes: [Outcome, number][] = [];
      await bench.reader.stream(slices(), (outcome, size) => outcomes.push([outcome, size]));
      await bench.settle();
      assert.equal(outcomes.length, 1);
      await assertIs(outcomes[0]![0], file);
      assert.equal(outcomes[0]![1], file.length);
    }
  });

  test("in order, where workers can open nothing", async () => {
    const file = pseudoRandomBytes(6, 5 * MIB + 3);
    const bench = new Bench();
    const path = bench.disk.write("/f", file);
    const mark = bench.disk.mark(path);
    const ends: Awaited<ReturnType<LargeRead["after"]>>[] = [
      { mark },
      { mark: { ...mark, size: 1 } },
      { problem: "EIO" },
    ];
    async function* slices() {
      for (let at = 0; at < file.length; at += 400_000) yield file.slice(at, at + 400_000);
    }
    const reads = ends.map((end) => ({ mark, slices: slices(), after: async () => end }));
    Object.assign(bench.pool, { readLarge: async () => reads.shift() ?? { problem: "ENOENT" } });
    const [same, changed, failed, gone] = await bench.read(path, path, path, path);
    for (const outcome of [same, changed]) await assertIs(outcome, file);
    assert.deepEqual([contentOf(same).changed, contentOf(changed).changed], [undefined, true]);
    assert.deepEqual(contentOf(same).mark, mark);
    assert.deepEqual([failed, gone], [{ problem: "EIO" }, { problem: "ENOENT" }]);
  });

  test("as a stream without bytes, and one that breaks", async () => {
    const bench = new Bench();
    const sizes: number[] = [];
    await bench.reader.stream((async function* () {})(), (_, size) => sizes.push(size));
    await bench.settle();
    assert.deepEqual(sizes, [0]);
    async function* broken() {
      yield utf8("a");
      throw new Error("the pipe broke");
    }
    await assert.rejects(
      bench.reader.stream(broken(), (_, size) => sizes.push(size)),
      /pipe broke/,
    );
    assert.deepEqual(sizes, [0]);
  });
});

describe("blocks", () => {
  test("hold each chunk that is new where its reference says, within the block's size", async () => {
    const bench = new Bench();
    const files = Array.from({ length: 30 }, (_, i) => pseudoRandomBytes((i % 20) + 1, 50_000 + i * 40_000));
    files.push(pseudoRandomBytes(99, 7 * MIB));
    const paths = files.map((file, i) => bench.disk.write(`/${i}`, file));
    const outcomes = await bench.read(...paths);
    const blockOf = new Map(bench.blocks.flatMap(({ counter, chunkIds }) => ids(chunkIds).map((id) => [id, counter])));
    let total = 0;
    for (const [i, outcome] of outcomes.entries()) {
      await assertIs(outcome, files[i]!);
      const { chunkIds, refs } = contentOf(outcome);
      // Counters and rows of this bench are the same numbers.
      assert.deepEqual(new Set(refs), new Set(ids(chunkIds).map((id) => 2 * blockOf.get(id)! + 1)));
      assert.equal(new Set(refs).size, refs.length);
      total += files[i]!.length;
    }
    assert.equal(bench.readBytes, total);
    assert.equal(new Set(bench.blocks.map(({ counter }) => counter)).size, bench.blocks.length);
    for (const { frame } of bench.blocks) assert.ok(frame.length < 1.05 * BLOCK_LIMITS.target + 1000);
    assert.equal(
      bench.blocks.flatMap(({ chunkIds }) => ids(chunkIds)).length,
      blockOf.size,
      "no chunk is stored twice",
    );
  });

  test("have nothing of what the vault has, and nothing on a dry run", async () => {
    const everything: FindChunks = async (chunkIds) => new Float64Array(chunkIds.length / 32).fill(41);
    for (const options of [{ find: everything }, { dryRun: true }]) {
      const bench = new Bench(options);
      const file = pseudoRandomBytes(1, 3 * MIB);
      const outcomes = await bench.read(bench.disk.write("/a", file), bench.disk.write("/b", utf8("b")));
      await assertIs(outcomes[0], file);
      assert.deepEqual(bench.blocks, []);
      assert.equal(bench.newBytes, "find" in options ? 0 : 3 * MIB + 1);
      if ("find" in options) assert.deepEqual(contentOf(outcomes[0]).refs, [82]);
    }
  });
});

describe("a file that changes while it is read", () => {
  const size = 9 * MIB;
  const before = pseudoRandomBytes(6, size);

  /** Reads `/f`, and runs `change` once when a read reaches `offset` for the `nth` time. */
  async function readWhile(change: (disk: MemoryDisk) => void, offset: number, nth = 1): Promise<Outcome> {
    const bench = new Bench();
    const path = bench.disk.write("/f", before);
    let times = 0;
    bench.disk.onRead = (_, at) => {
      if (at >= offset && ++times === nth) change(bench.disk);
    };
    const outcome = (await bench.read(path))[0]!;
    assert.ok(times >= nth, "it was changed");
    return outcome;
  }

  for (const nth of [1, 2, 3]) {
    test(`shrinks: what is stored is a beginning of it, and it says so (${nth})`, async () => {
      const content = contentOf(await readWhile((disk) => disk.write("/f", before.subarray(0, 5 * MIB)), 4 * MIB, nth));
      const stored = await assertBegins(content, before);
      assert.equal(content.changed, true);
      assert.equal(content.mark!.size, stored);
      assert.ok(stored >= 4 * MIB);
    });

    test(`grows: it has the size that it had (${nth})`, async () => {
      const longer = new Uint8Array(12 * MIB);
      longer.set(before);
      const content = contentOf(await readWhile((disk) => disk.write("/f", longer), 4 * MIB, nth));
      assert.equal(await assertBegins(content, before), size);
      assert.deepEqual([content.changed, content.mark!.size], [true, size]);
    });

    test(`vanishes: that is a problem, or it was whole by then (${nth})`, async () => {
      const outcome = await readWhile((disk) => disk.remove("/f"), 4 * MIB, nth);
      if ("problem" in outcome) return assert.deepEqual(outcome, { problem: "ENOENT" });
      assert.equal(nth, 3);
      assert.equal(await assertBegins(outcome, before), size);
      assert.equal(outcome.changed, true);
    });
  }

  test("was there for the scan only", async () => {
    const bench = new Bench();
    const path = bench.disk.write("/f", before);
    const mark = bench.disk.mark(path);
    bench.disk.remove("/f");
    const outcomes: Outcome[] = [];
    await bench.reader.file({ path, ...mark }, (outcome) => outcomes.push(outcome));
    await bench.settle();
    assert.deepEqual(outcomes, [{ problem: "ENOENT" }]);
  });

  test("is empty by now", async () => {
    const bench = new Bench();
    const path = bench.disk.write("/f", before);
    const mark = bench.disk.mark(path);
    bench.disk.write("/f", new Uint8Array(0));
    const outcomes: Outcome[] = [];
    await bench.reader.file({ path, ...mark }, (outcome) => outcomes.push(outcome));
    await bench.settle();
    const { lengths, changed, mark: found } = contentOf(outcomes[0]);
    assert.deepEqual([lengths, changed, found], [[], undefined, bench.disk.mark(path)]);
  });

  test("drops its holes beyond its new end", async () => {
    const bench = new Bench();
    const holes = [
      { offset: 0, length: MIB },
      { offset: 8 * MIB, length: MIB },
    ];
    const path = bench.disk.write("/f", new Uint8Array(size), { holes });
    let isFirst = true;
    bench.disk.onRead = () => {
      if (isFirst) bench.disk.write("/f", new Uint8Array(5 * MIB));
      isFirst = false;
    };
    const content = contentOf((await bench.read(path))[0]);
    assert.deepEqual([content.holes, content.changed], [holes.slice(0, 1), true]);
  });
});

test("an abort ends the wait for a worker", async () => {
  const abort = new AbortController();
  const bench = new Bench({ signal: abort.signal });
  const paths = Array.from({ length: 20 }, (_, i) => bench.disk.write(`/${i}`, pseudoRandomBytes(i + 1, 2 * MIB)));
  bench.disk.onRead = () => abort.abort();
  await assert.rejects(bench.read(...paths), { code: "interrupted" });
});
