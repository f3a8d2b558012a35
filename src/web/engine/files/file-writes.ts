// Puts the contents of files where they belong, block by block in the order in which blocks lie in the vault: each block is fetched and
// opened once for all the files of a batch that need it. A file's stream takes its pieces in any order.

import { releaseBytes } from "../../../core/bytes.ts";
import { AppError, isAppError } from "../../../core/errors.ts";
import type { ChunkId } from "../../../core/ids.ts";
import { type RawPath, rawToText } from "../../../core/raw-path.ts";
import { contentRuns } from "../../../engine/reader/content-runs.ts";
import type { VaultReader } from "../../../engine/reader/reader.ts";
import { Slots } from "../../../engine/remote/slots.ts";
import { type BlockPlan, type BlockWork, type Piece, planBlocks } from "../../../engine/restore/block-plan.ts";
import { chunkIdAt, type TreeEntry } from "../../../wire/v4/tree-types.ts";
import { chunkOf, type MaybeOpened, openBlocks } from "../open-blocks.ts";

/** Where the bytes of one file go. `write` may be called again before the last one has ended. */
export type FileSink = {
  write(position: number, data: Uint8Array): Promise<void>;
  /** All bytes are written. `content` tells them, for a sink that reads them again. */
  close(content: readonly ContentPiece[]): Promise<void>;
  /** Nothing shall stay of it. */
  abort(): Promise<void>;
};

export type ContentPiece = { readonly id: ChunkId; readonly length: number };

export type FileJob = {
  readonly path: RawPath;
  readonly entry: TreeEntry;
  open(): Promise<FileSink>;
  /** It could not be had whole; its sink is gone. */
  onFailed(error: AppError): void;
  onDone(): void;
};

export type WriteOptions = {
  readonly signal: AbortSignal;
  readonly onBytes: (count: number) => void;
};

/** One plan each: plaintext, and pieces. */
const BATCH_BYTES = 64 * 2 ** 20;
const BATCH_PIECES = 4096;
/** Small files that are being opened, written and closed. */
const FILES_AT_ONCE = 8;

/** Throws only what concerns all files: a lost server, `interrupted`. */
export async function writeFiles(
  reader: VaultReader,
  jobs: AsyncIterable<FileJob>,
  options: WriteOptions,
): Promise<void> {
  const run = new WriteRun(reader, options);
  try {
    for await (const job of jobs) await run.take(job);
    await run.end();
  } catch (error) {
    await run.abort();
    throw error;
  }
}

/** A file under way. */
class Task {
  readonly job: FileJob;
  readonly content: ContentPiece[] = [];
  /** Pieces that are neither written nor given up. */
  pending = 0;
  isListed = false;
  error: AppError | undefined;
  #sink: Promise<FileSink> | undefined;

  constructor(job: FileJob) {
    this.job = job;
  }

  sink(): Promise<FileSink> {
    this.#sink ??= this.job.open();
    return this.#sink;
  }

  async drop(): Promise<void> {
    const sink = await this.#sink?.catch(() => undefined);
    await sink?.abort().catch(() => undefined);
  }
}

class WriteRun {
  readonly #reader: VaultReader;
  readonly #options: WriteOptions;
  readonly #slots = new Slots(FILES_AT_ONCE);
  readonly #tasks = new Set<Task>();
  #pieces: Piece<Task>[] = [];
  #batchBytes = 0;
  /** The batch that is being written, while the next one is gathered. */
  #writing: Promise<void> = Promise.resolve();

  constructor(reader: VaultReader, options: WriteOptions) {
    this.#reader = reader;
    this.#options = options;
  }

  async take(job: FileJob): Promise<void> {
    const task = new Task(job);
    this.#tasks.add(task);
    try {
      for await (const { chunkIds, lengths, offset } of contentRuns(this.#reader, job, this.#options)) {
        let at = offset;
        for (const [chunk, length] of lengths.entries()) {
          task.content.push({ id: chunkIdAt(chunkIds, chunk), length });
          task.pending++;
          this.#pieces.push({ file: task, chunk, chunkIds, offset: at, length });
          this.#batchBytes += length;
          at += length;
          if (this.#batchBytes >= BATCH_BYTES || this.#pieces.length >= BATCH_PIECES) await this.#flush();
        }
      }
    } catch (error) {
      task.error ??= ofThisFile(error);
    }
    task.isListed = true;
    await this.#endIfDone(task);
  }

  async end(): Promise<void> {
    await this.#flush();
    await this.#writing;
  }

  async abort(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await Promise.all([...this.#tasks].map((task) => task.drop()));
  }

  async #flush(): Promise<void> {
    const pieces = this.#pieces;
    if (pieces.length === 0) return;
    this.#pieces = [];
    this.#batchBytes = 0;
    const locations = await this.#reader.locate(pieces.map(({ chunk, chunkIds }) => chunkIdAt(chunkIds, chunk)));
    const plan = planBlocks(pieces, locations, (task) => task.isListed && task.content.length === task.pending);
    const blocks = openBlocks(
      this.#reader,
      plan.blocks.map(({ location }) => location),
      this.#options.signal,
    );
    // Its first blocks are on their way while the last ones of the batch before are being written.
    const first = blocks.next();
    first.catch(() => undefined);
    try {
      await this.#writing;
    } catch (error) {
      await blocks.return(undefined).catch(() => undefined);
      throw error;
    }
    this.#writing = this.#write(plan, pieces, startingWith(first, blocks));
    this.#writing.catch(() => undefined);
  }

  async #write(
    { blocks, missing }: BlockPlan<Task>,
    pieces: readonly Piece<Task>[],
    opening: AsyncIterable<MaybeOpened>,
  ): Promise<void> {
    for (const task of missing) {
      task.error ??= new AppError("chunk_missing", { context: { path: rawToText(task.job.path) } });
      task.pending -= pieces.filter(({ file }) => file === task).length;
      await this.#endIfDone(task);
    }
    const works = new Map(blocks.map((work) => [work.location.blockNo, work]));
    const under: Promise<void>[] = [];
    for await (const { location, opened, error } of opening) {
      const work = works.get(location.blockNo)!;
      const chunk = (piece: Piece<Task>): Uint8Array => {
        if (error) throw error;
        const id = chunkIdAt(piece.chunkIds, piece.chunk);
        return chunkOf(opened, location, id, piece.length, rawToText(piece.file.job.path));
      };
      under.push(this.#writeBlock(work, chunk).then(() => opened && releaseBytes(opened.chunks.payload)));
      // A slow disk holds the line up: at most two blocks wait for it.
      if (under.length > 2) await under.shift();
    }
    await Promise.all(under);
  }

  async #writeBlock(work: BlockWork<Task>, chunk: (piece: Piece<Task>) => Uint8Array): Promise<void> {
    const groups = [...work.whole, ...[...Map.groupBy(work.pieces, ({ file }) => file)]];
    await Promise.all(groups.map(([task, pieces]) => this.#slots.run(() => this.#writePieces(task, pieces, chunk))));
  }

  async #writePieces(
    task: Task,
    pieces: readonly Piece<Task>[],
    chunk: (piece: Piece<Task>) => Uint8Array,
  ): Promise<void> {
    try {
      if (!task.error) {
        const sink = await task.sink();
        for (const [position, data] of joined(pieces, chunk)) {
          await sink.write(position, data);
          this.#options.onBytes(data.length);
        }
      }
    } catch (error) {
      task.error ??= ofThisFile(error);
    }
    task.pending -= pieces.length;
    await this.#endIfDone(task);
  }

  async #endIfDone(task: Task): Promise<void> {
    if (task.pending > 0 || !task.isListed || !this.#tasks.delete(task)) return;
    try {
      if (task.error) throw task.error;
      await (await task.sink()).close(task.content);
      task.job.onDone();
    } catch (error) {
      await task.drop();
      task.job.onFailed(ofThisFile(error));
    }
  }
}

async function* startingWith<T>(first: Promise<IteratorResult<T>>, rest: AsyncGenerator<T>): AsyncGenerator<T> {
  try {
    for (let next = await first; !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return(undefined).catch(() => undefined);
  }
}

/** Pieces that follow each other go out as one write. */
function joined(pieces: readonly Piece<Task>[], chunk: (piece: Piece<Task>) => Uint8Array): [number, Uint8Array][] {
  const writes: { position: number; parts: Uint8Array[]; length: number }[] = [];
  for (const piece of pieces.toSorted((a, b) => a.offset - b.offset)) {
    const last = writes.at(-1);
    const data = chunk(piece);
    if (last && last.position + last.length === piece.offset) {
      last.parts.push(data);
      last.length += data.length;
    } else writes.push({ position: piece.offset, parts: [data], length: data.length });
  }
  return writes.map(({ position, parts, length }) => [position, spanning(parts, length)]);
}

/** Chunks of a file mostly lie one after the other in their block already. */
function spanning(parts: readonly Uint8Array[], length: number): Uint8Array {
  const [first] = parts;
  let end = first!.byteOffset;
  const isOne = parts.every(({ buffer, byteOffset, byteLength }) => {
    const follows = buffer === first!.buffer && byteOffset === end;
    end += byteLength;
    return follows;
  });
  if (isOne) return new Uint8Array(first!.buffer, first!.byteOffset, length);
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Rethrows what the next file would meet too. */
function ofThisFile(error: unknown): AppError {
  if (isAppError(error)) {
    if (error.retry || error.code === "interrupted") throw error;
    return error;
  }
  return writeFailed(error);
}

/** What the browser says of a disk. */
export function writeFailed(error: unknown): AppError {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "QuotaExceededError")
    return new AppError("disk_full", { cause: error, context: { path: "the chosen place" } });
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new AppError("io", { cause: error, context: { path: "the chosen place", detail } });
}
