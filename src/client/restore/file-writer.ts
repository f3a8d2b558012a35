// Brings files to the disk, a window of them at a time: compare with what is there, locate all chunks in one call, give each block
// to a worker once. While one window is written the next one is collected. Memory depends on the window, not on the snapshot.

import { AppError, isAppError, throwIfAborted } from "../../core/errors.ts";
import type { ChunkId, SessionId } from "../../core/ids.ts";
import { rawToBytes, rawToText } from "../../core/raw-path.ts";
import { BLOCK_LIMITS } from "../../engine/block.ts";
import { type ChunkKey, chunkKey } from "../../engine/reader/chunk-table.ts";
import { fetchEach } from "../../engine/reader/fetch.ts";
import type { VaultReader } from "../../engine/reader/reader.ts";
import { type BlockWork, type Piece, planBlocks } from "../../engine/restore/block-plan.ts";
import { decodeRefs } from "../../wire/v4/refs.ts";
import type { Hole } from "../../wire/v4/tree-types.ts";
import { type BlockLocation, KIND_DATA } from "../../wire/v4/vault-port.ts";
import { descriptorOf, discard, type FileTask, finishTask, metadataOfNew } from "./file-task.ts";
import { releaseFolder } from "./folders.ts";
import type { HardLinks } from "./hard-links.ts";
import type { CompareJob, Failure, FilePiece, SealedWork, WholeFile, WriteJob } from "./jobs.ts";
import { type RestoreRun, temporaryBeside } from "./run.ts";
import { holesWithin } from "./sparse.ts";
import type { Thread, WritePool } from "./write-pool.ts";

/** A window is full with this many files or chunks, or with this much content. */
const WINDOW = { files: 1024, chunks: 8192, bytes: 128 * 2 ** 20 } as const;
const EMPTY_FILES_PER_JOB = 256;
const COMPARE_JOB = { files: 256, bytes: 32 * 2 ** 20 } as const;

/** Chunks [from, to) of one file that are in one window; all of them unless the file is larger than a window. */
type Slice = {
  readonly task: FileTask;
  readonly from: number;
  to: number;
  /** Where chunk `from` lies in the file. */
  readonly offset: number;
  /** One a chunk: 1 where the disk has it already. */
  same: Uint8Array | undefined;
};

type Window = { slices: Slice[]; chunks: number; bytes: number };

export class FileWriter {
  readonly #run: RestoreRun;
  readonly #reader: VaultReader;
  readonly #pool: WritePool;
  readonly #links: HardLinks;
  /** Blocks that the snapshot names: where several hold a chunk, those are the ones that it was made with. */
  readonly #refs: ReadonlySet<number>;
  readonly #keys = new Map<SessionId, Uint8Array>();
  readonly #zeroKeys = new Map<number, ChunkKey>();
  readonly #unfinished = new Set<FileTask>();
  #window: Window = emptyWindow();
  /** Ends when all jobs of the window before are given to workers. */
  #giving: Promise<void> = Promise.resolve();
  readonly #jobs = new Set<Promise<unknown>>();
  #failure: { readonly error: unknown } | undefined;
  #written: FileTask[] = [];

  constructor(run: RestoreRun, reader: VaultReader, pool: WritePool, links: HardLinks) {
    this.#run = run;
    this.#reader = reader;
    this.#pool = pool;
    this.#links = links;
    this.#refs = new Set(decodeRefs(run.options.snapshot.record.refs));
  }

  /** Takes a file; waits when a window is full and the one before it is not done. Its folder is held until it is. */
  async add(task: FileTask): Promise<void> {
    task.folder.open++;
    this.#unfinished.add(task);
    if (task.kind === "keep") {
      this.#finish(task);
      return;
    }
    const lengths = task.entry.chunkLengths ?? [];
    let slice = this.#slice(task, 0, 0);
    let offset = 0;
    for (let i = 0; i < lengths.length; i++) {
      if (this.#window.bytes >= WINDOW.bytes || this.#window.chunks >= WINDOW.chunks) {
        await this.#next();
        slice = this.#slice(task, i, offset);
      }
      slice.to = i + 1;
      offset += lengths[i]!;
      this.#window.chunks++;
      this.#window.bytes += lengths[i]!;
    }
    if (this.#window.slices.length >= WINDOW.files || this.#window.bytes >= WINDOW.bytes) await this.#next();
  }

  /** Resolves when everything that was added is on the disk or listed as a problem. */
  async flush(): Promise<void> {
    await this.#next();
    await this.#giving;
    await this.#idle();
    if (this.#failure) throw this.#failure.error;
    if (this.#run.options.verify) await this.#verify();
  }

  /** After a failure: waits for what is under way, then leaves no unfinished file behind. */
  async abandon(): Promise<void> {
    await this.#giving.catch(() => undefined);
    await this.#idle();
    for (const task of this.#unfinished) discard(task);
  }

  async #idle(): Promise<void> {
    while (this.#jobs.size > 0) await Promise.all(this.#jobs);
  }

  /** Starts a job; its failure ends the run at the next look. */
  #start(job: Promise<unknown>): void {
    const watched: Promise<unknown> = job
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#jobs.delete(watched));
    this.#jobs.add(watched);
  }

  /** Waits until a worker has room. Throws what ends the run. */
  async #room(blockNo?: number): Promise<Thread> {
    const thread = await this.#pool.room(blockNo);
    if (this.#failure) throw this.#failure.error;
    throwIfAborted(this.#run.options.signal);
    return thread;
  }

  #slice(task: FileTask, from: number, offset: number): Slice {
    const slice: Slice = { task, from, to: from, offset, same: undefined };
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
      for (const slice of slices) if (isLastOf(slice)) this.#finishDry(slice);
      return;
    }
    const byTask = new Map(slices.map((slice) => [slice.task, slice]));
    const pieces: Piece<FileTask>[] = [];
    for (const slice of slices) {
      if (slice.to > slice.from) await this.#addPieces(slice, pieces);
    }
    const locations = await this.#locate(pieces);
    const { blocks, missing } = planBlocks(
      pieces,
      (key) => locations.get(key),
      (task) => isWhole(byTask.get(task)!),
    );
    for (const task of missing) fail(task, { code: "chunk_missing", detail: missingDetail(task) });
    for (const { whole, pieces } of blocks) {
      for (const task of whole.keys()) task.pending++;
      for (const { file } of pieces) file.pending++;
    }
    const empty = this.#markGiven(slices);
    await this.#dispatch(blocks, empty);
    if (this.#run.options.verify) await this.#verify();
  }

  /** Finishes what needs no write; gives the files that are made without any block. */
  #markGiven(slices: readonly Slice[]): FileTask[] {
    const empty: FileTask[] = [];
    for (const slice of slices) {
      const { task } = slice;
      if (!isLastOf(slice)) continue;
      task.allGiven = true;
      if (task.pending > 0) continue;
      if (isWhole(slice) && !task.failure && task.kind !== "keep") {
        task.pending++;
        empty.push(task);
      } else this.#finish(task);
    }
    return empty;
  }

  /** Compares with what is there; a small file that is all the same is kept. */
  async #compare(slices: readonly Slice[]): Promise<void> {
    const answers = await this.#compareFiles(slices.map(comparable));
    for (const [i, slice] of slices.entries()) {
      slice.same = answers[i]!;
      if (isWhole(slice, "replace") && slice.same.every((same) => same === 1)) slice.task.kind = "keep";
    }
  }

  async #compareFiles(files: CompareJob["files"]): Promise<Uint8Array[]> {
    const answers: Promise<readonly Uint8Array[]>[] = [];
    for (const part of splitFiles(files)) {
      await this.#room();
      const answer = this.#pool.compare({ kind: "compare", files: part }).then(({ same }) => same);
      answer.catch(() => undefined);
      answers.push(answer);
    }
    return (await Promise.all(answers)).flat();
  }

  /** What has to be written of a slice. */
  async #addPieces({ task, from, to, offset: start, same }: Slice, pieces: Piece<FileTask>[]): Promise<void> {
    if (task.kind === "keep" || task.failure) return;
    const { chunkIds, chunkLengths, holes } = task.entry;
    let offset = start;
    for (let i = from; i < to; i++) {
      const length = chunkLengths![i]!;
      const piece = { file: task, key: chunkKey(chunkIds!, i), offset, length };
      offset += length;
      // In place only what differs; a file that is made anew needs all of its chunks but those that are nothing but a hole.
      if (task.kind === "patch") {
        if (same?.[i - from] !== 1) pieces.push(piece);
      } else if (!(liesInHole(holes, piece.offset, length) && piece.key === (await this.#zeroKey(length)))) {
        pieces.push(piece);
      }
    }
  }

  /** The chunkId of `length` zeros; undefined for more than a block can hold. */
  async #zeroKey(length: number): Promise<ChunkKey | undefined> {
    const known = this.#zeroKeys.get(length);
    if (known !== undefined || length > BLOCK_LIMITS.payload) return known;
    const { platform, secrets } = this.#reader;
    const zeros = new Uint8Array(length);
    const prefix = Uint8Array.of(KIND_DATA);
    const key = chunkKey(await platform.primitives.hmacSha256(secrets.writer.chunkIdKey, prefix, zeros));
    if (this.#zeroKeys.size < 1024) this.#zeroKeys.set(length, key);
    return key;
  }

  async #locate(pieces: readonly Piece<FileTask>[]): Promise<ReadonlyMap<ChunkKey, BlockLocation>> {
    const keys = [...new Set(pieces.map(({ key }) => key))];
    const found = new Map<ChunkKey, BlockLocation>();
    if (keys.length === 0) return found;
    const ids = keys.map((key) => rawToBytes(key) as ChunkId);
    const locations = await this.#reader.vault.locateChunks(ids, this.#refs);
    for (const [i, key] of keys.entries()) {
      const location = locations[i];
      if (location?.kind === KIND_DATA) found.set(key, location);
    }
    return found;
  }

  /** Gives all blocks to the workers: first those that a worker still has open from the window before. */
  async #dispatch(blocks: readonly BlockWork<FileTask>[], empty: readonly FileTask[]): Promise<void> {
    for (let at = 0; at < empty.length; at += EMPTY_FILES_PER_JOB) {
      const thread = await this.#room();
      const part = empty.slice(at, at + EMPTY_FILES_PER_JOB).map((task) => [task, []] as const);
      this.#start(this.#writeJob(thread, undefined, new Map(part), []));
    }
    const readable = await this.#openKeys(blocks);
    const open = new Set(readable.filter(({ location }) => this.#pool.isOpen(location.blockNo)));
    for (const work of open) {
      const { blockNo } = work.location;
      const thread = await this.#room(blockNo);
      if (thread.open.has(blockNo)) this.#start(this.#writeBlock(thread, work, undefined));
      else await this.#fetch([work]);
    }
    await this.#fetch(readable.filter((work) => !open.has(work)));
  }

  /** The blocks whose session key opens; the files of the others fail. */
  async #openKeys(blocks: readonly BlockWork<FileTask>[]): Promise<BlockWork<FileTask>[]> {
    const { sessionKeys } = this.#reader;
    await sessionKeys.prepare(blocks.map(({ location }) => location.session));
    const readable: BlockWork<FileTask>[] = [];
    for (const work of blocks) {
      const { session } = work.location;
      try {
        if (!this.#keys.has(session)) this.#keys.set(session, await sessionKeys.get(session));
        readable.push(work);
      } catch (error) {
        if (!isAppError(error)) throw error;
        this.#failWork(work, { code: error.code, detail: error.message });
      }
    }
    return readable;
  }

  async #fetch(blocks: readonly BlockWork<FileTask>[]): Promise<void> {
    let next = 0;
    const locations = blocks.map(({ location }) => location);
    for await (const { sealed, error } of fetchEach(this.#reader.vault, locations)) {
      const work = blocks[next++]!;
      const thread = await this.#room();
      if (error) this.#failWork(work, { code: error.code, detail: error.message });
      else this.#start(this.#writeBlock(thread, work, sealed));
    }
  }

  /** Without `sealed` the thread is thought to have the block open; when it has not, the block is fetched after all. */
  async #writeBlock(
    thread: Thread,
    work: BlockWork<FileTask>,
    sealed: Uint8Array<ArrayBuffer> | undefined,
  ): Promise<void> {
    const { session, kind, counter, blockNo } = work.location;
    const key = this.#keys.get(session)!;
    const block = { sealed, key, session, kind, counter, blockNo };
    if (await this.#writeJob(thread, block, work.whole, work.pieces)) return;
    for await (const fetched of fetchEach(this.#reader.vault, [work.location])) {
      if (fetched.error) this.#failWork(work, { code: fetched.error.code, detail: fetched.error.message });
      else await this.#writeJob(thread, { ...block, sealed: fetched.sealed }, work.whole, work.pieces);
    }
  }

  /** False when the worker had not got the block: nothing was done. */
  async #writeJob(
    thread: Thread,
    block: SealedWork | undefined,
    whole: ReadonlyMap<FileTask, readonly Piece<FileTask>[]>,
    pieces: readonly Piece<FileTask>[],
  ): Promise<boolean> {
    const tasks = [...whole.keys()];
    const opened = pieces.map((piece) => filePiece(piece));
    const ready = pieces.filter((_, i) => opened[i]);
    const job: WriteJob = {
      kind: "write",
      block,
      whole: tasks.map((task) => this.#wholeFile(task, whole.get(task)!)),
      pieces: opened.filter((piece) => piece !== undefined),
    };
    const reply = await this.#pool.write(job, thread);
    if (reply.isMissing) return false;
    for (const [i, piece] of ready.entries()) {
      if (reply.pieces[i]) fail(piece.file, reply.pieces[i]);
      else this.#count(piece.file, piece.length);
    }
    for (const { file } of pieces) this.#answered(file);
    for (const [i, task] of tasks.entries()) {
      if (reply.whole[i]) fail(task, reply.whole[i]);
      else this.#count(task, task.entry.size ?? 0);
      this.#answered(task);
    }
    this.#run.tick();
    return true;
  }

  #wholeFile(task: FileTask, pieces: readonly Piece<FileTask>[]): WholeFile {
    return {
      ...metadataOfNew(task, this.#run),
      path: task.disk,
      temporary: task.kind === "replace" ? temporaryBeside(task.disk) : undefined,
      size: task.entry.size ?? 0,
      chunks: pieces.map(({ key }) => key),
      ranges:
        pieces.length > 1 || task.entry.holes ? pieces.map(({ offset, length }) => ({ offset, length })) : undefined,
      holes: task.entry.holes,
      sparse: task.sparse,
    };
  }

  #failWork({ whole, pieces }: BlockWork<FileTask>, failure: Failure): void {
    for (const task of whole.keys()) {
      fail(task, failure);
      this.#answered(task);
    }
    for (const { file } of pieces) {
      fail(file, failure);
      this.#answered(file);
    }
  }

  #count(task: FileTask, bytes: number): void {
    task.writtenBytes += bytes;
    task.countedBytes += bytes;
    this.#run.progress.writtenBytes += bytes;
    this.#run.progress.bytes += bytes;
  }

  #answered(task: FileTask): void {
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

  #finishDry({ task, same }: Slice): void {
    if (task.kind === "keep" || (task.kind === "patch" && same?.every((one) => one === 1))) {
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
    const answers = await this.#compareFiles(tasks.map((task) => comparable(wholeSlice(task))));
    for (const [i, task] of tasks.entries()) {
      if (answers[i]!.every((same) => same === 1)) continue;
      this.#run.problem(task.disk, "chunk_corrupt", "what was written reads back different: check the disk");
    }
  }
}

function emptyWindow(): Window {
  return { slices: [], chunks: 0, bytes: 0 };
}

function wholeSlice(task: FileTask): Slice {
  return { task, from: 0, to: task.entry.chunkLengths?.length ?? 0, offset: 0, same: undefined };
}

function isLastOf({ task, to }: Slice): boolean {
  return to === (task.entry.chunkLengths?.length ?? 0);
}

/** Everything of a file that is made anew is in this slice. */
function isWhole(slice: Slice, kind?: FileTask["kind"]): boolean {
  const { task, from } = slice;
  return from === 0 && isLastOf(slice) && (kind ? task.kind === kind : task.kind !== "patch");
}

function liesInHole(holes: readonly Hole[] | undefined, offset: number, length: number): boolean {
  return holes?.some((hole) => hole.offset <= offset && offset + length <= hole.offset + hole.length) ?? false;
}

function fail(task: FileTask, failure: Failure): void {
  task.failure ??= failure;
}

function missingDetail(task: FileTask): string {
  return new AppError("chunk_missing", { context: { path: rawToText(task.path) } }).message;
}

/** Opens the file if it is not open. */
function filePiece({ file, key, offset, length }: Piece<FileTask>): FilePiece | undefined {
  const descriptor = descriptorOf(file);
  if (descriptor === undefined) return undefined;
  const holes = file.kind === "patch" ? undefined : holesWithin(file.entry.holes, offset, offset + length);
  return { descriptor, chunk: key, offset, length, holes, sparse: file.sparse };
}

function comparable({ task, from, to, offset }: Slice): CompareJob["files"][number] {
  const { chunkIds = new Uint8Array(), chunkLengths = [] } = task.entry;
  const lengths = chunkLengths.slice(from, to);
  return { path: task.disk, chunks: lengths.map((_, i) => chunkKey(chunkIds, from + i)), offset, lengths };
}

function* splitFiles(files: CompareJob["files"]): Generator<CompareJob["files"]> {
  let part: CompareJob["files"][number][] = [];
  let bytes = 0;
  for (const file of files) {
    part.push(file);
    for (const length of file.lengths) bytes += length;
    if (part.length < COMPARE_JOB.files && bytes < COMPARE_JOB.bytes) continue;
    yield part;
    part = [];
    bytes = 0;
  }
  if (part.length > 0) yield part;
}
