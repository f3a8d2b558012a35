// The engine's SealPool on worker threads. Each worker gets jobs in order; results come back in order.

import { Worker } from "node:worker_threads";
import type { Bytes } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import type { RawPath } from "../core/raw-path.ts";
import type { SealWorkerKeys } from "../engine/backup/seal-worker.ts";
import type {
  BackupProgress,
  FinishedBlock,
  ReadJob,
  ReadResult,
  ScanJob,
  ScanResult,
  SealPool,
  SealWorkerPort,
} from "../engine/backup/types.ts";
import type { BlockKind } from "../wire/v4/vault-port.ts";
import type { FromWorker, ToWorker, WorkerSetup } from "./seal-messages.ts";

/** Heap limits keep the whole process under 256 MiB; the large buffers lie outside the heap. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 2 };

export function createSealPool(keys: SealWorkerKeys, size: number, progress?: BackupProgress): SealPool {
  const pool: Omit<SealPool, "workers"> & { workers: SealThread[] } = {
    workers: [],
    onBlock: () => undefined,
    onFailure: () => undefined,
    async close() {
      await Promise.all(pool.workers.map((worker) => worker.close()));
    },
  };
  for (let i = 0; i < size; i++) {
    pool.workers.push(
      new SealThread(keys, {
        onBlock: (block) => pool.onBlock(block),
        onFailure: (error) => pool.onFailure(error),
        onPath: (path) => {
          if (progress) progress.workers[i] = path;
        },
      }),
    );
  }
  return pool;
}

type Events = { onBlock(block: FinishedBlock): void; onFailure(error: unknown): void; onPath(path: RawPath): void };
type Waiting = { resolve(value: never): void; reject(error: unknown): void };

class SealThread implements SealWorkerPort {
  readonly #worker: Worker;
  readonly #events: Events;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;
  #failure: unknown;
  #closed = false;
  outstanding = 0;

  constructor(keys: SealWorkerKeys, events: Events) {
    this.#events = events;
    const workerData: WorkerSetup = { keys };
    this.#worker = new Worker(new URL("./seal-thread.ts", import.meta.url), {
      workerData,
      resourceLimits: RESOURCE_LIMITS,
    });
    this.#worker.on("message", (message: FromWorker) => this.#hear(message));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", (code) => {
      if (!this.#closed)
        this.#fail(new AppError("internal", { context: { detail: `a worker ended with code ${code}` } }));
    });
  }

  async read(job: ReadJob): Promise<ReadResult & { job: number }> {
    this.outstanding++;
    if (job.kind === "range") this.#events.onPath(job.path);
    else if (job.kind === "files" && job.files[0]) this.#events.onPath(job.files[0].path);
    const id = this.#nextId++;
    const transfer = job.kind === "data" ? [job.data.buffer] : [];
    const result = await this.#call<ReadResult>(id, { do: "read", id, job }, transfer);
    return { ...result, job: id };
  }

  assign(job: number, counters: Int32Array): void {
    this.outstanding--;
    this.#worker.postMessage({ do: "assign", id: job, counters } satisfies ToWorker);
  }

  scan(job: ScanJob): Promise<ScanResult> {
    const id = this.#nextId++;
    return this.#call(id, { do: "scan", id, job });
  }

  inspect(path: RawPath): ReturnType<SealWorkerPort["inspect"]> {
    const id = this.#nextId++;
    return this.#call(id, { do: "inspect", id, path });
  }

  seal(kind: BlockKind, counter: number, payload: Bytes, chunkIds: Bytes): void {
    const message: ToWorker = { do: "seal", kind, counter, payload, chunkIds };
    this.#worker.postMessage(message, [payload.buffer, chunkIds.buffer]);
  }

  async flush(): Promise<void> {
    const id = this.#nextId++;
    await this.#call<undefined>(id, { do: "flush", id });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker.terminate();
  }

  #call<T>(id: number, message: ToWorker, transfer: ArrayBuffer[] = []): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#waiting.set(id, { resolve: resolve as (value: never) => void, reject });
      this.#worker.postMessage(message, transfer);
    });
  }

  #hear(message: FromWorker): void {
    if (message.done === "block") {
      this.#events.onBlock(message.block);
      return;
    }
    if (message.done === "failed") {
      this.#fail(new AppError("internal", { context: { detail: message.message } }));
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    waiting?.resolve(("result" in message ? message.result : undefined) as never);
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.#events.onFailure(error);
  }
}
