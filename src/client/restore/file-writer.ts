// Brings files to the disk, a window of them at a time: compare with what is there, locate all chunks in one call, give each block
// to a worker once. While one window is written the next one is collected. Memory depends on the window, not on the snapshot.

import { equalBytes } from "../../core/bytes.ts";
import { AppError, isAppError } from "../../core/errors.ts";
import type { ChunkId } from "../../core/ids.ts";
import { rawToText } from "../../core/raw-path.ts";
import { BLOCK_LIMITS } from "../../engine/block.ts";
import { type ContentRun, contentRuns } from "../../engine/reader/content-runs.ts";
import type { VaultReader } from "../../engine/reader/reader.ts";
import { type Piece, planBlocks } from "../../engine/restore/block-plan.ts";
import type { ChunkList } from "../../wire/v4/chunk-list.ts";
import { liesInHole } from "../../wire/v4/holes.ts";
import { type BlockLocation, KIND_DATA } from "../../wire/v4/vault-port.ts";
import { BlockGiver } from "./block-giver.ts";
import { discard, type FileTask, finishTask, isWhole } from "./file-task.ts";
import { releaseFolder } from "./folders.ts";
import type { HardLinks } from "./hard-links.ts";
import type { Failure } from "./jobs.ts";
import type { RestoreRun } from "./run.ts";
import { chunksIn, comparable, type Slice, slicesOf } from "./slice.ts";
import type { WritePool } from "./write-pool.ts";

/** A window is full with this many files or chunks, or with this much content. */
const WINDOW = { files: 512, chunks: 8192, bytes: 128 * 2 ** 20 } as const;

type Window = { slices: Slice[]; chunks: number; bytes: number };

export class FileWriter {
  readonly #run: RestoreRun;
  readonly #reader: VaultReader;
  readonly #links: HardLinks;
  readonly #giver: BlockGiver;
  readonly #zeroIds = new Map<number, Uint8Array>();
  readonly #unfinished = new Set<FileTask>();
  #window: Window = emptyWindow();
  /** Ends when all jobs of the window before are given to workers. */
  #giving: Promise<void> = Promise.resolve();
  #written: FileTask[] = [];

  constructor(run: RestoreRun, reader: VaultReader, pool: WritePool, links: HardLinks) {
    this.#run = run;
    this.#reader = reader;
    this.#giver = new BlockGiver(run, reader, pool, (task, outcome) => this.#answered(task, outcome));
    this.#links = links;
  }

  /** Takes a file, whose folder is held until it is done. Gives a promise when a window is full and the one before it is not done. */
  add(task: FileTask): Promise<void> | undefined {
    task.folder.open++;
    this.#unfinished.add(task);
    if (task.kind === "keep") {
      this.#finish(task);
      return undefined;
    }
    const window = this.#window;
    const { size = 0, indirect } = task.entry;
    const chunks = chunksIn(task);
    const { lengths } = chunks;
    // One that certainly fits takes the short way.
    const fits = window.chunks + lengths.length <= WINDOW.chunks && window.bytes + size <= WINDOW.bytes;
    if (size > 0 && (indirect || !fits)) return this.#addLarge(task);
    const slice = this.#slice(task, chunks, 0, 0);
    slice.to = lengths.length;
    slice.isLast = true;
    window.chunks += lengths.length;
    window.bytes += size;
    return window.slices.length >= WINDOW.files ? this.#next() : undefined;
  }

  /** List by list if it has lists. One that cannot be read fails the file; what fails the run is thrown. */
  async #addLarge(task: FileTask): Promise<void> {
    const runs = contentRuns(this.#reader, task, { signal: this.#run.options.signal });
    const { size = 0 } = task.entry;
    for (let end = 0; end < size; ) {
      let next: IteratorResult<ContentRun>;
      try {
        next = await runs.next();
      } catch (error) {
        if (!isAppError(error) || error.retry) throw error;
        task.failure ??= { code: error.code, detail: error.message };
        this.#slice(task, NOTHING, 0, end).isLast = true;
        break;
      }
      end = await this.#cut(task, next.value);
    }
    if (this.#window.slices.length >= WINDOW.files || this.#window.bytes >= WINDOW.bytes) await this.#next();
  }

  /** Gives where the run ends. */
  async #cut(task: FileTask, run: ContentRun): Promise<number> {
    const { lengths } = run;
    let { offset } = run;
    let slice = this.#slice(task, run, 0, offset);
    for (let i = 0; i < lengths.length; i++) {
      if (this.#window.bytes >= WINDOW.bytes || this.#window.chunks >= WINDOW.chunks) {
        task.inOneWindow = task.inOneWindow && offset === 0;
        await this.#next();
        slice = this.#slice(task, run, i, offset);
      }
      slice.to = i + 1;
      offset += lengths[i]!;
      this.#window.chunks++;
      this.#window.bytes += lengths[i]!;
    }
    slice.isLast = offset === task.entry.size;
    return offset;
  }

  /** Resolves when everything that was added is on the disk or listed as a problem. */
  async flush(): Promise<void> {
    await this.#next();
    await this.#giving;
    await this.#giver.idle();
    this.#giver.check();
    if (this.#run.options.verify) await this.#verify();
  }

  /** After a failure: waits for what is under way, then leaves no unfinished file behind. */
  async abandon(): Promise<void> {
    await this.#giving.catch(() => undefined);
    await this.#giver.idle();
    for (const task of this.#unfinished) discard(task);
  }

  #slice(task: FileTask, { chunkIds, lengths }: ChunkList, from: number, offset: number): Slice {
    const slice: Slice = { task, chunkIds, lengths, from, to: from, offset, isLast: false, same: undefined };
    this.#window.slices.push(slice);
    return slice;
  }

  async #next(): Promise<void> {
    const window = this.#window;
    this.#window = emptyWindow();
    await this.#giving;
    this.#giving = this.#give(window.slices);
    // Whoever waits next sees the failure; until then it must not count as unhandled.
    this.#giving.catch(() => undefined);
  }

  async #give(slices: readonly Slice[]): Promise<void> {
    if (slices.length === 0) return;
    await this.#compare(slices.filter(({ task }) => task.compare));
    if (this.#run.dryRun) {
      for (const slice of slices) if (slice.isLast) this.#finishDry(slice.task);
      return;
    }
    const pieces: Piece<FileTask>[] = [];
    for (const slice of slices) addPieces(slice, slice.task.entry.holes ? await this.#isHole(slice) : never, pieces);
    const { blocks, missing } = planBlocks(pieces, await this.#locate(pieces), isWhole);
    for (const task of missing) task.failure ??= { code: "chunk_missing", detail: missingDetail(task) };
    for (const { whole, pieces } of blocks) {
      for (const task of whole.keys()) task.pending++;
      for (const { file } of pieces) file.pending++;
    }
    const empty = this.#markGiven(slices);
    await this.#giver.give(blocks, empty);
    if (this.#run.options.verify) await this.#verify();
  }

  /** Finishes what needs no write; gives the files that are made without any block. */
  #markGiven(slices: readonly Slice[]): FileTask[] {
    const empty: FileTask[] = [];
    for (const slice of slices) {
      const { task } = slice;
      if (!slice.isLast) continue;
      task.allGiven = true;
      if (task.pending > 0) continue;
      const isUnmade = task.descriptor < 0 && (task.kind === "new" || task.kind === "replace");
      if (isUnmade && !task.failure) {
        task.pending++;
        empty.push(task);
      } else this.#finish(task);
    }
    return empty;
  }

  /** Compares with what is there; a small file that is all the same is kept. */
  async #compare(slices: readonly Slice[]): Promise<void> {
    const answers = await this.#giver.compare(slices.map(comparable));
    for (const [i, slice] of slices.entries()) {
      slice.same = answers[i]!;
      if (slice.same.includes(0)) slice.task.differs = true;
    }
    for (const { task, isLast } of slices) {
      if (isLast && !task.differs && task.inOneWindow && task.kind === "replace") task.kind = "keep";
    }
  }

  /** Tells which chunks of a slice are nothing but a hole: those that lie in one, and hold nothing but zeros. */
  async #isHole({ task, chunkIds, lengths, from, to, offset: start }: Slice): Promise<IsHole> {
    const { holes = [] } = task.entry;
    const found = new Set<number>();
    let offset = start;
    for (let i = from; i < to; i++) {
      const length = lengths[i]!;
      const zeros = liesInHole(holes, offset, offset + length) ? await this.#zeroId(length) : undefined;
      if (zeros && equalBytes(zeros, chunkIds.subarray(i * 32, i * 32 + 32))) found.add(i);
      offset += length;
    }
    return (chunk) => found.has(chunk);
  }

  /** The chunkId of `length` zeros; undefined for more than a block can hold. */
  async #zeroId(length: number): Promise<Uint8Array | undefined> {
    const known = this.#zeroIds.get(length);
    if (known !== undefined || length > BLOCK_LIMITS.payload) return known;
    const { platform, secrets } = this.#reader;
    const prefix = Uint8Array.of(KIND_DATA);
    const id = await platform.primitives.hmacSha256(secrets.writer.chunkIdKey, prefix, new Uint8Array(length));
    if (this.#zeroIds.size < 1024) this.#zeroIds.set(length, id);
    return id;
  }

  /** For each piece the block that holds its chunk. */
  async #locate(pieces: readonly Piece<FileTask>[]): Promise<(BlockLocation | undefined)[]> {
    if (pieces.length === 0) return [];
    const ids = pieces.map(({ chunkIds, chunk }) => chunkIdIn(chunkIds, chunk));
    // Where several blocks hold a chunk, those that the snapshot names are the ones that it was made with.
    const locations = await this.#reader.vault.locateChunks(ids, this.#run.options.snapshot.row.id);
    return locations.map((location) => (location?.kind === KIND_DATA ? location : undefined));
  }

  #answered(task: FileTask, outcome: { readonly bytes: number } | Failure): void {
    if ("bytes" in outcome) {
      task.writtenBytes += outcome.bytes;
      task.countedBytes += outcome.bytes;
      this.#run.progress.writtenBytes += outcome.bytes;
      this.#run.progress.bytes += outcome.bytes;
    } else task.failure ??= outcome;
    task.pending--;
    if (task.pending === 0 && task.allGiven) this.#finish(task);
  }

  #finish(task: FileTask): void {
    this.#unfinished.delete(task);
    if (this.#run.dryRun) {
      this.#countDone(task);
      this.#run.did("unchanged", task.disk);
      this.#settle(task, true);
      return;
    }
    const { kind } = task;
    const stands = finishTask(task, this.#run);
    if (stands) {
      if (kind === "new" || kind === "replace") {
        this.#run.did(task.existing ? "update" : "create", task.disk, task.entry.size ?? 0);
      }
      this.#countDone(task);
      if (this.#run.options.verify && task.writtenBytes > 0) this.#written.push(task);
    }
    this.#settle(task, stands);
  }

  #finishDry(task: FileTask): void {
    if (task.failure) {
      this.#unfinished.delete(task);
      this.#run.problem(task.disk, task.failure.code, task.failure.detail);
      this.#settle(task, false);
      return;
    }
    const isSame = task.kind === "patch" && !task.differs && task.existing?.size === task.entry.size;
    if (task.kind === "keep" || isSame) {
      this.#finish(task);
      return;
    }
    this.#unfinished.delete(task);
    this.#run.did(task.existing ? "update" : "create", task.disk, task.entry.size ?? 0);
    this.#countDone(task);
    this.#settle(task, true);
  }

  #countDone(task: FileTask): void {
    this.#run.progress.files++;
    this.#run.progress.bytes += (task.entry.size ?? 0) - task.countedBytes;
    this.#run.progress.currentPath = task.disk;
  }

  #settle(task: FileTask, stands: boolean): void {
    this.#links.settle(task, stands);
    releaseFolder(task.folder, this.#run);
  }

  /** Reads what was written once more. */
  async #verify(): Promise<void> {
    const tasks = this.#written;
    this.#written = [];
    const different = new Set<FileTask>();
    const compare = async (slices: readonly Slice[]) => {
      const answers = await this.#giver.compare(slices.map(comparable));
      for (const [i, { task }] of slices.entries()) if (answers[i]!.includes(0)) different.add(task);
    };
    await compare(tasks.flatMap((task) => (task.entry.indirect ? [] : [...slicesOf(task, chunksIn(task), 0)])));
    for (const task of tasks) {
      if (!task.entry.indirect) continue;
      const runs = contentRuns(this.#reader, task, { signal: this.#run.options.signal });
      for await (const run of runs) await compare([...slicesOf(task, run, run.offset)]);
    }
    for (const { disk } of different) {
      this.#run.problem(disk, "chunk_corrupt", "what was written reads back different: check the disk");
    }
  }
}

const NOTHING: ChunkList = { chunkIds: new Uint8Array(), lengths: [] };

type IsHole = (chunk: number) => boolean;

const never: IsHole = () => false;

/** What has to be written of a slice: in place only what differs; of a file that is made anew all but what is a hole. */
function addPieces(slice: Slice, isHole: IsHole, pieces: Piece<FileTask>[]): void {
  const { task, chunkIds, lengths, from, to, same } = slice;
  if (task.kind === "keep" || task.failure) return;
  let { offset } = slice;
  for (let i = from; i < to; i++) {
    const length = lengths[i]!;
    const isThere = task.kind === "patch" ? same?.[i - from] === 1 : isHole(i);
    if (!isThere) pieces.push({ file: task, chunkIds, chunk: i, offset, length });
    offset += length;
  }
}

/** A view; most files have one chunk, and its id needs none. */
function chunkIdIn(chunkIds: Uint8Array, chunk: number): ChunkId {
  return (chunkIds.length === 32 ? chunkIds : chunkIds.subarray(chunk * 32, chunk * 32 + 32)) as ChunkId;
}

function emptyWindow(): Window {
  return { slices: [], chunks: 0, bytes: 0 };
}

function missingDetail(task: FileTask): string {
  return new AppError("chunk_missing", { context: { path: rawToText(task.path) } }).message;
}
