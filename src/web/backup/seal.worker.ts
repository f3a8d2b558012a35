// A seal worker of the browser: binds the engine's SealWorker to what comes with its jobs.

import { serveLine } from "../../engine/backup/seal-line.ts";
import type { FromWorker, ToWorker } from "../../engine/backup/seal-messages.ts";
import { SealWorker } from "../../engine/backup/seal-worker.ts";
import { browserPlatform } from "../engine/platform.ts";
import { FedFiles } from "./fed-files.ts";
import type { SealMessage } from "./seal-pool.ts";

const port = globalThis as unknown as Pick<Worker, "postMessage" | "addEventListener">;
const files = new FedFiles();
let take: Promise<(job: ToWorker, before: () => void) => void> | undefined;

port.addEventListener("message", ({ data }: MessageEvent<SealMessage>) => {
  if ("keys" in data) {
    take = browserPlatform().then((platform) =>
      serveLine(
        (events) => new SealWorker(platform, files, data.keys, events),
        (message, transfer) => port.postMessage(message, transfer),
      ),
    );
    return;
  }
  const { job, fed } = data;
  take?.then(
    (handle) => handle(job, () => files.take(fed)),
    (error: unknown) => port.postMessage({ done: "failed", message: String(error) } satisfies FromWorker),
  );
});
