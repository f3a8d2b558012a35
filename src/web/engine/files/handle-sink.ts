// A file of the File System Access API as the end of a transfer. It is written beside its name and takes it at the end (that is what the
// browser does with a writable), then read again, and every piece of it is held against the chunkId that the backup has for it.

import { equalBytes, releaseBytes } from "../../../core/bytes.ts";
import { AppError } from "../../../core/errors.ts";
import type { VaultReader } from "../../../engine/reader/reader.ts";
import { KIND_DATA } from "../../../wire/v4/vault-port.ts";
import type { ContentPiece, FileSink } from "./file-writes.ts";

const KIND_PREFIX = Uint8Array.of(KIND_DATA);
const FIRST_BUFFER_BYTES = 64 * 1024;

/** `shown` is for messages. `onChecked` hears of bytes that were read again. */
export async function handleSink(
  reader: VaultReader,
  handle: FileSystemFileHandle,
  { shown, onChecked }: { readonly shown: string; readonly onChecked?: ((bytes: number) => void) | undefined },
): Promise<FileSink> {
  const writable = await handle.createWritable();
  let isOver = false;
  return {
    write: (position, data) => writable.write({ type: "write", position, data: data as Uint8Array<ArrayBuffer> }),

    async close(content) {
      isOver = true;
      await writable.close();
      await checkFile(reader, await handle.getFile(), content, { shown, onChecked });
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
  { shown, onChecked }: { readonly shown: string; readonly onChecked?: ((bytes: number) => void) | undefined },
): Promise<void> {
  const { primitives } = reader.platform;
  const { chunkIdKey } = reader.secrets.writer;
  const bytes = new FileBytes(file);
  let at = 0;
  try {
    for (const { id, length } of content) {
      const chunk = await bytes.next(length);
      const found = chunk && (await primitives.hmacSha256(chunkIdKey, KIND_PREFIX, chunk));
      if (!found || !equalBytes(found, id)) throw unverified(shown);
      at += length;
      onChecked?.(length);
    }
  } finally {
    await bytes.end();
  }
  if (file.size !== at) throw unverified(shown);
}

/** A file from its first byte on, in one buffer that is used again. */
class FileBytes {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_BUFFER_BYTES);
  #rest: Uint8Array = new Uint8Array();

  constructor(file: File) {
    this.#reader = file.stream().getReader();
  }

  /** A view that is valid until the next one; undefined when the file has no more. */
  async next(length: number): Promise<Uint8Array | undefined> {
    // With room for the prefix that goes before it (worker-primitives.ts).
    const start = KIND_PREFIX.length;
    if (this.#buffer.length < start + length) this.#buffer = new Uint8Array(2 * (start + length));
    for (let got = 0; got < length; ) {
      if (this.#rest.length === 0) {
        const { done, value } = await this.#reader.read();
        if (done) return undefined;
        this.#rest = value;
      }
      const part = this.#rest.subarray(0, length - got);
      this.#buffer.set(part, start + got);
      got += part.length;
      this.#rest = this.#rest.subarray(part.length);
      if (this.#rest.length === 0) releaseBytes(this.#rest);
    }
    return this.#buffer.subarray(start, start + length);
  }

  async end(): Promise<void> {
    await this.#reader.cancel().catch(() => undefined);
  }
}

function unverified(path: string): AppError {
  return new AppError("io", { context: { path, detail: "it was written, but reads back as something else." } });
}
