// A file of the File System Access API as the end of a transfer. It is written beside its name and takes it at the end (that is what the
// browser does with a writable), then read again, and every piece of it is held against the chunkId that the backup has for it.

import { type Bytes, equalBytes } from "../../../core/bytes.ts";
import { AppError } from "../../../core/errors.ts";
import type { VaultReader } from "../../../engine/reader/reader.ts";
import { KIND_DATA } from "../../../wire/v4/vault-port.ts";
import { type SliceReader, sliceReader } from "../slice-reader.ts";
import type { ContentPiece, FileSink } from "./file-writes.ts";
import { JoinedWrites } from "./joined-writes.ts";

const KIND_PREFIX = Uint8Array.of(KIND_DATA);
const FIRST_BUFFER_BYTES = 64 * 1024;

export type SinkOptions = {
  readonly shown: string;
  readonly sizeBytes: number;
  readonly onChecked?: ((bytes: number) => void) | undefined;
};

/** `shown` is for messages. `sizeBytes`: how large the file will be. `onChecked` hears of bytes that were read again. */
export async function handleSink(
  reader: VaultReader,
  handle: FileSystemFileHandle,
  { shown, sizeBytes, onChecked }: SinkOptions,
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
  { shown, onChecked }: Pick<SinkOptions, "shown" | "onChecked">,
): Promise<void> {
  const { primitives } = reader.platform;
  const { chunkIdKey } = reader.secrets.writer;
  const bytes = new FileBytes(file);
  let at = 0;
  const check = async ({ id, length }: ContentPiece, chunk: Uint8Array): Promise<void> => {
    const found = await primitives.hmacSha256(chunkIdKey, KIND_PREFIX, chunk);
    if (!equalBytes(found, id)) throw unverified(shown);
    onChecked?.(length);
  };
  let checking = Promise.resolve();
  try {
    for (const piece of content) {
      // The next one is read while the last one is being hashed.
      const chunk = await bytes.next(piece.length);
      await checking;
      if (!chunk) throw unverified(shown);
      checking = check(piece, chunk);
      checking.catch(() => undefined);
      at += piece.length;
    }
    await checking;
  } finally {
    await bytes.end();
  }
  if (file.size !== at) throw unverified(shown);
}

/** A file from its first byte on, in two buffers that are used by turns. */
class FileBytes {
  readonly #slices: SliceReader;
  readonly #buffers: [Bytes, Bytes] = [new Uint8Array(), new Uint8Array()];
  #turn: 0 | 1 = 0;
  #rest: Uint8Array = new Uint8Array();

  constructor(file: File) {
    this.#slices = sliceReader(file.stream());
  }

  /** A view that is valid until the next but one; undefined when the file has no more. */
  async next(length: number): Promise<Uint8Array | undefined> {
    // With room for the prefix that goes before it (worker-primitives.ts).
    const start = KIND_PREFIX.length;
    this.#turn = this.#turn === 0 ? 1 : 0;
    if (this.#buffers[this.#turn].length < start + length)
      this.#buffers[this.#turn] = new Uint8Array(Math.max(FIRST_BUFFER_BYTES, 2 * (start + length)));
    const buffer = this.#buffers[this.#turn];
    for (let got = 0; got < length; ) {
      if (this.#rest.length === 0) {
        const slice = await this.#slices.read();
        if (!slice) return undefined;
        this.#rest = slice;
      }
      const part = this.#rest.subarray(0, length - got);
      buffer.set(part, start + got);
      got += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    return buffer.subarray(start, start + length);
  }

  async end(): Promise<void> {
    await this.#slices.cancel().catch(() => undefined);
  }
}

function unverified(path: string): AppError {
  return new AppError("io", { context: { path, detail: "it was written, but reads back as something else." } });
}
