// A seal worker in a thread of Node: binds the engine's SealWorker to files and to the main thread's messages.

import { closeSync, constants, openSync, readSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import type { Bytes } from "../core/bytes.ts";
import type { RawPath } from "../core/raw-path.ts";
import type { FileAccess, OpenFile } from "../engine/backup/read-file.ts";
import { serveLine } from "../engine/backup/seal-line.ts";
import type { WorkerSetup } from "../engine/backup/seal-messages.ts";
import { SealWorker } from "../engine/backup/seal-worker.ts";
import type { FileMark } from "../engine/backup/types.ts";
import { emptyFileStat } from "./file-stat.ts";
import { sayLoaded } from "./loading-thread.ts";
import { nodePlatform } from "./platform.ts";
import { findHoles, fstatInto, nodePath } from "./posix.ts";

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

const take = serveLine(
  (events) => new SealWorker(nodePlatform, files, keys, events),
  (message, transfer) => port.postMessage(message, transfer),
);
port.on("message", take);
sayLoaded();
