// A seal worker in a thread of Node: binds the engine's SealWorker to files and to the main thread's messages.

import { closeSync, constants, openSync, readSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import type { Bytes } from "../core/bytes.ts";
import type { RawPath } from "../core/raw-path.ts";
import { type FileAccess, type OpenFile, SealWorker } from "../engine/backup/seal-worker.ts";
import type { FileMark, FinishedBlock } from "../engine/backup/types.ts";
import { emptyFileStat } from "./file-stat.ts";
import { nodePlatform } from "./platform.ts";
import { findHoles, fstatInto, nodePath } from "./posix.ts";
import type { FromWorker, ToWorker, WorkerSetup } from "./seal-messages.ts";

const { keys } = workerData as WorkerSetup;
const port = parentPort!;
const stat = emptyFileStat();
// Never follow a link that took the file's place, never wait for a FIFO that did.
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const files: FileAccess = {
  withFile(path, use) {
    const fd = openSync(nodePath(path), FLAGS);
    let result: ReturnType<typeof use>;
    try {
      result = use(openFile(fd, path));
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    if (result instanceof Promise) return result.finally(() => closeSync(fd));
    closeSync(fd);
    return result;
  },
};

function openFile(fd: number, path: RawPath): OpenFile {
  return {
    read: (target: Bytes, at: number, length: number, offset: number) => readSync(fd, target, at, length, offset),
    mark: (): FileMark => {
      fstatInto(fd, path, stat);
      const { size, mtimeSeconds, mtimeNanos, ctimeSeconds, ctimeNanos, inode } = stat;
      return { size, mtimeSeconds, mtimeNanos, ctimeSeconds, ctimeNanos, inode };
    },
    holes: (size) => {
      fstatInto(fd, path, stat);
      return stat.allocated < size ? findHoles(fd, size) : [];
    },
  };
}

const worker = new SealWorker(nodePlatform, files, keys, (block) => {
  const own = ownBuffer(block);
  post({ done: "block", block: own }, [own.frame.buffer, own.chunkIds.buffer]);
});

/** A block whose bytes are not part of a larger buffer, so that they can be transferred. */
function ownBuffer(block: FinishedBlock): FinishedBlock {
  return { ...block, frame: own(block.frame), chunkIds: own(block.chunkIds), blockId: Uint8Array.from(block.blockId) };
}

function own(bytes: Bytes): Bytes {
  return bytes.byteLength === bytes.buffer.byteLength ? new Uint8Array(bytes.buffer) : bytes.slice();
}

function post(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

async function handle(message: ToWorker): Promise<void> {
  switch (message.do) {
    case "read": {
      const result = await worker.read(message.id, message.job);
      return post({ done: "read", id: message.id, result });
    }
    case "assign":
      return worker.assign(message.id, message.counters);
    case "scan":
      return post({ done: "scan", id: message.id, result: await worker.scan(message.job) });
    case "inspect":
      return post({ done: "inspect", id: message.id, result: await worker.inspect(message.path) });
    case "seal":
      return worker.seal(message.kind, message.counter, message.payload, message.chunkIds);
    case "flush":
      await worker.flush();
      return post({ done: "flush", id: message.id });
  }
}

let turn: Promise<void> = Promise.resolve();
port.on("message", (message: ToWorker) => {
  turn = turn
    .then(() => handle(message))
    .catch((error: unknown) => post({ done: "failed", message: String((error as Error).stack ?? error) }));
});
