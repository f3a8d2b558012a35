// A restore worker in a thread of Node: binds BlockWriter to the main thread's messages, one after the other.

import { parentPort, workerData } from "node:worker_threads";
import { sayLoaded } from "../loading-thread.ts";
import { nodePlatform } from "../platform.ts";
import { BlockWriter } from "./block-writer.ts";
import type { FromWriter, ToWriter, WorkerSetup } from "./jobs.ts";

const port = parentPort!;
const writer = new BlockWriter(nodePlatform, workerData as WorkerSetup);

async function handle({ id, job }: ToWriter): Promise<FromWriter> {
  return { id, reply: job.kind === "write" ? await writer.write(job) : await writer.compare(job) };
}

let turn: Promise<void> = Promise.resolve();
port.on("message", (message: ToWriter) => {
  turn = turn
    .then(() => handle(message))
    .catch((error: unknown) => ({ id: message.id, crash: String((error as Error).stack ?? error) }))
    .then((answer: FromWriter) => port.postMessage(answer));
});
sayLoaded();
