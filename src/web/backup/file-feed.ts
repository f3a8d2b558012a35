// Reads files for a run, whose seal workers open nothing: small files of a batch side by side, ahead of the workers; large ones from the first
// byte to the last, each byte once.
// A File is what it was when it was found: reading it fails once the file on the disk has changed. Where there is a handle, it is then
// taken anew, as long as that brings the reading on.

import type { RawPath } from "../../core/raw-path.ts";
import { LARGE_FILE_BYTES } from "../../engine/backup/content.ts";
import type { ToWorker } from "../../engine/backup/seal-messages.ts";
import type { FileMark, LargeRead } from "../../engine/backup/types.ts";
import { sliceReader } from "../engine/slice-reader.ts";
import { type BrowserEntry, codeOfDomError, type OpenableFile, timesOf } from "./scan.ts";

/** What a worker needs of one file for one job: all its bytes, or why there are none. */
export type Fed = {
  readonly path: RawPath;
  readonly mark: FileMark;
  readonly data: ArrayBuffer;
  readonly problem?: string | undefined;
};

const NO_DATA = new ArrayBuffer(0);

export class FileFeed {
  readonly #large = new Map<RawPath, OpenableFile>();

  /** Hears of every file of the scan; remembers the large ones until they are read. */
  found(path: RawPath, source: OpenableFile): void {
    if (source.file.size > LARGE_FILE_BYTES) this.#large.set(path, source);
  }

  /** What this job reads; undefined when it reads nothing. Starts at once: what is asked for first is there first. */
  feed(message: ToWorker): Promise<readonly Fed[]> | undefined {
    if (message.do !== "read" || message.job.kind !== "files") return undefined;
    return Promise.all((message.job.files as readonly BrowserEntry[]).map(readSmall));
  }

  async large(path: RawPath): Promise<LargeRead | { readonly problem: string }> {
    const source = this.#large.get(path);
    this.#large.delete(path);
    if (!source) return { problem: "ENOENT" };
    const { file, handle } = source;
    try {
      const first = handle ? await handle.getFile() : file;
      let problem: string | undefined;
      return {
        mark: markOf(first),
        slices: slicesOf(first, handle, (code) => {
          problem = code;
        }),
        async after() {
          if (problem !== undefined) return { problem };
          try {
            return { mark: markOf(handle ? await handle.getFile() : first) };
          } catch (error) {
            return { problem: codeOfDomError(error) };
          }
        },
      };
    } catch (error) {
      return { problem: codeOfDomError(error) };
    }
  }
}

/** As the browser's own stream gives them, which reads ahead by itself. A slice is valid until the next one. */
async function* slicesOf(
  first: File,
  handle: FileSystemFileHandle | undefined,
  onProblem: (code: string) => void,
): AsyncGenerator<Uint8Array> {
  let file = first;
  let at = 0;
  for (let startedAt = -1; ; ) {
    const reader = sliceReader((at === 0 ? file : file.slice(at)).stream());
    try {
      for (let slice = await reader.read(); slice; slice = await reader.read()) {
        at += slice.length;
        yield slice;
      }
      return;
    } catch (error) {
      if (!handle || (error as Error).name !== "NotReadableError" || at === startedAt)
        return onProblem(codeOfDomError(error));
      startedAt = at;
    } finally {
      // Also when whoever reads has seen enough.
      await reader.cancel().catch(() => undefined);
    }
    try {
      file = await handle.getFile();
    } catch (error) {
      return onProblem(codeOfDomError(error));
    }
  }
}

async function readSmall({ path, source }: BrowserEntry): Promise<Fed> {
  if (!source) return { path, mark: { size: 0, ...timesOf(0), inode: 0 }, data: NO_DATA, problem: "ENOENT" };
  const { file, handle } = source;
  try {
    return { path, mark: markOf(file), data: await file.arrayBuffer() };
  } catch (error) {
    if (!handle || (error as Error).name !== "NotReadableError") return failed(path, file, error);
  }
  try {
    const now = await handle.getFile();
    return { path, mark: markOf(now), data: await now.arrayBuffer() };
  } catch (error) {
    return failed(path, file, error);
  }
}

function failed(path: RawPath, file: File, error: unknown): Fed {
  return { path, mark: markOf(file), data: NO_DATA, problem: codeOfDomError(error) };
}

function markOf({ size, lastModified }: File): FileMark {
  return { size, ...timesOf(lastModified), inode: 0 };
}
