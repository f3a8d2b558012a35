// What the file system says of one entry, in numbers that a tree entry and the state file can hold.

import { type BigIntStats, lstatSync } from "node:fs";
import { ENTRY, type EntryType } from "../wire/v4/tree-types.ts";

/** One entry's metadata. A scanner reuses one object for millions of entries, so it is mutable and has no methods. */
export type FileStat = {
  /** undefined for a kind of file that we do not know. */
  type: EntryType | undefined;
  mode: number;
  uid: number;
  gid: number;
  links: number;
  size: number;
  mtimeSeconds: number;
  mtimeNanos: number;
  ctimeSeconds: number;
  ctimeNanos: number;
  /** undefined where the file system does not record it. */
  birthSeconds: number | undefined;
  birthNanos: number | undefined;
  /** Folded into 53 bits where the file system gives more. */
  inode: number;
  device: number;
  rdevMajor: number;
  rdevMinor: number;
  /** Bytes that are really allocated. */
  allocated: number;
};

export function emptyFileStat(): FileStat {
  return {
    type: undefined,
    mode: 0,
    uid: 0,
    gid: 0,
    links: 0,
    size: 0,
    mtimeSeconds: 0,
    mtimeNanos: 0,
    ctimeSeconds: 0,
    ctimeNanos: 0,
    birthSeconds: undefined,
    birthNanos: undefined,
    inode: 0,
    device: 0,
    rdevMajor: 0,
    rdevMinor: 0,
    allocated: 0,
  };
}

/** By the four bits of S_IFMT. */
const TYPES = new Map<number, EntryType>([
  [8, ENTRY.file],
  [4, ENTRY.directory],
  [10, ENTRY.symlink],
  [1, ENTRY.fifo],
  [2, ENTRY.charDevice],
  [6, ENTRY.blockDevice],
  [12, ENTRY.socket],
]);

/** The entry type in a st_mode (POSIX sys/stat.h, S_IFMT). */
export function entryTypeOf(mode: number): EntryType | undefined {
  return TYPES.get(mode >> 12);
}

/** The portable way, for systems without statx: Node's own lstat. Throws as Node does. */
export function lstatPortable(path: string | Uint8Array, out: FileStat): void {
  const stat = lstatSync(path as string, { bigint: true }) as BigIntStats;
  const mode = Number(stat.mode);
  out.type = entryTypeOf(mode);
  out.mode = mode & 0o7777;
  out.uid = Number(stat.uid);
  out.gid = Number(stat.gid);
  out.links = Number(stat.nlink);
  out.size = Number(stat.size);
  [out.mtimeSeconds, out.mtimeNanos] = splitNanos(stat.mtimeNs);
  [out.ctimeSeconds, out.ctimeNanos] = splitNanos(stat.ctimeNs);
  [out.birthSeconds, out.birthNanos] = stat.birthtimeNs > 0n ? splitNanos(stat.birthtimeNs) : [undefined, undefined];
  out.inode = Number(BigInt.asUintN(53, stat.ino ^ (stat.ino >> 53n)));
  out.device = Number(BigInt.asUintN(53, stat.dev));
  out.rdevMajor = Number((stat.rdev >> 8n) & 0xfffn);
  out.rdevMinor = Number((stat.rdev & 0xffn) | ((stat.rdev >> 12n) & 0xfff00n));
  out.allocated = Number(stat.blocks ?? 0n) * 512;
}

function splitNanos(nanos: bigint): [number, number] {
  const seconds = nanos >= 0n ? nanos / 1_000_000_000n : -((-nanos + 999_999_999n) / 1_000_000_000n);
  return [Number(seconds), Number(nanos - seconds * 1_000_000_000n)];
}
