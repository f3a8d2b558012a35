// The entries of a tree in memory. The coding is in tree.ts, the layout in docs/format.md (Tree chunks).

import type { ChunkId } from "../../core/ids.ts";

/** 1 file, 2 directory, 3 symbolic link, 4 FIFO, 5 character device, 6 block device, 7 socket. */
export type EntryType = 1 | 2 | 3 | 4 | 5 | 6 | 7;
export const ENTRY = { file: 1, directory: 2, symlink: 3, fifo: 4, charDevice: 5, blockDevice: 6, socket: 7 } as const;

/** Seconds since 1970 (may be negative) and nanoseconds 0-999,999,999. */
export type Timestamp = { readonly seconds: number; readonly nanos: number };

export type Hole = { readonly offset: number; readonly length: number };
export type Xattr = { readonly name: Uint8Array; readonly value: Uint8Array };

export type TreeEntry = {
  readonly type: EntryType;
  /** Raw bytes as the file system gave them. */
  readonly name: Uint8Array;
  /** Low 12 bits of st_mode. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Timestamp;
  readonly ctime: Timestamp;
  readonly birth?: Timestamp | undefined;
  /** Present when the file has more than one name: equal pairs in one snapshot are one file. */
  readonly hardLink?: { readonly device: number; readonly inode: number } | undefined;
  /** The file changed while it was read; what is stored is what was read. */
  readonly changed?: boolean | undefined;
  /** Files: length in bytes. */
  readonly size?: number | undefined;
  /** Files: content, in order. Directories: segments, in order. */
  readonly chunks?: readonly ChunkId[] | undefined;
  /** Files: length of each chunk; sums up to size. */
  readonly chunkLengths?: readonly number[] | undefined;
  readonly linkTarget?: Uint8Array | undefined;
  readonly rdev?: { readonly major: number; readonly minor: number } | undefined;
  readonly holes?: readonly Hole[] | undefined;
  readonly xattrs?: readonly Xattr[] | undefined;
};

/** Names of the owners that occur in one segment. */
export type OwnerNames = { readonly users: ReadonlyMap<number, string>; readonly groups: ReadonlyMap<number, string> };
