// Brings files to the disk, a window of them at a time: compare with what is there, locate all chunks in one call, give each block
// to a worker once. While one window is written the next one is collected. Memory depends on the window, not on the snapshot.

import { AppError } from "../../core/errors.ts";
import type { ChunkId } from "../../core/ids.ts";
import { rawToBytes, rawToText } from "../../core/raw-path.ts";
import { BLOCK_LIMITS } from "../../engine/block.ts";
import { type ChunkKey, chunkKey } from "../../engine/reader/chunk-table.ts";
import type { VaultReader } from "../../engine/reader/reader.ts";
import { type Piece, planBlocks } from "../../engine/restore/block-plan.ts";
import { type BlockLocation, KIND_DATA } from "../../wire/v4/vault-port.ts";
import { BlockGiver } from "./block-giver.ts";
import { discard, type FileTask, finishTask } from "./file-task.ts";
import { releaseFolder } from "./folders.ts";
import type { HardLinks } from "./hard-links.ts";
import type { Failure } from "./jobs.ts";
import type { RestoreRun } from "./run.ts";
import { comparable, isLastOf, isWhole, type Slice, wholeSlice } from "./slice.ts";
import { liesInHole } from "./sparse.ts";
import type { WritePool } from "./write-pool.ts";

/** A window is full with this many files or chunks, or with this much content. */
const WINDOW = { files: 1024, chunks: 8192, bytes: 128 * 2 ** 20 } as const;

type Window = { slices: Slice[]; chunks: number; bytes: number };

export class FileWriter {
  readonly #run: RestoreRun;
  readonly #reader: VaultReader;
  readonly #links: HardLinks;
  readonly #giver: BlockGiver;
  readonly #zeroKeys = new Map<number, ChunkKey>();
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
      for (const slice of slices) if (isLastOf(slice)) this.#finishDry(slice.task);
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
    const answers = await this.#giver.compare(slices.map(comparable));
    for (const [i, slice] of slices.entries()) {
      slice.same = answers[i]!;
      const isSame = slice.same.every((same) => same === 1);
      if (!isSame) slice.task.differs = true;
      else if (isWhole(slice, "replace")) slice.task.kind = "keep";
    }
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
    // Where several blocks hold a chunk, those that the snapshot names are the ones that it was made with.
    const locations = await this.#reader.vault.locateChunks(ids, this.#run.options.snapshot.row.id);
    for (const [i, key] of keys.entries()) {
      const location = locations[i];
      if (location?.kind === KIND_DATA) found.set(key, location);
    }
    return found;
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
    const answers = await this.#giver.compare(tasks.map((task) => comparable(wholeSlice(task))));
    for (const [i, task] of tasks.entries()) {
      if (answers[i]!.every((same) => same === 1)) continue;
      this.#run.problem(task.disk, "chunk_corrupt", "what was written reads back different: check the disk");
    }
  }
}

function emptyWindow(): Window {
  return { slices: [], chunks: 0, bytes: 0 };
}

function missingDetail(task: FileTask): string {
  return new AppError("chunk_missing", { context: { path: rawToText(task.path) } }).message;
}
