// The engine's SealPool on worker threads.

import { Worker } from "node:worker_threads";
import { AppError } from "../core/errors.ts";
import { createLinePool, type LineEvents, type SealLine } from "../engine/backup/seal-line.ts";
import type { FromWorker, WorkerSetup } from "../engine/backup/seal-messages.ts";
import type { SealWorkerKeys } from "../engine/backup/seal-worker.ts";
import type { BackupProgress, SealPool } from "../engine/backup/types.ts";
import { followThread } from "./loading-thread.ts";

/** Heap limits keep the whole process under 256 MiB; the large buffers lie outside the heap. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 2 };

export function createSealPool(keys: SealWorkerKeys, size: number, progress?: BackupProgress): SealPool {
  return createLinePool(
    size,
    (_, events) => startThread({ keys }, events),
    (index, path) => {
      if (progress) progress.workers[index] = path;
    },
  );
}

function startThread(workerData: WorkerSetup, { hear, fail }: LineEvents): SealLine {
  const worker = new Worker(new URL("./seal-thread.ts", import.meta.url), {
    workerData,
    resourceLimits: RESOURCE_LIMITS,
  });
  let isClosed = false;
  const thread = followThread<FromWorker>(worker, hear);
  worker.on("error", fail);
  worker.on("exit", (code) => {
    if (!isClosed) fail(new AppError("internal", { context: { detail: `a worker ended with code ${code}` } }));
  });
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    async close() {
      isClosed = true;
      await thread.end();
    },
  };
}
