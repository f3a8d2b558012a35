// One file, or a selection as an archive, into one file of the person's computer: the one that they chose where the browser lets pages
// write (File System Access API), else one in the browser's own storage on disk, which the page hands out as a download afterwards.

import { AppError } from "../../../core/errors.ts";
import { rawToText } from "../../../core/raw-path.ts";
import { dumpTar } from "../../../engine/dump/tar.ts";
import { dumpZip } from "../../../engine/dump/zip.ts";
import { readFile } from "../../../engine/reader/file-content.ts";
import type { VaultReader } from "../../../engine/reader/reader.ts";
import type { FoundEntry } from "../../../engine/reader/tree-reader.ts";
import { ENTRY } from "../../../wire/v4/tree-types.ts";
import { readAhead } from "../open-blocks.ts";
import type { SaveTarget, TransferResult } from "../reader-api.ts";
import { writeFailed, writeFiles } from "./file-writes.ts";
import { handleSink } from "./handle-sink.ts";
import type { Progress } from "./progress.ts";
import { commonFolder, countPicked } from "./selection.ts";
import { storageFile } from "./storage.ts";

type SaveOptions = {
  readonly reader: VaultReader;
  readonly target: SaveTarget;
  readonly signal: AbortSignal;
  readonly progress: Progress;
};

type Saved = TransferResult & { readonly storageName?: string };

/** A file above this is read in windows of its own; below it, neighbours share blocks. */
const LARGE_BYTES = 8 * 2 ** 20;
/** Written in one go: each write is a message to the browser's own process. */
const WRITE_BYTES = 1 << 20;

/** Throws `usage` when it is no file, and what reading throws: a file that cannot be had whole is not there at all. */
export async function saveFile(found: FoundEntry, options: SaveOptions): Promise<Saved> {
  const { reader, signal, progress } = options;
  const { path, entry } = found;
  const shown = rawToText(path);
  if (entry.type !== ENTRY.file) throw new AppError("usage", { context: { detail: `${shown} is not a file.` } });
  progress.totalFiles = 1;
  progress.totalBytes = entry.size ?? 0;
  progress.current = shown;
  const { handle, name } = await handleOf(options.target);
  let failure: AppError | undefined;
  const job = {
    path,
    entry,
    open: () => handleSink(reader, handle, { shown, sizeBytes: entry.size ?? 0 }),
    onFailed: (error: AppError) => {
      failure = error;
    },
    onDone: () => progress.files++,
  };
  const onBytes = (count: number): void => {
    progress.bytes += count;
    progress.tell();
  };
  await writeFiles(reader, one(job), { signal, onBytes });
  if (failure) throw failure;
  progress.tell(true);
  return { ...progress.result(), ...name };
}

/** Throws at the first file that cannot be read: an archive with a hole in it would look whole. */
export async function saveArchive(
  picked: readonly FoundEntry[],
  { format, ...options }: SaveOptions & { readonly format: "zip" | "tar" },
): Promise<Saved> {
  const { reader, signal, progress } = options;
  countPicked(reader, picked, signal).then(
    ({ files, bytes }) => {
      progress.totalFiles = files;
      progress.totalBytes = bytes;
    },
    () => undefined,
  );
  const { handle, name } = await handleOf(options.target);
  const dump = format === "zip" ? dumpZip : dumpTar;
  const bytes = dump(reader, picked, {
    signal,
    relativeTo: commonFolder(picked),
    read: (_, found) => contentOf(found, options),
    onSkip: ({ path }) =>
      progress.note({
        path: rawToText(path),
        kind: "unsupported",
        detail: "of a kind that such an archive cannot hold",
      }),
  });
  const writable = await handle.createWritable();
  try {
    for await (const part of inParts(bytes)) {
      await writable.write(part);
      progress.tell();
    }
    await writable.close();
  } catch (error) {
    await writable.abort().catch(() => undefined);
    throw error instanceof AppError ? error : writeFailed(error);
  }
  progress.tell(true);
  return { ...progress.result(), ...name };
}

async function* contentOf(found: Pick<FoundEntry, "path" | "entry">, { reader, signal, progress }: SaveOptions) {
  progress.current = rawToText(found.path);
  const size = found.entry.size ?? 0;
  const bytes = size > LARGE_BYTES ? readAhead(reader, found, { signal }) : readFile(reader, found, { signal });
  for await (const slice of bytes) {
    progress.bytes += slice.length;
    yield slice;
  }
  progress.files++;
}

/** Gathers what comes in small slices; each part is its receiver's. */
async function* inParts(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let part = new Uint8Array(WRITE_BYTES);
  let length = 0;
  for await (const slice of bytes) {
    if (length + slice.length > part.length) {
      if (length > 0) yield part.subarray(0, length);
      part = new Uint8Array(Math.max(WRITE_BYTES, slice.length));
      length = 0;
    }
    part.set(slice, length);
    length += slice.length;
  }
  if (length > 0) yield part.subarray(0, length);
}

async function handleOf(target: SaveTarget): Promise<{ handle: FileSystemFileHandle; name: { storageName?: string } }> {
  if (target.to === "handle") return { handle: target.handle, name: {} };
  const { handle, name } = await storageFile();
  return { handle, name: { storageName: name } };
}

async function* one<T>(item: T): AsyncGenerator<T> {
  yield item;
}
