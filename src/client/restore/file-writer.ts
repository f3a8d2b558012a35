// Brings files to the disk, a window of them at a time: compare with what is there, locate all chunks in one call, open each block
// once on a worker, write. While one window is written the next one is collected. Memory depends on the window, not on the snapshot.

import { AppError, isAppError, throwIfAborted } from "../../core/errors.ts";
import type { ChunkId, SessionId } from "../../core/ids.ts";
import { rawToBytes, rawToText } from "../../core/raw-path.ts";
import { type ChunkKey, chunkKey } from "../../engine/reader/block-cache.ts";
import { fetchEach } from "../../engine/reader/fetch.ts";
import type { VaultReader } from "../../engine/reader/reader.ts";
import { type BlockWork, type Piece, planBlocks } from "../../engine/restore/block-plan.ts";
import { type BlockLocation, KIND_DATA } from "../../wire/v4/vault-port.ts";
import { descriptorOf, discard, type FileTask, finishTask, metadataOfNew } from "./file-task.ts";
import { releaseFolder } from "./folders.ts";
import type { HardLinks } from "./hard-links.ts";
import type { CompareJob, Failure, FilePiece, SealedWork, WholeFile } from "./jobs.ts";
import { type RestoreRun, temporaryBeside } from "./run.ts";
import { holesWithin } from "./sparse.ts";
import type { WritePool } from "./write-pool.ts";

/** A window is full with this many files or chunks, or with this much content. */
const WINDOW = { files: 8192, chunks: 16384, bytes: 256 * 2 ** 20 } as const;
const EMPTY_FILES_PER_JOB = 256;
const COMPARE_JOB = { files: 256, bytes: 32 * 2 ** 20 } as const;

/** Consecutive chunks of one file that are in one window; all of them unless the file is larger than a window. */
type Slice = {
  readonly task: FileTask;
  readonly keys: ChunkKey[];
  readonly offsets: number[];
  readonly lengths: number[];
  /** It starts at the first chunk. */
  readonly first: boolean;
  /** It ends with the last one. */
  last: boolean;
  /** One a chunk: 1 where the disk has it already. */
  same: Uint8Array | undefined;
};

type Window = { slices: Slice[]; chunks: number; bytes: number };

export class FileWriter {
  readonly #run: RestoreRun;
  readonly #reader: VaultReader;
  readonly #pool: WritePool;
  readonly #links: HardLinks;
  readonly #zeroKeys = new Map<number, ChunkKey>();
  readonly #unfinished = new Set<FileTask>();
  #window: Window = emptyWindow();
  #writing: Promise<void> = Promise.resolve();
  #written: FileTask[] = [];

  constructor(run: RestoreRun, reader: VaultReader, pool: WritePool, links: HardLinks) {
    this.#run = run;
    this.#reader = reader;
    this.#pool = pool;
    this.#links = links;
  }

  /** Takes a file; waits when a window is full and the one before it is not done. Its folder is held until it is. */
  async add(task: FileTask): Promise<void> {
    task.folder.open++;
    this.#unfinished.add(task);
    if (task.kind === "keep") {
      this.#finish(task);
      return;
    }
    const { chunkIds = new Uint8Array(), chunkLengths = [] } = task.entry;
    let slice = this.#slice(task, true);
    let offset = 0;
    for (let i = 0; i < chunkLengths.length; i++) {
      if (this.#window.bytes >= WINDOW.bytes || this.#window.chunks >= WINDOW.chunks) {
        await this.#next();
        slice = this.#slice(task, false);
      }
      slice.keys.push(chunkKey(chunkIds, i));
      slice.offsets.push(offset);
      slice.lengths.push(chunkLengths[i]!);
      offset += chunkLengths[i]!;
      this.#window.chunks++;
      this.#window.bytes += chunkLengths[i]!;
    }
    slice.last = true;
    if (this.#window.slices.length >= WINDOW.files || this.#window.bytes >= WINDOW.bytes) await this.#next();
  }

  /** Resolves when everything that was added is on the disk or listed as a problem. */
  async flush(): Promise<void> {
    await this.#next();
    await this.#writing;
  }

  /** After a failure: waits for what is under way, then leaves no unfinished file behind. */
  async abandon(): Promise<void> {
    await this.#writing.catch(() => undefined);
    for (const task of this.#unfinished) discard(task);
  }

  #slice(task: FileTask, first: boolean): Slice {
    const slice: Slice = { task, keys: [], offsets: [], lengths: [], first, last: false, same: undefined };
    this.#window.slices.push(slice);
    return slice;
  }

  async #next(): Promise<void> {
    const window = this.#window;
    this.#window = emptyWindow();
    await this.#writing;
    this.#writing = this.#write(window.slices);
    // Whoever waits next sees the failure; until then it must not count as unhandled.
    this.#writing.catch(() => undefined);
  }

  async #write(slices: readonly Slice[]): Promise<void> {
    if (slices.length === 0) return;
    throwIfAborted(this.#run.options.signal);
    await this.#compare(slices.filter(({ task }) => task.compare));
    if (this.#run.dryRun) {
      for (const slice of slices) if (slice.last) this.#finishDry(slice);
      return;
    }
    const byTask = new Map(slices.map((slice) => [slice.task, slice]));
    const pieces: Piece<FileTask>[] = [];
    for (const slice of slices) await this.#addPieces(slice, pieces);
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
    this.#run.tick();
  }

  /** Finishes what needs no write; gives the files that are made without any block. */
  #markGiven(slices: readonly Slice[]): FileTask[] {
    const empty: FileTask[] = [];
    for (const slice of slices) {
      const { task } = slice;
      if (!slice.last) continue;
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
    const answers = await this.#compareFiles(
      slices.map(({ task, keys, offsets, lengths }) => ({ path: task.disk, chunks: keys, offsets, lengths })),
    );
    for (const [i, slice] of slices.entries()) {
      slice.same = answers[i]!;
      if (isWhole(slice, "replace") && slice.same.every((same) => same === 1)) slice.task.kind = "keep";
    }
  }

  async #compareFiles(files: CompareJob["files"]): Promise<Uint8Array[]> {
    const answers: Promise<readonly Uint8Array[]>[] = [];
    for (const part of splitFiles(files)) {
      await this.#pool.room();
      throwIfAborted(this.#run.options.signal);
      const answer = this.#pool.compare({ kind: "compare", files: part }).then(({ same }) => same);
      answer.catch(() => undefined);
      answers.push(answer);
    }
    return (await Promise.all(answers)).flat();
  }

  /** What has to be written of a slice. Chunks that are nothing but a recorded hole are not fetched. */
  async #addPieces({ task, keys, offsets, lengths, same }: Slice, pieces: Piece<FileTask>[]): Promise<void> {
    if (task.kind === "keep" || task.failure) return;
    for (const [i, key] of keys.entries()) {
      // A file that is made anew needs all of its chunks.
      if (task.kind === "patch" && same?.[i] === 1) continue;
      const offset = offsets[i]!;
      const length = lengths[i]!;
      if (task.kind !== "patch" && liesInHole(task, offset, length) && key === (await this.#zeroKey(length))) continue;
      pieces.push({ file: task, key, offset, length });
    }
  }

  /** The chunkId of `length` zeros. */
  async #zeroKey(length: number): Promise<ChunkKey> {
    const known = this.#zeroKeys.get(length);
    if (known !== undefined) return known;
    const { platform, secrets } = this.#reader;
    const zeros = new Uint8Array(Math.min(length, 2 ** 24));
    const prefix = Uint8Array.of(KIND_DATA);
    const key = chunkKey(await platform.primitives.hmacSha256(secrets.writer.chunkIdKey, prefix, zeros));
    if (this.#zeroKeys.size < 1024) this.#zeroKeys.set(length, key);
    return key;
  }

  async #locate(pieces: readonly Piece<FileTask>[]): Promise<ReadonlyMap<ChunkKey, BlockLocation>> {
    const keys = [...new Set(pieces.map(({ key }) => key))];
    const found = new Map<ChunkKey, BlockLocation>();
    if (keys.length === 0) return found;
    const locations = await this.#reader.vault.locateChunks(keys.map((key) => rawToBytes(key) as ChunkId));
    for (const [i, key] of keys.entries()) {
      const location = locations[i];
      if (location?.kind === KIND_DATA) found.set(key, location);
    }
    return found;
  }

  /** Gives all blocks to the workers and waits for the answers, also when something ends it early. */
  async #dispatch(blocks: readonly BlockWork<FileTask>[], empty: readonly FileTask[]): Promise<void> {
    const jobs: Promise<void>[] = [];
    let failure: { readonly error: unknown } | undefined;
    const start = (job: Promise<void>) => {
      jobs.push(
        job.catch((error: unknown) => {
          failure ??= { error };
        }),
      );
    };
    try {
      for (let at = 0; at < empty.length; at += EMPTY_FILES_PER_JOB) {
        await this.#pool.room();
        const part = empty.slice(at, at + EMPTY_FILES_PER_JOB).map((task) => [task, []] as const);
        start(this.#writeJob(undefined, new Map(part), []));
      }
      await this.#reader.sessionKeys.prepare(blocks.map(({ location }) => location.session));
      let next = 0;
      for await (const { sealed, error } of fetchEach(
        this.#reader.vault,
        blocks.map(({ location }) => location),
      )) {
        throwIfAborted(this.#run.options.signal);
        const work = blocks[next++]!;
        await this.#pool.room();
        if (failure) break;
        if (error) this.#failWork(work, { code: error.code, detail: error.message });
        else start(this.#writeBlock(work, sealed));
      }
    } catch (error) {
      failure ??= { error };
    }
    await Promise.all(jobs);
    if (failure) throw failure.error;
  }

  async #writeBlock(work: BlockWork<FileTask>, sealed: Uint8Array<ArrayBuffer>): Promise<void> {
    const { session, kind, counter, blockNo } = work.location;
    const key = await this.#sessionKey(session, work);
    if (key) await this.#writeJob({ sealed, key, session, kind, counter, blockNo }, work.whole, work.pieces);
  }

  async #sessionKey(session: SessionId, work: BlockWork<FileTask>): Promise<Uint8Array | undefined> {
    try {
      return await this.#reader.sessionKeys.get(session);
    } catch (error) {
      if (!isAppError(error)) throw error;
      this.#failWork(work, { code: error.code, detail: error.message });
      return undefined;
    }
  }

  async #writeJob(
    block: SealedWork | undefined,
    whole: ReadonlyMap<FileTask, readonly Piece<FileTask>[]>,
    pieces: readonly Piece<FileTask>[],
  ): Promise<void> {
    const tasks = [...whole.keys()];
    const opened = pieces.map((piece) => filePiece(piece));
    const ready = pieces.filter((_, i) => opened[i]);
    const reply = await this.#pool.write({
      kind: "write",
      block,
      whole: tasks.map((task) => this.#wholeFile(task, whole.get(task)!)),
      pieces: opened.filter((piece) => piece !== undefined),
    });
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
  }

  #wholeFile(task: FileTask, pieces: readonly Piece<FileTask>[]): WholeFile {
    return {
      ...metadataOfNew(task, this.#run),
      path: task.disk,
      temporary: task.kind === "replace" ? temporaryBeside(task.disk) : undefined,
      size: task.entry.size ?? 0,
      chunks: pieces.map(({ key }) => key),
      offsets: pieces.map(({ offset }) => offset),
      lengths: pieces.map(({ length }) => length),
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
    this.#links.settle(task.target, stands);
    releaseFolder(task.folder, this.#run);
  }

  /** Reads what was written once more. */
  async #verify(): Promise<void> {
    const tasks = this.#written;
    this.#written = [];
    const answers = await this.#compareFiles(tasks.map(comparable));
    for (const [i, task] of tasks.entries()) {
      if (answers[i]!.every((same) => same === 1)) continue;
      this.#run.problem(task.disk, "chunk_corrupt", "what was written reads back different: check the disk");
    }
  }
}

function emptyWindow(): Window {
  return { slices: [], chunks: 0, bytes: 0 };
}

/** Everything of a file that is made anew is in this slice. */
function isWhole({ task, first, last }: Slice, kind?: FileTask["kind"]): boolean {
  return first && last && (kind ? task.kind === kind : task.kind !== "patch");
}

function liesInHole(task: FileTask, offset: number, length: number): boolean {
  return (
    task.entry.holes?.some((hole) => hole.offset <= offset && offset + length <= hole.offset + hole.length) ?? false
  );
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

function comparable(task: FileTask): CompareJob["files"][number] {
  const { chunkIds = new Uint8Array(), chunkLengths = [] } = task.entry;
  let end = 0;
  const offsets = chunkLengths.map((length) => {
    end += length;
    return end - length;
  });
  return {
    path: task.disk,
    chunks: chunkLengths.map((_, i) => chunkKey(chunkIds, i)),
    offsets,
    lengths: chunkLengths,
  };
}

function* splitFiles(files: CompareJob["files"]): Generator<CompareJob["files"]> {
  let part: CompareJob["files"][number][] = [];
  let bytes = 0;
  for (const { path, chunks, offsets, lengths } of files) {
    part.push({ path, chunks, offsets, lengths });
    for (const length of lengths) bytes += length;
    if (part.length < COMPARE_JOB.files && bytes < COMPARE_JOB.bytes) continue;
    yield part;
    part = [];
    bytes = 0;
  }
  if (part.length > 0) yield part;
}
