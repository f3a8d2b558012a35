// A file of the File System Access API as the end of a transfer. It is written beside its name and takes it at the end (that is what the
// browser does with a writable), then read again, and every piece of it is held against the chunkId that the backup has for it.

import { equalBytes, releaseBytes } from "../../../core/bytes.ts";
import { AppError } from "../../../core/errors.ts";
import type { VaultReader } from "../../../engine/reader/reader.ts";
import { KIND_DATA } from "../../../wire/v4/vault-port.ts";
import type { ContentPiece, FileSink } from "./file-writes.ts";

const KIND_PREFIX = Uint8Array.of(KIND_DATA);
/** Read again in one go. */
const CHECK_BYTES = 4 * 2 ** 20;

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
  let at = 0;
  for (let i = 0; i < content.length; ) {
    const from = i;
    let length = 0;
    while (i < content.length && (i === from || length + content[i]!.length <= CHECK_BYTES))
      length += content[i++]!.length;
    const bytes = new Uint8Array(await file.slice(at, at + length).arrayBuffer());
    let offset = 0;
    for (const piece of content.slice(from, i)) {
      const chunk = bytes.subarray(offset, offset + piece.length);
      const id = await primitives.hmacSha256(chunkIdKey, KIND_PREFIX, chunk);
      if (!equalBytes(id, piece.id)) throw unverified(shown);
      offset += piece.length;
    }
    releaseBytes(bytes);
    at += length;
    onChecked?.(length);
  }
  if (file.size !== at) throw unverified(shown);
}

function unverified(path: string): AppError {
  return new AppError("io", { context: { path, detail: "it was written, but reads back as something else." } });
}
