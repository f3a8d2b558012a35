// Worker threads that open blocks and write files. A job goes to the worker that has its block open, else to the one with the least
// to do; whoever gives jobs waits for room first, which bounds what is in memory.

import { Worker } from "node:worker_threads";
import { AppError } from "../../core/errors.ts";
import { type FollowedThread, followThread } from "../loading-thread.ts";
import { buffersOf } from "./file-batch.ts";
import type { CompareJob, CompareReply, FromWriter, ToWriter, WorkerSetup, WriteJob, WriteReply } from "./jobs.ts";

/** Jobs that one worker may have: one to work on, one to go on with. */
const JOBS_EACH = 2;
/** The large buffers lie outside of the heap. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 4 };

type Waiting = { resolve(reply: never): void; reject(error: unknown): void };
export type Thread = {
  readonly worker: Worker;
  readonly followed: FollowedThread;
  jobs: number;
  /** blockNos that it has, or will have, open when it comes to the next job; it may have closed one. */
  open: Set<number>;
  /** Those of jobs that are not answered. */
  readonly asked: number[];
};

export class WritePool {
  readonly #threads: Thread[];
  readonly #waiting = new Map<number, Waiting>();
  #roomWaiters: (() => void)[] = [];
  #nextId = 0;
  #failure: AppError | undefined;
  #closed = false;

  constructor(setup: WorkerSetup, size: number) {
    this.#threads = Array.from({ length: size }, () => this.#start(setup));
  }

  /** Resolves when another job may be given: to the thread that has the block open if there is one. */
  async room(blockNo?: number): Promise<Thread> {
    for (;;) {
      const holder = blockNo === undefined ? undefined : this.#threads.find(({ open }) => open.has(blockNo));
      const thread = holder ?? this.#leastBusy();
      if (this.#failure || thread.jobs < JOBS_EACH) return thread;
      await new Promise<void>((resolve) => this.#roomWaiters.push(resolve));
    }
  }

  /** True when no fetch is needed for this block. */
  isOpen(blockNo: number): boolean {
    return this.#threads.some(({ open }) => open.has(blockNo));
  }

  /** The buffers of the block and of the batch are given away. Rejects only when a worker broke. */
  async write(job: WriteJob, thread: Thread): Promise<WriteReply> {
    const { sealed, blockNo } = job.block ?? {};
    if (blockNo !== undefined) {
      thread.open.add(blockNo);
      thread.asked.push(blockNo);
    }
    const isOwn = sealed !== undefined && sealed.byteLength === sealed.buffer.byteLength;
    const given = buffersOf(job.whole);
    if (isOwn) given.push(sealed.buffer);
    const reply = await this.#submit<WriteReply>(thread, job, given);
    if (blockNo !== undefined) thread.asked.splice(thread.asked.indexOf(blockNo), 1);
    thread.open = new Set([...reply.open, ...thread.asked]);
    return reply;
  }

  compare(job: CompareJob): Promise<CompareReply> {
    return this.#submit<CompareReply>(this.#leastBusy(), job, []);
  }

  #leastBusy(): Thread {
    return this.#threads.reduce((least, other) => (other.jobs < least.jobs ? other : least));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#threads.map(({ followed }) => followed.end()));
  }

  #start(setup: WorkerSetup): Thread {
    const worker = new Worker(new URL("./write-thread.ts", import.meta.url), {
      workerData: setup,
      resourceLimits: RESOURCE_LIMITS,
    });
    const followed = followThread<FromWriter>(worker, (message) => this.#hear(thread, message));
    const thread: Thread = { worker, followed, jobs: 0, open: new Set(), asked: [] };
    worker.on("error", (error) => this.#fail(String(error), error));
    worker.on("exit", (code) => {
      if (!this.#closed) this.#fail(`a worker ended with code ${code}`);
    });
    return thread;
  }

  #submit<Reply>(thread: Thread, job: WriteJob | CompareJob, transfer: ArrayBuffer[]): Promise<Reply> {
    const failure = this.#failure;
    if (failure) return Promise.reject(failure);
    const id = this.#nextId++;
    thread.jobs++;
    return new Promise<Reply>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (reply: never) => void, reject });
      thread.worker.postMessage({ id, job } satisfies ToWriter, transfer);
    });
  }

  #hear(thread: Thread, { id, reply, crash }: FromWriter): void {
    if (crash !== undefined) {
      this.#fail(crash);
      return;
    }
    thread.jobs--;
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.resolve(reply as never);
    this.#wake();
  }

  #fail(detail: string, cause?: unknown): void {
    this.#failure ??= new AppError("internal", { context: { detail }, cause });
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
    this.#wake();
  }

  #wake(): void {
    const waiters = this.#roomWaiters;
    this.#roomWaiters = [];
    for (const wake of waiters) wake();
  }
}
