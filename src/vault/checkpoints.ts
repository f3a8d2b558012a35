// Writing SQLite's log into its database, in a thread of its own: some thousand pages at random places and an fsync, which would keep
// everybody waiting if the thread that serves them did it (measured at 3 million chunks: 240 ms at a time).
// A checkpoint is never needed for what was committed to be durable, so whatever goes wrong here only makes the log longer.

import { Worker } from "node:worker_threads";

export type RunningCheckpoint = {
  /** Never rejects. */
  readonly done: Promise<void>;
  /** Stops this thread until the other one has closed the files again. */
  wait(): void;
};

export type Checkpoints = {
  run(path: string): RunningCheckpoint;
  close(): Promise<void>;
};

/** What the thread is sent; `isDone[0]` becomes 1 when it has closed the files. */
export type CheckpointRequest = { readonly path: string; readonly isDone: Int32Array };

const LONGEST_WAIT_MS = 10_000;

/** The thread starts with the first checkpoint. */
export function checkpointThread(): Checkpoints {
  let worker: Worker | undefined;
  return {
    run(path) {
      worker ??= startThread(() => {
        worker = undefined;
      });
      const isDone = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
      const { promise, resolve } = Promise.withResolvers<void>();
      const thread = worker;
      const over = (): void => {
        Atomics.store(isDone, 0, 1);
        thread.off("message", hear);
        thread.off("exit", over);
        resolve();
      };
      const hear = (): void => {
        if (Atomics.load(isDone, 0) === 1) over();
      };
      thread.on("message", hear);
      thread.on("exit", over);
      thread.postMessage({ path, isDone } satisfies CheckpointRequest);
      return { done: promise, wait: () => void Atomics.wait(isDone, 0, 0, LONGEST_WAIT_MS) };
    },
    async close() {
      await worker?.terminate();
    },
  };
}

function startThread(onEnd: () => void): Worker {
  const worker = new Worker(new URL("./checkpoint-thread.ts", import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 1 },
  });
  worker.on("error", () => undefined);
  worker.on("exit", onEnd);
  // It must not keep a process alive that has nothing else to do.
  worker.unref();
  return worker;
}
