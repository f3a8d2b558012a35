// The bytes of one old file, checked while they pass: against what the folder said of it before, and against the database's checksum.

import { createReadStream } from "node:fs";
import { emptyFileStat } from "../../client/file-stat.ts";
import { lstatInto, nodePath } from "../../client/posix.ts";
import { Cksum } from "../../core/checksum.ts";
import { AppError, throwIfAborted } from "../../core/errors.ts";
import { rawToText } from "../../core/raw-path.ts";
import type { ImportItem } from "./find.ts";

const SLICE_BYTES = 2 ** 20;

/** A file that the system does not let us read: a problem of that file, where the same code from the vault would end the run. */
export class UnreadableFile extends Error {
  readonly code: string;

  constructor(cause: unknown) {
    super("a file could not be read", { cause });
    this.code = (cause as NodeJS.ErrnoException).code ?? "EIO";
  }
}

export type ContentOptions = {
  readonly signal: AbortSignal | undefined;
  readonly onBytes?: (bytes: number) => void;
};

/** Throws `v3_checksum` at the end when the content fits none of the item's checksums, or the file changed meanwhile. */
export async function* provenContent(item: ImportItem, options: ContentOptions): AsyncGenerator<Uint8Array> {
  const sum = new Cksum();
  yield* contentInto(sum, item, options);
  const { cksums } = item;
  if (cksums.length > 0 && !cksums.includes(sum.digest())) {
    throw wrong(item, `it is ${sum.digest()}, and the database says ${cksums.join(" or ")}.`);
  }
}

/** The same for a file that is taken whatever its checksum. */
export async function* unprovenContent(item: ImportItem, options: ContentOptions): AsyncGenerator<Uint8Array> {
  yield* contentInto(new Cksum(), item, options);
}

async function* contentInto(
  sum: Cksum,
  item: ImportItem,
  { signal, onBytes }: ContentOptions,
): AsyncGenerator<Uint8Array> {
  for await (const slice of slicesOf(item)) {
    throwIfAborted(signal);
    sum.update(slice);
    onBytes?.(slice.length);
    yield slice;
  }
  if (!isAsFound(item, sum.state.lengthBytes)) throw wrong(item, "it changed while it was read.");
}

async function* slicesOf({ entry }: ImportItem): AsyncGenerator<Uint8Array> {
  const stream = createReadStream(nodePath(entry.path), { highWaterMark: SLICE_BYTES }) as AsyncIterable<Buffer>;
  const slices = stream[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await slices.next().catch((error: unknown) => {
        throw new UnreadableFile(error);
      });
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await slices.return?.();
  }
}

function isAsFound({ entry }: ImportItem, readBytes: number): boolean {
  const now = emptyFileStat();
  try {
    lstatInto(entry.path, now);
  } catch (error) {
    throw new UnreadableFile(error);
  }
  return now.size === readBytes && now.mtimeSeconds === entry.mtimeSeconds && now.mtimeNanos === entry.mtimeNanos;
}

function wrong({ entry }: ImportItem, detail: string): AppError {
  return new AppError("v3_checksum", { context: { path: rawToText(entry.path), detail } });
}
