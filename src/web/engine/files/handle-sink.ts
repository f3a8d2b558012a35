// A file of the File System Access API as the end of a transfer. It is written beside its name and takes it at the end (that is what the
// browser does with a writable), then read again, and every piece of it is held against the chunkId that the backup has for it.

import { AppError } from "../../../core/errors.ts";
import type { VaultReader } from "../../../engine/reader/reader.ts";
import { PooledReader } from "../opener-pool.ts";
import { holdsPieces, partsOf } from "./file-check.ts";
import type { ContentPiece, FileSink } from "./file-writes.ts";
import { JoinedWrites } from "./joined-writes.ts";

/** Files from here on are read again by the helpers as well: hashing takes the thread that asks for it. */
const SHARED_FROM_BYTES = 16 * 2 ** 20;

export type SinkOptions = {
  readonly shown: string;
  readonly sizeBytes: number;
};

/** `shown` is for messages. `sizeBytes`: how large the file will be. */
export async function handleSink(
  reader: VaultReader,
  handle: FileSystemFileHandle,
  { shown, sizeBytes }: SinkOptions,
): Promise<FileSink> {
  const writable = await handle.createWritable();
  const writes = new JoinedWrites(writable, sizeBytes);
  let isOver = false;
  return {
    write: (position, data) => writes.add(position, data),

    async close(content) {
      await writes.end();
      isOver = true;
      await writable.close();
      await checkFile(reader, await handle.getFile(), content, shown);
    },

    async abort() {
      if (!isOver) await writable.abort();
      isOver = true;
    },
  };
}

/** Throws `io` when the file does not hold what was to be written. */
async function checkFile(
  reader: VaultReader,
  file: File,
  content: readonly ContentPiece[],
  shown: string,
): Promise<void> {
  const { primitives } = reader.platform;
  const { chunkIdKey } = reader.secrets.writer;
  const { whole } = reader;
  const helpers = whole instanceof PooledReader ? whole.helpers : [];
  const parts = partsOf(content, file.size < SHARED_FROM_BYTES ? 1 : 1 + helpers.length);
  const checks = parts.map(({ pieces, start, end }, i) => {
    const part = file.slice(start, end);
    return i === 0 ? holdsPieces(part, pieces, primitives, chunkIdKey) : helpers[i - 1]!.check(part, pieces);
  });
  const found = await Promise.all(checks);
  if (file.size !== (parts.at(-1)?.end ?? 0) || !found.every((holds) => holds)) throw unverified(shown);
}

function unverified(path: string): AppError {
  return new AppError("io", { context: { path, detail: "it was written, but reads back as something else." } });
}
