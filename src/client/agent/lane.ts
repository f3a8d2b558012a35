// One run at a time in a vault: a queue in this process, and a lock against others (docs/agent.md, When a run begins). What is taken from the
// queue or stopped is told by its signal; a lane never forgets a job without that.

import type { Timers } from "./timers.ts";

export type Job = {
  /** A plan waits once at most. */
  readonly plan: string;
  readonly id: string;
  run(signal: AbortSignal): Promise<void>;
  /** It was taken from the queue before it began. */
  dropped(): void;
};

/** Keeps other processes out; undefined while one of them is in. */
export type TakeHold = () => { release(): void } | undefined;

const HOLD_WAIT_MS = 2000;

export class Lane {
  readonly #timers: Timers;
  readonly #takeHold: TakeHold;
  readonly #onFree: () => void;
  readonly #queue: Job[] = [];
  #current: { readonly job: Job; readonly controller: AbortController } | undefined;
  #work: Promise<void> | undefined;
  #isStopped = false;

  /** `onFree` hears of each job's end. */
  constructor(timers: Timers, takeHold: TakeHold, onFree: () => void) {
    this.#timers = timers;
    this.#takeHold = takeHold;
    this.#onFree = onFree;
  }

  get current(): Job | undefined {
    return this.#current?.job;
  }

  /** True when the plan runs or waits. */
  has(plan: string): boolean {
    return this.#current?.job.plan === plan || this.#queue.some((job) => job.plan === plan);
  }

  isWaiting(plan: string): boolean {
    return this.#queue.some((job) => job.plan === plan);
  }

  /** False when the plan waits already. */
  add(job: Job): boolean {
    if (this.#isStopped || this.isWaiting(job.plan)) return false;
    this.#queue.push(job);
    this.#work ??= this.#drain();
    return true;
  }

  /** Ends what fits: what runs is asked to stop, what waits is dropped. Answers how many there were. */
  cancel(fits: (job: Job) => boolean): number {
    const dropped = this.#queue.filter(fits);
    for (const job of dropped) {
      this.#queue.splice(this.#queue.indexOf(job), 1);
      job.dropped();
    }
    const isRunning = this.#current !== undefined && fits(this.#current.job);
    if (isRunning) this.#current!.controller.abort();
    return dropped.length + (isRunning ? 1 : 0);
  }

  /** Ends all, for good. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.cancel(() => true);
    await this.#work;
  }

  async #drain(): Promise<void> {
    for (let job = this.#queue.shift(); job; job = this.#queue.shift()) {
      const controller = new AbortController();
      this.#current = { job, controller };
      const hold = await this.#hold(controller.signal);
      try {
        // A job that was stopped before it began still says how it ended.
        await job.run(controller.signal);
      } finally {
        hold?.release();
        this.#current = undefined;
        this.#onFree();
      }
    }
    this.#work = undefined;
  }

  async #hold(signal: AbortSignal): Promise<{ release(): void } | undefined> {
    while (!signal.aborted) {
      const hold = this.#takeHold();
      if (hold) return hold;
      await this.#timers.sleep(HOLD_WAIT_MS, signal);
    }
    return undefined;
  }
}
