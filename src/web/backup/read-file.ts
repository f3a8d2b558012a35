// How a seal worker reads files in a browser. A File is what it was when it was found: reading it fails once the file on the disk has
// changed. Where there is a handle, it is then taken anew, once.

import { type Bytes, releaseBytes } from "../../core/bytes.ts";
import type { RawPath } from "../../core/raw-path.ts";
import { LARGE_FILE_BYTES } from "../../engine/backup/content.ts";
import type { FileAccess, OpenFile } from "../../engine/backup/seal-worker.ts";
import type { FileMark } from "../../engine/backup/types.ts";
import { codeOfDomError, type OpenableFile, timesOf } from "./scan.ts";

/** Only workers have it (File API, 8.5): nothing else waits for one of ours. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

export function browserFiles(find: (path: RawPath) => OpenableFile | undefined): FileAccess {
  const reader = new FileReaderSync();
  return {
    async withFile(path, use) {
      const source = find(path);
      if (!source) throw problem("ENOENT");
      try {
        return await use(openFile(reader, source.file, source.handle));
      } catch (error) {
        if (!(error instanceof DOMException)) throw error;
        if (error.name !== "NotReadableError" || !source.handle) throw problem(codeOfDomError(error), error);
        return await retried(reader, source.handle, use);
      }
    },
  };
}

async function retried<T>(
  reader: FileReaderSync,
  handle: FileSystemFileHandle,
  use: (file: OpenFile) => T | Promise<T>,
) {
  try {
    return await use(openFile(reader, await handle.getFile(), handle));
  } catch (error) {
    throw error instanceof DOMException ? problem(codeOfDomError(error), error) : error;
  }
}

function openFile(reader: FileReaderSync, file: File, handle: FileSystemFileHandle | undefined): OpenFile {
  return {
    read(target: Bytes, at, length, offset) {
      const end = Math.min(offset + length, file.size);
      if (offset >= end) return 0;
      const part = new Uint8Array(reader.readAsArrayBuffer(file.slice(offset, end)));
      target.set(part, at);
      releaseBytes(part);
      return part.length;
    },
    // Small files are read from one File, which cannot change. The parts of a large one are read by several workers over minutes.
    mark: () => (handle && file.size > LARGE_FILE_BYTES ? handle.getFile().then(markOf) : markOf(file)),
    holes: () => [],
  };
}

function markOf({ size, lastModified }: File): FileMark {
  return { size, ...timesOf(lastModified), inode: 0 };
}

function problem(code: string, cause?: unknown): Error {
  return Object.assign(new Error(code, { cause }), { code });
}
