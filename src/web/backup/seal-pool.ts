// The engine's SealPool on workers of the browser. Files travel with the jobs that read them: a worker opens nothing by name.

import { AppError } from "../../core/errors.ts";
import type { RawPath } from "../../core/raw-path.ts";
import { createLinePool, type LineEvents, type SealLine } from "../../engine/backup/seal-line.ts";
import type { FromWorker, ToWorker } from "../../engine/backup/seal-messages.ts";
import type { SealWorkerKeys } from "../../engine/backup/seal-worker.ts";
import type { SealPool } from "../../engine/backup/types.ts";
import type { OpenableFile } from "./scan.ts";

/** What a seal worker hears: its keys first, then jobs, each with the large file that it is about. */
export type SealMessage =
  | { readonly keys: SealWorkerKeys }
  | { readonly job: ToWorker; readonly large?: RawPath | undefined; readonly source?: OpenableFile | undefined };

export type SealPoolOptions = {
  readonly keys: SealWorkerKeys;
  readonly size: number;
  readonly start: () => Worker;
  /** The large file at a path: small ones travel inside their jobs. */
  readonly findFile: (path: RawPath) => OpenableFile | undefined;
  readonly onPath: (index: number, path: RawPath) => void;
};

export function createBrowserPool({ keys, size, start, findFile, onPath }: SealPoolOptions): SealPool {
  return createLinePool(size, (_, events) => startLine(start(), keys, findFile, events), onPath);
}

function startLine(
  worker: Worker,
  keys: SealWorkerKeys,
  findFile: SealPoolOptions["findFile"],
  { hear, fail }: LineEvents,
): SealLine {
  const post = (message: SealMessage, transfer: Transferable[] = []): void => worker.postMessage(message, transfer);
  worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => hear(data));
  worker.addEventListener("error", ({ message }) => {
    fail(new AppError("internal", { context: { detail: `a worker could not go on: ${message}` } }));
  });
  post({ keys });
  return {
    post(job, transfer) {
      const path = pathOf(job);
      post({ job, large: path, source: path === undefined ? undefined : findFile(path) }, transfer);
    },
    close: async () => worker.terminate(),
  };
}

function pathOf(message: ToWorker): RawPath | undefined {
  if (message.do === "inspect") return message.path;
  if (message.do === "scan") return message.job.path;
  return message.do === "read" && message.job.kind === "range" ? message.job.path : undefined;
}
