// Gives work to the restore workers and hears what became of it: never more at a time than they have room for, each block once, and
// blocks that a worker still has open without fetching them again.

import { isAppError, throwIfAborted } from "../../core/errors.ts";
import type { SessionId } from "../../core/ids.ts";
import { chunkKey } from "../../engine/reader/chunk-table.ts";
import { fetchEach } from "../../engine/reader/fetch.ts";
import type { VaultReader } from "../../engine/reader/reader.ts";
import type { BlockWork, Piece } from "../../engine/restore/block-plan.ts";
import { holesWithin } from "../../wire/v4/holes.ts";
import { batchFiles } from "./batch-files.ts";
import { descriptorOf, type FileTask } from "./file-task.ts";
import type { CompareJob, Failure, FilePiece, SealedWork, WriteJob } from "./jobs.ts";
import type { RestoreRun } from "./run.ts";
import type { Thread, WritePool } from "./write-pool.ts";

const EMPTY_FILES_PER_JOB = 256;
const COMPARE_JOB = { files: 256, bytes: 32 * 2 ** 20 } as const;

/** Of one piece, or of one file that is written in one go; each is answered once. */
export type OnAnswer = (task: FileTask, outcome: { readonly bytes: number } | Failure) => void;

export class BlockGiver {
  readonly #run: RestoreRun;
  readonly #reader: VaultReader;
  readonly #pool: WritePool;
  readonly #onAnswer: OnAnswer;
  readonly #keys = new Map<SessionId, Uint8Array>();
  readonly #jobs = new Set<Promise<unknown>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(run: RestoreRun, reader: VaultReader, pool: WritePool, onAnswer: OnAnswer) {
    this.#run = run;
    this.#reader = reader;
    this.#pool = pool;
    this.#onAnswer = onAnswer;
  }

  /** Resolves when all is given, not when it is done. `empty` are files without content. Throws what ends the run. */
  async give(blocks: readonly BlockWork<FileTask>[], empty: readonly FileTask[]): Promise<void> {
    for (let at = 0; at < empty.length; at += EMPTY_FILES_PER_JOB) {
      const thread = await this.#room();
      const part = empty.slice(at, at + EMPTY_FILES_PER_JOB).map((task) => [task, []] as const);
      this.#start(this.#writeJob(thread, undefined, new Map(part), []));
    }
    // First what a worker still has open from the window before.
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
    const opened = pieces.map((piece) => filePiece(piece));
    const job: WriteJob = {
      kind: "write",
      block,
      whole: batchFiles(whole, this.#run),
      pieces: opened.filter((piece) => piece !== undefined),
    };
    const reply = await this.#pool.write(job, thread);
    if (reply.isMissing) return false;
    let answer = 0;
    for (const [i, { file, length }] of pieces.entries()) {
      const failure = opened[i] ? reply.pieces.get(answer++) : file.failure;
      this.#onAnswer(file, failure ?? { bytes: length });
    }
    let file = 0;
    for (const task of whole.keys()) this.#onAnswer(task, reply.whole.get(file++) ?? { bytes: task.entry.size ?? 0 });
    this.#run.tick();
    return true;
  }

  #failWork({ whole, pieces }: BlockWork<FileTask>, failure: Failure): void {
    for (const task of whole.keys()) this.#onAnswer(task, failure);
    for (const { file } of pieces) this.#onAnswer(file, failure);
  }

  /** For each file one byte a chunk: 1 where the disk has it. */
  async compare(files: CompareJob["files"]): Promise<Uint8Array[]> {
    const answers: Promise<readonly Uint8Array[]>[] = [];
    for (const part of splitFiles(files)) {
      await this.#room();
      const answer = this.#pool.compare({ kind: "compare", files: part }).then(({ same }) => same);
      answer.catch(() => undefined);
      answers.push(answer);
    }
    return (await Promise.all(answers)).flat();
  }

  /** Resolves when nothing is under way, whatever came of it. */
  async idle(): Promise<void> {
    while (this.#jobs.size > 0) await Promise.all(this.#jobs);
  }

  /** Throws what a job that was started has met. */
  check(): void {
    if (this.#failure) throw this.#failure.error;
    throwIfAborted(this.#run.options.signal);
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
    this.check();
    return thread;
  }
}

/** Opens the file if it is not open. */
function filePiece({ file, chunkIds, chunk, offset, length }: Piece<FileTask>): FilePiece | undefined {
  const descriptor = descriptorOf(file);
  if (descriptor === undefined) return undefined;
  const near = file.kind === "patch" ? [] : holesWithin(file.entry.holes ?? [], offset, offset + length);
  const holes = near.length > 0 ? near : undefined;
  return { descriptor, chunk: chunkKey(chunkIds, chunk), offset, length, holes, sparse: file.sparse };
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
