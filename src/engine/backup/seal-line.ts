// The two ends of the line between a run and its seal workers, wherever those run: a SealPool that posts jobs, and what a worker does
// with them. Each worker gets its jobs in order; results come back in order.

import type { Bytes } from "../../core/bytes.ts";
import { AppError } from "../../core/errors.ts";
import type { RawPath } from "../../core/raw-path.ts";
import type { BlockKind } from "../../wire/v4/vault-port.ts";
import type { FromWorker, ToWorker } from "./seal-messages.ts";
import type { SealWorker, SealWorkerEvents } from "./seal-worker.ts";
import type { FinishedBlock, ReadJob, ReadResult, ScanJob, ScanResult, SealPool, SealWorkerPort } from "./types.ts";

/** A worker that was started. */
export type SealLine = {
  post(message: ToWorker, transfer: ArrayBuffer[]): void;
  close(): Promise<void>;
};

export type LineEvents = { hear(message: FromWorker): void; fail(error: unknown): void };

/** `onPath` hears what each worker is about to read. */
export function createLinePool(
  size: number,
  open: (index: number, events: LineEvents) => SealLine,
  onPath?: (index: number, path: RawPath) => void,
): SealPool {
  const pool: Omit<SealPool, "workers"> & { workers: LineWorker[] } = {
    workers: [],
    onBlock: () => undefined,
    onFailure: () => undefined,
    onSpare: () => undefined,
    async close() {
      await Promise.all(pool.workers.map((worker) => worker.close()));
    },
  };
  for (let i = 0; i < size; i++) {
    pool.workers.push(
      new LineWorker((events) => open(i, events), {
        onBlock: (block) => pool.onBlock(block),
        onFailure: (error) => pool.onFailure(error),
        onSpare: (buffer) => pool.onSpare(buffer),
        onPath: (path) => onPath?.(i, path),
      }),
    );
  }
  return pool;
}

/** The worker's end: takes one message after the other. `before` runs when a message's turn has come. */
export function serveLine(
  make: (events: SealWorkerEvents) => SealWorker,
  post: (message: FromWorker, transfer: ArrayBuffer[]) => void,
): (message: ToWorker, before?: () => void) => void {
  const worker = make({
    onBlock(block) {
      const own = ownBuffer(block);
      post({ done: "block", block: own }, [own.frame.buffer, own.chunkIds.buffer]);
    },
    onSpare: (buffer) => post({ done: "spare", buffer }, [buffer]),
  });
  let turn: Promise<void> = Promise.resolve();
  return (message, before) => {
    turn = turn
      .then(() => {
        before?.();
        return handle(worker, message, post);
      })
      .catch((error: unknown) => post({ done: "failed", message: String((error as Error).stack ?? error) }, []));
  };
}

async function handle(
  worker: SealWorker,
  message: ToWorker,
  post: (message: FromWorker, transfer: ArrayBuffer[]) => void,
): Promise<void> {
  switch (message.do) {
    case "read": {
      const result = await worker.read(message.id, message.job);
      return post({ done: "read", id: message.id, result }, []);
    }
    case "assign":
      return worker.assign(message.id, message.counters);
    case "scan":
      return post({ done: "scan", id: message.id, result: await worker.scan(message.job) }, []);
    case "inspect":
      return post({ done: "inspect", id: message.id, result: await worker.inspect(message.path) }, []);
    case "seal":
      return worker.seal(message.kind, message.counter, message.payload, message.chunkIds);
    case "flush":
      await worker.flush();
      return post({ done: "flush", id: message.id }, []);
  }
}

/** A block whose bytes are not part of a larger buffer, so that they can be transferred. */
function ownBuffer(block: FinishedBlock): FinishedBlock {
  return { ...block, frame: own(block.frame), chunkIds: own(block.chunkIds), blockId: Uint8Array.from(block.blockId) };
}

function own(bytes: Bytes): Bytes {
  return bytes.byteLength === bytes.buffer.byteLength ? new Uint8Array(bytes.buffer) : bytes.slice();
}

type Events = SealWorkerEvents & { onFailure(error: unknown): void; onPath(path: RawPath): void };
type Waiting = { resolve(value: never): void; reject(error: unknown): void };

class LineWorker implements SealWorkerPort {
  readonly #open: () => SealLine;
  readonly #events: Events;
  /** Opened with the first job: a run that finds nothing changed never starts its workers. */
  #line: SealLine | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;
  #failure: unknown;
  outstanding = 0;

  constructor(open: (events: LineEvents) => SealLine, events: Events) {
    this.#events = events;
    this.#open = () => open({ hear: (message) => this.#hear(message), fail: (error) => this.#fail(error) });
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
    this.#post({ do: "assign", id: job, counters }, []);
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
    this.#post({ do: "seal", kind, counter, payload, chunkIds }, [payload.buffer, chunkIds.buffer]);
  }

  async flush(): Promise<void> {
    if (!this.#line) return;
    const id = this.#nextId++;
    await this.#call<undefined>(id, { do: "flush", id });
  }

  async close(): Promise<void> {
    await this.#line?.close();
  }

  #post(message: ToWorker, transfer: ArrayBuffer[]): void {
    this.#line ??= this.#open();
    this.#line.post(message, transfer);
  }

  #call<T>(id: number, message: ToWorker, transfer: ArrayBuffer[] = []): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#waiting.set(id, { resolve: resolve as (value: never) => void, reject });
      this.#post(message, transfer);
    });
  }

  #hear(message: FromWorker): void {
    if (message.done === "block") {
      this.#events.onBlock(message.block);
      return;
    }
    if (message.done === "spare") {
      this.#events.onSpare(message.buffer);
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
