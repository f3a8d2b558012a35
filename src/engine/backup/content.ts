// Files on their way to blocks: small ones in batches, large ones in parts that all workers share, streams as they come. It gives
// work to the workers, asks which chunks are missing, and tells the workers in which block each missing chunk goes.

import { releaseBytes } from "../../core/bytes.ts";
import { throwIfAborted } from "../../core/errors.ts";
import type { RawPath } from "../../core/raw-path.ts";
import { holesWithin } from "../../wire/v4/holes.ts";
import type { BlockRef } from "../../wire/v4/state-file.ts";
import type { Hole } from "../../wire/v4/tree-types.ts";
import { BLOCK_LIMITS } from "../block.ts";
import { type Chunker, CutSelector, StreamChunker } from "../chunker.ts";
import { LIST_CUTTING, type ListCutting, type StoreList } from "./chunk-lists.ts";
import type { Dedup } from "./dedup.ts";
import { Parts } from "./parts.ts";
import { Signal } from "./signal.ts";
import type { FileMark, LargeRead, ReadFile, ReadJob, ReadResult, SealPool, SealWorkerPort } from "./types.ts";
import { untilAborted } from "./until-aborted.ts";

/** A batch is sent when it has this many bytes or files. */
const BATCH = { bytes: 2 * 2 ** 20, files: 512 } as const;
/** Of a stream: a little more than the largest chunk, so that a batch holds several. */
const STREAM_BATCH_BYTES = 2.5 * 2 ** 20;
/** Files above this are cut in parts by all workers. */
export const LARGE_FILE_BYTES = 2 * 2 ** 20;
const SCAN_BYTES = 4 * 2 ** 20;
const SCANS_AHEAD = 4;
const JOBS_PER_WORKER = 2;

/** What became of one file. */
export type Content = {
  /** `chunkIds` and `lengths` are of chunk lists (chunk-lists.ts). */
  readonly indirect?: true | undefined;
  readonly chunkIds: Uint8Array;
  readonly lengths: readonly number[];
  readonly refs: readonly BlockRef[];
  /** Metadata at the time of reading, where it is not the scan's. */
  readonly mark?: FileMark | undefined;
  readonly changed?: boolean | undefined;
  readonly holes?: readonly Hole[] | undefined;
};
export type Outcome = Content | { readonly problem: string };

type Batch = { files: ReadFile[]; done: ((outcome: Outcome) => void)[]; bytes: number };

export type ContentOptions = {
  readonly pool: SealPool;
  readonly dedup: Dedup;
  readonly chunker: Chunker;
  readonly signal: AbortSignal | undefined;
  /** Nothing is sealed or stored. */
  readonly dryRun: boolean;
  /** Bytes that wait for the vault. */
  readonly queuedBytes: () => number;
  readonly newBlock: () => { counter: number; row: number };
  /** Takes the chunk lists of large files. */
  readonly storeList: StoreList;
  /** Other lists than everybody's: for tests. */
  readonly listCutting?: ListCutting | undefined;
  readonly onRead: (bytes: number) => void;
  readonly onNewBytes: (bytes: number) => void;
  readonly onFailure: (error: unknown) => void;
};

/** Of streams: as many as come back while one is filled. */
const SPARE_BUFFERS = 2;
const QUEUE_LIMIT_BYTES = 8 * 2 ** 20;

export class ContentReader {
  readonly #options: ContentOptions;
  readonly #open = new Map<SealWorkerPort, { counter: number; row: number; bytes: number; chunks: number }>();
  #batch: Batch = { files: [], done: [], bytes: 0 };
  /** Buffers of a stream's batches that came back. */
  readonly #spare: ArrayBuffer[] = [];
  readonly #tasks = new Set<Promise<void>>();
  readonly #progress = new Signal();

  constructor(options: ContentOptions) {
    this.#options = options;
    options.pool.onSpare = (buffer) => {
      if (this.#spare.length < SPARE_BUFFERS && buffer.byteLength >= STREAM_BATCH_BYTES) this.#spare.push(buffer);
      else releaseBytes(new Uint8Array(buffer));
    };
  }

  /** Something was finished: whoever waits for room should look again. */
  notify(): void {
    this.#progress.notify();
  }

  /** Takes a file; waits only when the workers have enough to do. `done` is called once. */
  async file(file: ReadFile, done: (outcome: Outcome) => void): Promise<void> {
    if (file.size > LARGE_FILE_BYTES) return this.#large(file.path, done);
    this.#batch.files.push(file);
    this.#batch.done.push(done);
    this.#batch.bytes += file.size;
    if (this.#batch.bytes >= BATCH.bytes || this.#batch.files.length >= BATCH.files) await this.sendBatch();
  }

  /** Sends the batch that is being put together. */
  async sendBatch(): Promise<void> {
    const batch = this.#batch;
    if (batch.files.length === 0) return;
    this.#batch = { files: [], done: [], bytes: 0 };
    const worker = await this.#freeWorker();
    this.#track(async () => {
      const result = await worker.read({ kind: "files", files: batch.files });
      await this.#decide(worker, result, (refs) => {
        let at = 0;
        result.files.forEach((outcome, i) => {
          const end = at + outcome.chunks;
          if (outcome.problem !== undefined) batch.done[i]!({ problem: outcome.problem });
          else batch.done[i]!(contentOf(result, refs, at, end, outcome.mark, outcome.changed));
          at = end;
        });
      });
    });
  }

  /** Takes a stream to its end. */
  async stream(stream: AsyncIterable<Uint8Array>, done: (outcome: Outcome, size: number) => void): Promise<void> {
    const parts = this.#parts();
    await this.#cut(parts, stream);
    this.#track(async () => {
      await parts.drained();
      const whole = await parts.finish(false);
      if ("problem" in whole) done(whole, 0);
      else done(whole, whole.size);
    });
  }

  /** Waits until everything that was taken is decided. */
  async settle(): Promise<void> {
    await this.sendBatch();
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }

  /** Cuts bytes as they come; chunks go to the workers in batches. */
  async #cut(parts: Parts, stream: AsyncIterable<Uint8Array>): Promise<void> {
    const chunker = new StreamChunker(this.#options.chunker, STREAM_BATCH_BYTES, () => this.#spare.pop());
    for await (const slice of untilAborted(stream, this.#options.signal)) {
      for (const batch of chunker.push(slice)) await this.#part(parts, { kind: "data", ...batch });
    }
    const last = chunker.end();
    if (last) await this.#part(parts, { kind: "data", ...last });
  }

  async #inOrder(file: LargeRead | { readonly problem: string }, done: (outcome: Outcome) => void): Promise<void> {
    if ("problem" in file) return done(file);
    const { mark } = file;
    const parts = this.#parts();
    await this.#cut(parts, file.slices);
    this.#track(async () => {
      await parts.drained();
      const last = await file.after();
      if (last.problem !== undefined) return done(last);
      const whole = await parts.finish(!sameTimes(last.mark, mark));
      done("problem" in whole ? whole : { ...whole, mark: { ...mark, size: whole.size } });
    });
  }

  async #large(path: RawPath, done: (outcome: Outcome) => void): Promise<void> {
    const { readLarge } = this.#options.pool;
    if (readLarge) return this.#inOrder(await readLarge(path), done);
    const first = await (await this.#freeWorker()).inspect(path);
    if (!first.mark) return done({ problem: first.problem ?? "EIO" });
    const { mark, holes } = first;
    const parts = this.#parts();
    const selector = new CutSelector();
    let start = 0;
    let lengths: number[] = [];
    let pending = 0;
    const send = async (cuts: readonly number[], all: boolean): Promise<void> => {
      for (const cut of cuts) {
        lengths.push(cut - start - pending);
        pending = cut - start;
        if (pending >= BATCH.bytes) await flush();
      }
      if (all && pending > 0) await flush();
    };
    const flush = async (): Promise<void> => {
      const job: ReadJob = {
        kind: "range",
        path,
        offset: start,
        lengths,
        holes: holesWithin(holes, start, start + pending),
      };
      start += pending;
      lengths = [];
      pending = 0;
      await this.#part(parts, job);
    };
    for await (const { candidates, end, problem } of this.#scans(path, mark.size, holes)) {
      if (problem !== undefined) {
        parts.fail(problem);
        break;
      }
      await send(selector.add(candidates, end), false);
    }
    await send(selector.end(mark.size), true);
    this.#track(async () => {
      await parts.drained();
      const last = await this.#options.pool.workers[0]!.inspect(path);
      const whole = await parts.finish(!last.mark || !sameTimes(last.mark, mark));
      if ("problem" in whole) done(whole);
      else done({ ...whole, mark: { ...mark, size: whole.size }, holes: within(holes, whole.size) });
    });
  }

  /** Candidates of a large file part by part, some parts ahead. */
  async *#scans(path: RawPath, size: number, holes: readonly Hole[]) {
    const ahead: Promise<{
      candidates: { offset: number; prf: number }[];
      end: number;
      problem: string | undefined;
    }>[] = [];
    let at = 0;
    while (at < size || ahead.length > 0) {
      throwIfAborted(this.#options.signal);
      while (at < size && ahead.length < SCANS_AHEAD) {
        const offset = at;
        const end = Math.min(size, at + SCAN_BYTES);
        at = end;
        const worker = leastBusy(this.#options.pool.workers);
        ahead.push(
          worker.scan({ path, offset, end, holes: holesWithin(holes, offset - 64, end) }).then((result) => ({
            candidates: result.offsets.map((candidate, i) => ({ offset: candidate, prf: result.prfs[i]! })),
            end,
            problem: result.problem,
          })),
        );
        // A failure is met when its turn comes.
        ahead.at(-1)?.catch(() => undefined);
      }
      yield await ahead.shift()!;
    }
  }

  #parts(): Parts {
    const { listCutting = LIST_CUTTING, storeList } = this.#options;
    return new Parts(listCutting, storeList);
  }

  async #part(parts: Parts, job: ReadJob): Promise<void> {
    const worker = await this.#freeWorker();
    const part = parts.open();
    this.#track(async () => {
      try {
        const result = await worker.read(job);
        await this.#decide(worker, result, (refs) => {
          const outcome = result.files[0];
          if (outcome?.problem !== undefined) parts.fail(outcome.problem);
          part(contentOf(result, refs, 0, result.lengths.length, undefined, outcome?.changed));
        });
      } catch (error) {
        // The run ends here; whoever waits for the file need not wait for this part.
        parts.fail("EIO");
        part({ chunkIds: new Uint8Array(0), lengths: [], refs: [] });
        throw error;
      }
    });
  }

  /** Asks for the chunks of a job, gives each missing one its block, and hands the references on. */
  async #decide(
    worker: SealWorkerPort,
    result: ReadResult & { job: number },
    use: (refs: readonly BlockRef[]) => void,
  ): Promise<void> {
    const { dedup, dryRun } = this.#options;
    await dedup.ask(result.chunkIds, (lookup) => {
      const counters = new Int32Array(result.lengths.length).fill(-1);
      const refs = result.lengths.map((length, i) => {
        this.#options.onRead(length);
        const ref = lookup(i);
        if (ref !== undefined) return ref;
        this.#options.onNewBytes(length);
        const block = this.#blockFor(worker, length);
        if (!dryRun) counters[i] = block.counter;
        dedup.place(result.chunkIds, i, block.row);
        return 2 * block.row + 1;
      });
      worker.assign(result.job, counters);
      use(refs);
      this.notify();
    });
  }

  /** The worker's open block, or a new one when this chunk would make it too large. The worker does the same by the counters. */
  #blockFor(worker: SealWorkerPort, length: number): { counter: number; row: number } {
    const open = this.#open.get(worker);
    if (open && open.bytes + length <= BLOCK_LIMITS.target && open.chunks < BLOCK_LIMITS.chunks) {
      open.bytes += length;
      open.chunks++;
      return open;
    }
    const block = { ...this.#options.newBlock(), bytes: length, chunks: 1 };
    this.#open.set(worker, block);
    return block;
  }

  async #freeWorker(): Promise<SealWorkerPort> {
    for (;;) {
      throwIfAborted(this.#options.signal);
      const worker = leastBusy(this.#options.pool.workers);
      if (worker.outstanding < JOBS_PER_WORKER && this.#options.queuedBytes() < QUEUE_LIMIT_BYTES) return worker;
      await this.#progress.wait(this.#options.signal);
    }
  }

  #track(work: () => Promise<void>): void {
    const task = work()
      .catch((error: unknown) => this.#options.onFailure(error))
      .finally(() => {
        this.#tasks.delete(task);
        this.notify();
      });
    this.#tasks.add(task);
  }
}

function contentOf(
  result: ReadResult,
  refs: readonly BlockRef[],
  from: number,
  to: number,
  mark: FileMark | undefined,
  changed: boolean | undefined,
): Content {
  return {
    chunkIds: result.chunkIds.subarray(from * 32, to * 32),
    lengths: result.lengths.slice(from, to),
    refs: to - from === 1 ? [refs[from]!] : unique(refs.slice(from, to)),
    mark,
    changed,
  };
}

function unique(refs: readonly BlockRef[]): BlockRef[] {
  return refs.length < 2 ? [...refs] : [...new Set(refs)];
}

function leastBusy(workers: readonly SealWorkerPort[]): SealWorkerPort {
  return workers.reduce((best, worker) => (worker.outstanding < best.outstanding ? worker : best));
}

/** Holes of a file that turned out to have `size` bytes. */
function within(holes: readonly Hole[], size: number): readonly Hole[] {
  return holes.filter((hole) => hole.offset + hole.length <= size);
}

function sameTimes(a: FileMark, b: FileMark): boolean {
  return (
    a.size === b.size &&
    a.mtimeSeconds === b.mtimeSeconds &&
    a.mtimeNanos === b.mtimeNanos &&
    a.ctimeNanos === b.ctimeNanos &&
    a.ctimeSeconds === b.ctimeSeconds
  );
}
