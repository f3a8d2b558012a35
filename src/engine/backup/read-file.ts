// Reading files for a worker: whole ranges of them, and small ones in such a way that what was read is of one moment. Synchronous file
// access (Node) stays synchronous, the other kind (browsers) is waited for.

import type { Bytes } from "../../core/bytes.ts";
import type { RawPath } from "../../core/raw-path.ts";
import type { Hole } from "../../wire/v4/tree-types.ts";
import type { FileMark, FileOutcome, ReadFile } from "./types.ts";

/** How a worker reaches files. Errors carry a `code` such as "EACCES". Node's are synchronous, a browser's are not. */
export type FileAccess = {
  /** Opens without following a link; `use` may read at any offset; always closes. */
  withFile<T>(path: RawPath, use: (file: OpenFile) => T | Promise<T>): T | Promise<T>;
};

export type OpenFile = {
  /** Reads up to `length` bytes at `offset` of the file into `target[at…)`; 0 at the end. */
  read(target: Bytes, at: number, length: number, offset: number): number | Promise<number>;
  mark(): FileMark | Promise<FileMark>;
  holes(size: number): readonly Hole[];
};

/** Reads a small file into `room` and makes sure that it stood still: a second try when it is not as the scan saw it. */
export function readSettled(
  file: OpenFile,
  scanned: ReadFile,
  room: Room,
): MaybePromise<FileOutcome & { size: number }> {
  makeRoom(room, scanned.size);
  return then(readFully(file, room.buffer, room.at, scanned.size, 0), (size) =>
    then(file.mark(), (mark) =>
      size === scanned.size && sameMark(mark, scanned) ? { chunks: 0, size } : readAgain(file, mark, room),
    ),
  );
}

async function readAgain(file: OpenFile, before: FileMark, room: Room): Promise<FileOutcome & { size: number }> {
  makeRoom(room, before.size);
  const size = await readFully(file, room.buffer, room.at, before.size, 0);
  const after = await file.mark();
  const settled = size === before.size && sameMark(after, before);
  // The mark from before the bytes: one from after them could hide from the next run that they are a mixture.
  return { chunks: 0, size, mark: { ...before, size }, ...(settled ? {} : { changed: true }) };
}

/** Bytes of a batch, and where the next file goes. */
export type Room = { buffer: Bytes; readonly at: number };

/** The batch's buffer has the size that the scan told; files that grew since, even those before this one, may need more. */
function makeRoom(room: Room, length: number): void {
  if (room.at + length <= room.buffer.length) return;
  const grown = new Uint8Array((room.at + length) * 2);
  grown.set(room.buffer.subarray(0, room.at));
  room.buffer = grown;
}

type MaybePromise<T> = T | Promise<T>;

/** Goes on at once when the value is there, so that synchronous file access stays synchronous. */
function then<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Reads until `length` bytes or the end of the file; gives the number of bytes read. */
export function readFully(
  file: OpenFile,
  target: Bytes,
  at: number,
  length: number,
  offset: number,
): MaybePromise<number> {
  let got = 0;
  while (got < length) {
    const read = file.read(target, at + got, length - got, offset + got);
    if (read instanceof Promise) return readFullyLater(file, target, at, length, offset, got, read);
    if (read === 0) break;
    got += read;
  }
  return got;
}

async function readFullyLater(
  file: OpenFile,
  target: Bytes,
  at: number,
  length: number,
  offset: number,
  start: number,
  first: Promise<number>,
): Promise<number> {
  let got = start;
  for (let read = await first; read > 0; read = await file.read(target, at + got, length - got, offset + got)) {
    got += read;
    if (got >= length) break;
  }
  return got;
}

function sameMark(a: FileMark, b: FileMark): boolean {
  return (
    a.size === b.size &&
    a.mtimeNanos === b.mtimeNanos &&
    a.mtimeSeconds === b.mtimeSeconds &&
    a.ctimeNanos === b.ctimeNanos &&
    a.ctimeSeconds === b.ctimeSeconds &&
    a.inode === b.inode
  );
}
