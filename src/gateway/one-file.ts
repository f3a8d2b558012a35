// What each file of a v3 client becomes: a backup source of one file at the root, whose bytes come from a stream, and the workers for
// it. Starting a thread costs more than sealing a small file, so only large ones get threads.

import { availableParallelism } from "node:os";
import { nodePlatform } from "../client/platform.ts";
import { createSealPool } from "../client/seal-pool.ts";
import { AppError } from "../core/errors.ts";
import { type RawPath, rawToText } from "../core/raw-path.ts";
import { createInlinePool } from "../engine/backup/inline-pool.ts";
import type { FileAccess } from "../engine/backup/read-file.ts";
import type { SealWorkerKeys } from "../engine/backup/seal-worker.ts";
import type { BackupSource, ScanItem, ScannedEntry, SealPool } from "../engine/backup/types.ts";
import { ROOT_NAME } from "../wire/v4/state-file.ts";
import { ENTRY } from "../wire/v4/tree-types.ts";

/** On every snapshot that came by protocol 3, through the gateway or out of an old server's folder. */
const V3_TAG = "v3";

/** Retention counts by plan, so each file of a user has its own: no upload can push another file out. */
export function v3Plan(user: string, file: RawPath): string {
  return `${user}/${rawToText(file)}`;
}

/** One of them is the user's name, so that all of a user's files can be asked for. */
export function v3Tags(user: string, ...more: readonly string[]): string[] {
  return [...new Set([V3_TAG, user, ...more])];
}

const FOLDER_MODE = 0o755;
/** About what one thread seals in the time that it takes to start. */
const THREADS_FROM_BYTES = 32 * 2 ** 20;
const MAX_THREADS = 4;

/** Bytes come in by the stream: no worker opens anything. */
export const noFiles: FileAccess = {
  withFile() {
    throw new AppError("internal", { context: { detail: "a worker was to open a file that only a stream has" } });
  },
};

/** What the stream throws ends the run without a snapshot. */
export function oneFileSource(entry: ScannedEntry, stream: AsyncIterable<Uint8Array>): BackupSource {
  const root: ScannedEntry = {
    ...entry,
    type: ENTRY.directory,
    name: ROOT_NAME,
    mode: FOLDER_MODE,
    links: 1,
    size: 0,
    allocated: 0,
  };
  return {
    async *scan(): AsyncGenerator<readonly ScanItem[]> {
      yield [{ kind: "enter", name: root.name, path: root.path }];
      yield [{ kind: "stream", entry, stream }];
      yield [{ kind: "leave", entry: root }];
    },
    details: () => ({}),
    userName: () => undefined,
    groupName: () => undefined,
  };
}

export function poolFor(sizeBytes: number, keys: SealWorkerKeys): SealPool {
  if (sizeBytes < THREADS_FROM_BYTES) return createInlinePool(nodePlatform, noFiles, keys, 1);
  return createSealPool(keys, Math.min(availableParallelism(), MAX_THREADS));
}
