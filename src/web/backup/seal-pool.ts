// The engine's SealPool on workers of the browser. What their jobs read travels with them: a worker opens nothing.

import { AppError } from "../../core/errors.ts";
import type { RawPath } from "../../core/raw-path.ts";
import { createLinePool, type LineEvents, type SealLine } from "../../engine/backup/seal-line.ts";
import type { FromWorker, ToWorker } from "../../engine/backup/seal-messages.ts";
import type { SealWorkerKeys } from "../../engine/backup/seal-worker.ts";
import type { SealPool } from "../../engine/backup/types.ts";
import type { Fed, FileFeed } from "./file-feed.ts";

/** What a seal worker hears: its keys first, then jobs, each with what it reads. */
export type SealMessage = { readonly keys: SealWorkerKeys } | { readonly job: ToWorker; readonly fed: readonly Fed[] };

export type SealPoolOptions = {
  readonly keys: SealWorkerKeys;
  readonly size: number;
  readonly start: () => Worker;
  readonly feed: FileFeed;
  readonly onPath: (index: number, path: RawPath) => void;
};

export function createBrowserPool({ keys, size, start, feed, onPath }: SealPoolOptions): SealPool {
  const pool = createLinePool(size, (_, events) => startLine(start(), keys, feed, events), onPath);
  return Object.assign(pool, {
    readLarge(path: RawPath) {
      onPath(0, path);
      return feed.large(path);
    },
  });
}

function startLine(worker: Worker, keys: SealWorkerKeys, feed: FileFeed, { hear, fail }: LineEvents): SealLine {
  const post = (message: SealMessage, transfer: Transferable[] = []): void => worker.postMessage(message, transfer);
  worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => hear(data));
  worker.addEventListener("error", ({ message }) => {
    fail(new AppError("internal", { context: { detail: `a worker could not go on: ${message}` } }));
  });
  post({ keys });
  // Reading begins at once; jobs are handed over in their order.
  let turn: Promise<void> = Promise.resolve();
  return {
    post(job, transfer) {
      const reading = feed.feed(job);
      turn = turn
        .then(async () => {
          const fed = (await reading) ?? [];
          post({ job, fed }, [...transfer, ...fed.flatMap(({ data }) => (data.byteLength > 0 ? [data] : []))]);
        })
        .catch(fail);
    },
    close: async () => worker.terminate(),
  };
}
