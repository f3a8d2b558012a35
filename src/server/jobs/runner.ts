// Runs jobs: one of a kind in a vault at a time, those that would get in each other's way one after the other. A job that is asked for
// while it is at work is answered with the one that runs. Jobs that a dead server left are marked as failed at start.

import type { Clock } from "../../core/clock.ts";
import { AppError, isAppError } from "../../core/errors.ts";
import type { VaultId } from "../../core/ids.ts";
import type { Logger } from "../../core/log.ts";
import type { Job, JobKind, JobOptions } from "../../wire/v4/api/job-routes.ts";
import { outward } from "../http/answer.ts";
import type { JobStore } from "./job-store.ts";

export type JobRequest = {
  readonly kind: JobKind;
  readonly vault: VaultId | null;
  readonly options: JobOptions;
  readonly dryRun: boolean;
  readonly startedBy: string;
};

export type JobWork = (about: {
  readonly job: Job;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: NonNullable<Job["progress"]>) => void;
}) => Promise<Record<string, unknown>>;

export type JobRunnerOptions = {
  readonly store: JobStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly work: Readonly<Record<JobKind, JobWork>>;
  /** Told of every change of a state. */
  readonly onChange: (job: Job) => void;
};

/** Kinds that never run beside each other in one vault; a dry run changes nothing and waits for nobody. */
const APART: Readonly<Record<JobKind, readonly JobKind[]>> = {
  gc: ["retention", "trash", "rebuild"],
  retention: ["gc", "trash", "rebuild"],
  trash: ["gc", "retention", "rebuild"],
  rebuild: ["gc", "retention", "trash", "scrub", "check"],
  scrub: ["rebuild"],
  check: ["rebuild"],
  "database-backup": [],
};
/** Jobs that run at a time, whatever the vault: they compete for one disk. */
const AT_ONCE = 3;
/** How often progress is written down. */
const NOTE_PROGRESS_MS = 10_000;

type AtWork = { job: Job; readonly controller: AbortController; noted: number; over: Promise<void> | undefined };

export class JobRunner {
  readonly #options: JobRunnerOptions;
  /** Waiting and running jobs, in the order in which they were asked for. */
  readonly #atWork = new Map<string, AtWork>();
  readonly #watchers = new Set<() => void>();
  #isStopping = false;

  constructor(options: JobRunnerOptions) {
    this.#options = options;
    const { store, clock } = options;
    for (const job of store.unfinished()) {
      store.update({
        ...job,
        state: "failed",
        error: problem(stopped()),
        endedAt: clock.now(),
        version: job.version + 1,
      });
    }
  }

  start(request: JobRequest): Job {
    if (this.#isStopping) throw stopped();
    for (const { job } of this.#atWork.values()) {
      if (job.kind === request.kind && job.vault === request.vault && job.dryRun === request.dryRun) return job;
    }
    const job = this.#options.store.insert({
      ...request,
      state: "waiting",
      progress: null,
      result: null,
      error: null,
      createdAt: this.#options.clock.now(),
      startedAt: null,
      endedAt: null,
      version: 1,
    });
    this.#atWork.set(job.id, { job, controller: new AbortController(), noted: 0, over: undefined });
    this.#options.onChange(job);
    this.#startNext();
    return this.#atWork.get(job.id)?.job ?? job;
  }

  get(id: string): Job | undefined {
    return this.#atWork.get(id)?.job ?? this.#options.store.get(id);
  }

  /** The same as in the store, with the progress of now. */
  fresh(job: Job): Job {
    return this.#atWork.get(job.id)?.job ?? job;
  }

  /** A job that is over stays as it is. */
  cancel(id: string): Job | undefined {
    const found = this.#atWork.get(id);
    if (found === undefined) return this.get(id);
    found.controller.abort(new AppError("interrupted"));
    if (found.job.state === "waiting") this.#end(found, { state: "cancelled" });
    return this.get(id);
  }

  /** Resolves once the job's version is past `after`, or it is over, or `signal` fires. */
  async changed(id: string, after: number, signal: AbortSignal): Promise<void> {
    const isDue = (): boolean => {
      const found = this.#atWork.get(id);
      return found === undefined || found.job.version > after;
    };
    if (isDue() || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (!isDue() && !signal.aborted) return;
        this.#watchers.delete(check);
        signal.removeEventListener("abort", check);
        resolve();
      };
      this.#watchers.add(check);
      signal.addEventListener("abort", check);
    });
  }

  /** Resolves when no job is at work. */
  async idle(): Promise<void> {
    while (this.#atWork.size > 0) {
      await Promise.all([...this.#atWork.values()].map(({ over }) => over));
      await Promise.resolve();
    }
  }

  /** Ends all jobs where nothing is lost: those that a schedule asked for are due again at the next start. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const found of [...this.#atWork.values()]) {
      found.controller.abort(stopped());
      if (found.job.state === "waiting") this.#end(found, { state: "failed", error: problem(stopped()) });
    }
    await this.idle();
  }

  #startNext(): void {
    const running = [...this.#atWork.values()].filter(({ job }) => job.state === "running");
    let room = AT_ONCE - running.length;
    for (const found of this.#atWork.values()) {
      if (room <= 0) return;
      if (found.job.state !== "waiting" || !this.#isFree(found.job)) continue;
      room--;
      found.over = this.#run(found);
    }
  }

  #isFree({ kind, vault, dryRun, id }: Job): boolean {
    if (dryRun) return true;
    return [...this.#atWork.values()].every(
      ({ job }) =>
        job.id === id ||
        job.state !== "running" ||
        job.vault !== vault ||
        job.dryRun ||
        !APART[kind].includes(job.kind),
    );
  }

  async #run(found: AtWork): Promise<void> {
    const { clock, logger, work } = this.#options;
    this.#change(found, { state: "running", startedAt: clock.now() });
    const { kind, vault, id } = found.job;
    try {
      const onProgress = (progress: NonNullable<Job["progress"]>) => this.#progress(found, progress);
      const result = await work[kind]({ job: found.job, signal: found.controller.signal, onProgress });
      this.#end(found, { state: "done", result });
    } catch (thrown) {
      const { aborted, reason } = found.controller.signal;
      if (aborted && isAppError(reason, "server_stopping")) {
        this.#end(found, { state: "failed", error: problem(stopped()) });
      } else if (aborted && isAppError(thrown, "interrupted")) {
        this.#end(found, { state: "cancelled" });
      } else {
        const error = outward(thrown);
        logger.warn("a job failed", {
          job: id,
          kind,
          vault: vault ?? undefined,
          error: thrown as Error,
        });
        this.#end(found, { state: "failed", error: problem(error) });
      }
    }
  }

  #progress(found: AtWork, progress: NonNullable<Job["progress"]>): void {
    found.job = { ...found.job, progress, version: found.job.version + 1 };
    const now = this.#options.clock.now();
    if (now - found.noted >= NOTE_PROGRESS_MS) {
      found.noted = now;
      this.#options.store.update(found.job);
    }
    this.#wake();
  }

  #end(found: AtWork, end: Partial<Job>): void {
    this.#change(found, { ...end, endedAt: this.#options.clock.now() });
    this.#atWork.delete(found.job.id);
    this.#wake();
    if (!this.#isStopping) this.#startNext();
  }

  #change(found: AtWork, change: Partial<Job>): void {
    found.job = { ...found.job, ...change, version: found.job.version + 1 };
    this.#options.store.update(found.job);
    this.#options.onChange(found.job);
    this.#wake();
  }

  #wake(): void {
    for (const check of [...this.#watchers]) check();
  }
}

function stopped(): AppError {
  return new AppError("server_stopping");
}

function problem({ code, context }: AppError): NonNullable<Job["error"]> {
  const plain = Object.entries(context).filter(([, value]) => value !== undefined);
  return {
    code,
    context: Object.fromEntries(
      plain.map(([name, value]) => [name, typeof value === "bigint" ? Number(value) : value!]),
    ),
  };
}
