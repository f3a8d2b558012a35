// Reads files for the seal workers, ahead of them and each byte once, so that they never wait for the browser: small files of a batch side
// by side, large ones segment by segment, which serves both the search for cuts and the chunks that come of it.
// A File is what it was when it was found: reading it fails once the file on the disk has changed. Where there is a handle, it is then
// taken anew, once.

import type { Bytes } from "../../core/bytes.ts";
import type { RawPath } from "../../core/raw-path.ts";
import { LARGE_FILE_BYTES } from "../../engine/backup/content.ts";
import type { ToWorker } from "../../engine/backup/seal-messages.ts";
import type { FileMark } from "../../engine/backup/types.ts";
import { CHUNK_WINDOW } from "../../engine/chunker.ts";
import { type BrowserEntry, codeOfDomError, type OpenableFile, timesOf } from "./scan.ts";

/** What a worker needs of one file for one job: bytes from `offset` on, or why there are none. */
export type Fed = {
  readonly path: RawPath;
  readonly mark: FileMark;
  readonly offset: number;
  readonly data: ArrayBuffer;
  readonly problem?: string | undefined;
};

type Segment = { readonly offset: number; readonly end: number; readonly data: Promise<Bytes> };
type LargeFile = { source: OpenableFile; segments: Segment[] };

const NO_DATA = new ArrayBuffer(0);

export class FileFeed {
  readonly #large = new Map<RawPath, LargeFile>();

  /** Hears of every file of the scan; remembers those that are read in parts. */
  found(path: RawPath, source: OpenableFile): void {
    if (source.file.size > LARGE_FILE_BYTES) this.#large.set(path, { source, segments: [] });
  }

  /** What this job reads; undefined when it reads nothing. Starts at once: what is asked for first is there first. */
  feed(message: ToWorker): Promise<readonly Fed[]> | undefined {
    if (message.do === "inspect") return this.#inspect(message.path);
    if (message.do === "scan") return this.#scan(message.job.path, message.job.offset, message.job.end);
    if (message.do !== "read" || message.job.kind === "data") return undefined;
    const { job } = message;
    if (job.kind === "files") return Promise.all((job.files as readonly BrowserEntry[]).map(readSmall));
    const length = job.lengths.reduce((sum, one) => sum + one, 0);
    return this.#range(job.path, job.offset, job.offset + length);
  }

  async #inspect(path: RawPath): Promise<readonly Fed[]> {
    const large = this.#large.get(path);
    if (!large) return [];
    try {
      const { file, handle } = large.source;
      const now = handle ? await handle.getFile() : file;
      return [{ path, mark: markOf(now), offset: 0, data: NO_DATA }];
    } catch (error) {
      return [failed(path, large.source.file, error)];
    }
  }

  /** The segment is kept for the chunks that will be cut in it; the worker gets a copy, with the bytes before it that cuts depend on. */
  async #scan(path: RawPath, offset: number, end: number): Promise<readonly Fed[]> {
    const large = this.#large.get(path);
    if (!large) return [];
    const from = Math.max(0, offset - CHUNK_WINDOW);
    const data = readPart(large.source, from, end);
    large.segments.push({ offset: from, end, data });
    // Whoever asks for the range will hear of it as well.
    data.catch(() => undefined);
    return [
      await fed(
        path,
        large.source.file,
        from,
        data.then((bytes) => bytes.slice()),
      ),
    ];
  }

  /** Ranges come in order: segments that end before this one are done with. */
  #range(path: RawPath, offset: number, end: number): Promise<readonly Fed[]> {
    const large = this.#large.get(path);
    if (!large) return Promise.resolve([]);
    const data = assemble(large, offset, end);
    large.segments = large.segments.filter((segment) => segment.end > end);
    return fed(path, large.source.file, offset, data).then((one) => [one]);
  }
}

async function assemble({ source, segments }: LargeFile, offset: number, end: number): Promise<Bytes> {
  const out = new Uint8Array(end - offset);
  let at = offset;
  for (const segment of segments) {
    if (segment.offset > at || segment.end <= at) continue;
    const bytes = await segment.data;
    const part = bytes.subarray(at - segment.offset, Math.min(end, segment.end) - segment.offset);
    out.set(part, at - offset);
    at += part.length;
    if (at >= end) return out;
  }
  // What no scan has read (all of it in a browser that forgot), or a file that is shorter than it was.
  const rest = await readPart(source, at, end);
  out.set(rest, at - offset);
  return out.subarray(0, at - offset + rest.length).slice();
}

async function readSmall({ path, source }: BrowserEntry): Promise<Fed> {
  if (!source) return { path, mark: { size: 0, ...timesOf(0), inode: 0 }, offset: 0, data: NO_DATA, problem: "ENOENT" };
  const { file, handle } = source;
  try {
    return { path, mark: markOf(file), offset: 0, data: await file.arrayBuffer() };
  } catch (error) {
    if (!handle || (error as Error).name !== "NotReadableError") return failed(path, file, error);
  }
  try {
    const now = await handle.getFile();
    return { path, mark: markOf(now), offset: 0, data: await now.arrayBuffer() };
  } catch (error) {
    return failed(path, file, error);
  }
}

async function readPart(source: OpenableFile, from: number, end: number): Promise<Bytes> {
  const { file, handle } = source;
  try {
    return new Uint8Array(await file.slice(from, end).arrayBuffer());
  } catch (error) {
    if (!handle || (error as Error).name !== "NotReadableError") throw error;
    return new Uint8Array(await (await handle.getFile()).slice(from, end).arrayBuffer());
  }
}

async function fed(path: RawPath, file: File, offset: number, data: Promise<Bytes>): Promise<Fed> {
  try {
    return { path, mark: markOf(file), offset, data: (await data).buffer };
  } catch (error) {
    return failed(path, file, error);
  }
}

function failed(path: RawPath, file: File, error: unknown): Fed {
  return { path, mark: markOf(file), offset: 0, data: NO_DATA, problem: codeOfDomError(error) };
}

function markOf({ size, lastModified }: File): FileMark {
  return { size, ...timesOf(lastModified), inode: 0 };
}
