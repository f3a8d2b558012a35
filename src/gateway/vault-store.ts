// Uploads into a vault, of which the gateway is one more write-only device: each one is a backup of one file whose bytes come off the
// wire. The run gets its last byte's end only at `commit`, so until then there is no snapshot that anybody could see; what it has
// sealed and stored by then is unreferenced, and goes with the next collection. A user becomes the host and a tag, user and file together the plan.

import { availableParallelism } from "node:os";
import { asyncNodePlatform } from "../client/async-platform.ts";
import type { BackupRequest } from "../client/backup.ts";
import { createSealPool } from "../client/seal-pool.ts";
import { AppError } from "../core/errors.ts";
import { type RawPath, rawFromText, rawJoin } from "../core/raw-path.ts";
import { createInlinePool } from "../engine/backup/inline-pool.ts";
import { backUp, newProgress } from "../engine/backup/run.ts";
import type { SealWorkerKeys } from "../engine/backup/seal-worker.ts";
import type { ScannedEntry, SealPool } from "../engine/backup/types.ts";
import { ENTRY } from "../wire/v4/tree-types.ts";
import type { VaultPort } from "../wire/v4/vault-port.ts";
import { HeldStream } from "./held-stream.ts";
import { noFiles, oneFileSource, v3Plan, v3Tags } from "./one-file.ts";
import { Places } from "./places.ts";
import type { Upload, UploadFile, UploadStore } from "./upload-store.ts";

export type VaultStoreOptions = {
  readonly vault: VaultPort;
  readonly device: BackupRequest["device"];
  readonly compressionLevel: number;
  readonly packBytes: number;
  readonly program: string;
};

const FILE_MODE = 0o600;
/** Plaintext that waits for the engine. */
const QUEUE_BYTES = 512 * 1024;
/** Starting a thread costs more than sealing a smaller file. */
const THREAD_FROM_BYTES = 32 * 2 ** 20;
/** Uploads that have threads at a time; the others, and small ones, are sealed by Node's own thread pool. */
const THREADED_AT_MOST = 4;
/** Threads of one upload: the event loop has a core's worth to do with it as well. */
const THREADS = Math.max(1, Math.min(2, availableParallelism() - 1));

export function createVaultStore(options: VaultStoreOptions): UploadStore {
  const running = new Set<VaultUpload>();
  const threads = new Places(THREADED_AT_MOST);
  return {
    description: "vault",
    async begin(file) {
      const upload = new VaultUpload(options, threads, file, () => running.delete(upload));
      running.add(upload);
      return upload;
    },
    async close() {
      await Promise.all([...running].map((upload) => upload.abort()));
    },
  };
}

class VaultUpload implements Upload {
  readonly #stream = new HeldStream(QUEUE_BYTES);
  readonly #run: Promise<unknown>;

  constructor(options: VaultStoreOptions, threads: Places, file: UploadFile, onEnd: () => void) {
    // A run that fails by itself must reach a writer that waits.
    this.#run = backUpOne(options, threads, file, this.#stream).finally(onEnd);
    this.#run.catch((error: unknown) => this.#stream.fail(error));
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#stream.push(bytes);
  }

  async commit(): Promise<void> {
    this.#stream.end();
    await this.#run;
  }

  async abort(): Promise<void> {
    this.#stream.fail(new AppError("interrupted"));
    await this.#run.catch(() => undefined);
  }
}

async function backUpOne(
  options: VaultStoreOptions,
  threads: Places,
  file: UploadFile,
  stream: HeldStream,
): Promise<void> {
  const { vault, device, compressionLevel, packBytes, program } = options;
  const entry = entryOf(file);
  await backUp({
    vault,
    platform: asyncNodePlatform,
    source: oneFileSource(entry, stream),
    createPool: (keys) => poolFor(file, keys, threads),
    writer: device.writer,
    signer: device.signer,
    plan: v3Plan(file.user, entry.name),
    tags: v3Tags(file.user),
    about: { paths: [entry.path], host: file.user, user: file.user, program },
    previous: undefined,
    writeState: undefined,
    force: false,
    dryRun: false,
    level: compressionLevel,
    packBytes,
    progress: newProgress(),
    signal: undefined,
  });
}

function poolFor({ sizeBytes }: UploadFile, keys: SealWorkerKeys, threads: Places): SealPool {
  const giveBack = sizeBytes < THREAD_FROM_BYTES ? undefined : threads.takeNow();
  if (!giveBack) return createInlinePool(asyncNodePlatform, noFiles, keys, 1);
  const pool = createSealPool(keys, THREADS);
  const { close } = pool;
  return Object.assign(pool, { close: () => close().finally(giveBack) });
}

/** Protocol 3 tells nothing of a file but its name: it is the gateway's, and as old as its arrival. */
function entryOf({ name, sizeBytes }: UploadFile): ScannedEntry {
  const nowMs = asyncNodePlatform.clock.now();
  const seconds = Math.floor(nowMs / 1000);
  const nanos = Math.floor((nowMs % 1000) * 1e6);
  const raw = rawFromText(name);
  return {
    type: ENTRY.file,
    name: raw,
    path: rawJoin("/" as RawPath, raw),
    mode: FILE_MODE,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    links: 1,
    size: sizeBytes,
    mtimeSeconds: seconds,
    mtimeNanos: nanos,
    ctimeSeconds: seconds,
    ctimeNanos: nanos,
    birthSeconds: undefined,
    birthNanos: undefined,
    inode: 0,
    device: 0,
    rdevMajor: 0,
    rdevMinor: 0,
    allocated: sizeBytes,
  };
}
