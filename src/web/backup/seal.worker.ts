// A seal worker of the browser: binds the engine's SealWorker to files that come with their jobs.

import type { RawPath } from "../../core/raw-path.ts";
import { serveLine } from "../../engine/backup/seal-line.ts";
import type { FromWorker, ToWorker } from "../../engine/backup/seal-messages.ts";
import { SealWorker } from "../../engine/backup/seal-worker.ts";
import { browserPlatform } from "../engine/platform.ts";
import { browserFiles } from "./read-file.ts";
import type { BrowserEntry, OpenableFile } from "./scan.ts";
import type { SealMessage } from "./seal-pool.ts";

/** Large files that parts may still come of: the engine reads one after the other, a few parts ahead. */
const LARGE_AT_MOST = 8;

const port = globalThis as unknown as Pick<Worker, "postMessage" | "addEventListener">;
/** Each is read once. */
const small = new Map<RawPath, OpenableFile>();
const large = new Map<RawPath, OpenableFile>();
let take: Promise<(job: ToWorker) => void> | undefined;

port.addEventListener("message", ({ data }: MessageEvent<SealMessage>) => {
  if ("keys" in data) {
    take = browserPlatform().then((platform) =>
      serveLine(
        (emit) => new SealWorker(platform, browserFiles(findFile), data.keys, emit),
        (message, transfer) => port.postMessage(message, transfer),
      ),
    );
    return;
  }
  const { job, large: path, source } = data;
  if (path !== undefined && source) remember(path, source);
  else if (job.do === "read" && job.job.kind === "files") {
    for (const { path: of, source: file } of job.job.files as readonly BrowserEntry[]) if (file) small.set(of, file);
  }
  take?.then((handle) => handle(job), fail);
});

function findFile(path: RawPath): OpenableFile | undefined {
  const once = small.get(path);
  small.delete(path);
  return once ?? large.get(path);
}

function remember(path: RawPath, source: OpenableFile): void {
  large.delete(path);
  large.set(path, source);
  for (const oldest of large.keys()) {
    if (large.size <= LARGE_AT_MOST) return;
    large.delete(oldest);
  }
}

function fail(error: unknown): void {
  port.postMessage({ done: "failed", message: String(error) } satisfies FromWorker);
}
