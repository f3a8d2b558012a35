// A SealPool whose workers run in place, on any FileAccess: the engine's own worker without threads, in Node and in browsers.

import type { Bytes } from "../../core/bytes.ts";
import type { RawPath } from "../../core/raw-path.ts";
import type { BlockKind } from "../../wire/v4/vault-port.ts";
import type { EnginePlatform } from "../platform.ts";
import type { FileAccess } from "./read-file.ts";
import { SealWorker, type SealWorkerKeys } from "./seal-worker.ts";
import type { ReadJob, ReadResult, ScanJob, ScanResult, SealPool, SealWorkerPort } from "./types.ts";

export function createInlinePool(
  platform: EnginePlatform,
  files: FileAccess,
  keys: SealWorkerKeys,
  size = 2,
): SealPool {
  const pool: { -readonly [K in keyof SealPool]: SealPool[K] } = {
    workers: [],
    onBlock: () => undefined,
    onFailure: () => undefined,
    onSpare: () => undefined,
    close: async () => undefined,
  };
  pool.workers = Array.from({ length: size }, () => {
    const worker = new SealWorker(platform, files, keys, {
      onBlock: (block) => pool.onBlock(block),
      onSpare: (buffer) => pool.onSpare(buffer),
    });
    return new InlineWorker(worker, (error) => pool.onFailure(error));
  });
  return pool;
}

/** Handles one job after the other, as a thread does. */
class InlineWorker implements SealWorkerPort {
  readonly #worker: SealWorker;
  readonly #onFailure: (error: unknown) => void;
  #turn: Promise<unknown> = Promise.resolve();
  #nextJob = 0;
  outstanding = 0;

  constructor(worker: SealWorker, onFailure: (error: unknown) => void) {
    this.#worker = worker;
    this.#onFailure = onFailure;
  }

  async read(job: ReadJob): Promise<ReadResult & { readonly job: number }> {
    this.outstanding++;
    const id = this.#nextJob++;
    const result = await this.#inTurn(async () => {
      // As with a thread, whatever else waits gets a turn.
      await new Promise((resolve) => setTimeout(resolve));
      return this.#worker.read(id, job);
    });
    return { ...result, job: id };
  }

  assign(job: number, counters: Int32Array): void {
    this.outstanding--;
    this.#inTurn(() => this.#worker.assign(job, counters)).catch(this.#onFailure);
  }

  scan(job: ScanJob): Promise<ScanResult> {
    return this.#inTurn(() => this.#worker.scan(job));
  }

  inspect(path: RawPath): ReturnType<SealWorkerPort["inspect"]> {
    return this.#inTurn(() => this.#worker.inspect(path));
  }

  seal(kind: BlockKind, counter: number, payload: Bytes, chunkIds: Bytes): void {
    this.#inTurn(() => this.#worker.seal(kind, counter, payload, chunkIds)).catch(this.#onFailure);
  }

  flush(): Promise<void> {
    return this.#inTurn(() => this.#worker.flush());
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
