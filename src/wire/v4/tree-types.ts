// The entries of a tree in memory. The coding is in tree.ts, the layout in docs/format.md (Tree chunks).

import type { ChunkId } from "../../core/ids.ts";
import type { RawPath } from "../../core/raw-path.ts";

/** 1 file, 2 directory, 3 symbolic link, 4 FIFO, 5 character device, 6 block device, 7 socket. */
export type EntryType = 1 | 2 | 3 | 4 | 5 | 6 | 7;
export const ENTRY = {
  file: 1,
  directory: 2,
  symlink: 3,
  fifo: 4,
  charDevice: 5,
  blockDevice: 6,
  socket: 7,
} as const;

export type Hole = { readonly offset: number; readonly length: number };
export type Xattr = { readonly name: RawPath; readonly value: Uint8Array };

/** A uid or gid that nobody knew: browsers are not told. It is what chown(2) takes for "leave it". */
export const UNKNOWN_OWNER = 0xffff_ffff;

export type TreeEntry = {
  readonly type: EntryType;
  /** Raw bytes as the file system gave them, one character a byte (core/raw-path). */
  readonly name: RawPath;
  /** Low 12 bits of st_mode. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970, may be negative; nanoseconds 0-999,999,999. */
  readonly mtimeSeconds: number;
  readonly mtimeNanos: number;
  readonly ctimeSeconds: number;
  readonly ctimeNanos: number;
  readonly birthSeconds?: number | undefined;
  readonly birthNanos?: number | undefined;
  /** Present when the file has more than one name: equal pairs in one snapshot are one file. */
  readonly hardLink?: { readonly device: number; readonly inode: number } | undefined;
  /** The file changed while it was read; what is stored is what was read. */
  readonly changed?: boolean | undefined;
  /** Files: length in bytes. */
  readonly size?: number | undefined;
  /** A large file: `chunkIds` name chunk lists (chunk-list.ts), and `chunkLengths` tell how much of the file each is for. */
  readonly indirect?: boolean | undefined;
  /** Files: the content's chunkIds, in order. Directories: the segments'. 32 bytes each, one after the other. */
  readonly chunkIds?: Uint8Array | undefined;
  /** Files: length of each chunk; sums up to size. Absent for directories. */
  readonly chunkLengths?: readonly number[] | undefined;
  readonly linkTarget?: RawPath | undefined;
  readonly rdevMajor?: number | undefined;
  readonly rdevMinor?: number | undefined;
  readonly holes?: readonly Hole[] | undefined;
  readonly xattrs?: readonly Xattr[] | undefined;
};

/** Names of the owners that occur in one segment. */
export type OwnerNames = { readonly users: ReadonlyMap<number, string>; readonly groups: ReadonlyMap<number, string> };

/** The i-th chunkId of a flat list. */
export function chunkIdAt(chunkIds: Uint8Array, index: number): ChunkId {
  return chunkIds.slice(index * 32, index * 32 + 32) as ChunkId;
}
