// The system calls that Node does not offer, through koffi on Linux: statx, nanosecond times, extended attributes, device nodes,
// holes. Elsewhere the portable calls are used and what is missing says so (`unsupported`, or an empty answer where one is honest).
// Paths are raw paths (core/raw-path). Errors are Node-like: `{ code: "ENOENT", syscall, path-free message }`.

import { futimesSync, lutimesSync, utimesSync } from "node:fs";
import { constants } from "node:os";
import koffi, { type KoffiFunc } from "koffi";
import { AppError } from "../core/errors.ts";
import { type RawPath, rawSlice, rawToText } from "../core/raw-path.ts";
import { emptyFileStat, entryTypeOf, type FileStat, lstatPortable } from "./file-stat.ts";
import { PATH_STYLE, windowsPath } from "./native-path.ts";

// From linux/fcntl.h, linux/stat.h and sys/stat.h; the same on every architecture.
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC_AND_BTIME = 0xfff;
const STATX_BTIME = 0x800;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;

const ERRNO_NAMES = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));

export type SystemError = Error & { code: string; errno: number; syscall: string };

type Libc = Record<
  | "statx"
  | "utimensat"
  | "futimens"
  | "llistxattr"
  | "lgetxattr"
  | "lsetxattr"
  | "lremovexattr"
  | "mknod"
  | "lseek"
  | "umask",
  KoffiFunc<(...args: unknown[]) => number | bigint>
>;

let loaded: Libc | undefined | null = null;

/** libc's calls, or undefined where this is not Linux. Loaded at the first use: most commands never need it. */
function libc(): Libc | undefined {
  if (loaded === null) loaded = process.platform === "linux" ? loadLibc() : undefined;
  return loaded;
}

function loadLibc(): Libc | undefined {
  for (const name of ["libc.so.6", `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`]) {
    try {
      const library = koffi.load(name);
      return {
        statx: library.func("int statx(int dirfd, void *path, int flags, unsigned int mask, void *buffer)"),
        utimensat: library.func("int utimensat(int dirfd, void *path, void *times, int flags)"),
        futimens: library.func("int futimens(int fd, void *times)"),
        llistxattr: library.func("int64_t llistxattr(void *path, void *list, size_t size)"),
        lgetxattr: library.func("int64_t lgetxattr(void *path, void *name, void *value, size_t size)"),
        lsetxattr: library.func("int lsetxattr(void *path, void *name, void *value, size_t size, int flags)"),
        lremovexattr: library.func("int lremovexattr(void *path, void *name)"),
        mknod: library.func("int mknod(void *path, unsigned int mode, uint64_t device)"),
        lseek: library.func("int64_t lseek(int fd, int64_t offset, int whence)"),
        umask: library.func("unsigned int umask(unsigned int mask)"),
      };
    } catch {
      // This name is not the machine's libc: try the next one. With none, the portable calls serve.
    }
  }
  return undefined;
}

/** True where every call of this module works. */
export function hasPosix(): boolean {
  return libc() !== undefined;
}

const pathBuffer = Buffer.alloc(8192);
const nameBuffer = Buffer.alloc(512);

/** The path as NUL-terminated bytes in a buffer that the next call reuses. */
function cPath(path: RawPath): Buffer {
  if (path.length >= pathBuffer.length) throw systemError(constants.errno.ENAMETOOLONG, "path");
  pathBuffer[pathBuffer.write(path, 0, "latin1")] = 0;
  return pathBuffer;
}

function cName(name: RawPath): Buffer {
  if (name.length >= nameBuffer.length) throw systemError(constants.errno.ERANGE, "xattr");
  nameBuffer[nameBuffer.write(name, 0, "latin1")] = 0;
  return nameBuffer;
}

const ASCII = /^[\x00-\x7f]*$/;

/** The path in the form that Node's own calls take, byte for byte. */
/** What a symbolic link says: it is nobody's path until it is followed. */
export function linkText(target: RawPath): string | Buffer {
  return PATH_STYLE === "win32" ? rawToText(target) : nodePath(target);
}

export function nodePath(path: RawPath): string | Buffer {
  if (PATH_STYLE === "win32") return windowsPath(path);
  return ASCII.test(path) ? path : Buffer.from(path, "latin1");
}

const statBytes = new Uint8Array(256);
const statU32 = new Uint32Array(statBytes.buffer);
const statI32 = new Int32Array(statBytes.buffer);
const emptyPath = Buffer.from([0]);

/** lstat into `out`. Throws a SystemError. */
export function lstatInto(path: RawPath, out: FileStat): void {
  const lib = libc();
  if (!lib) {
    lstatPortable(nodePath(path), out);
    return;
  }
  if (lib.statx(AT_FDCWD, cPath(path), AT_SYMLINK_NOFOLLOW, STATX_BASIC_AND_BTIME, statBytes) !== 0)
    throw lastError("statx");
  decodeStatx(out);
}

/** fstat into `out`; where there is no statx, an lstat of the path that was opened. */
export function fstatInto(fd: number, path: RawPath, out: FileStat): void {
  const lib = libc();
  if (!lib) {
    lstatPortable(nodePath(path), out);
    return;
  }
  if (lib.statx(fd, emptyPath, AT_EMPTY_PATH, STATX_BASIC_AND_BTIME, statBytes) !== 0) throw lastError("fstat");
  decodeStatx(out);
}

export function lstatOrUndefined(path: RawPath): FileStat | undefined {
  const out = emptyFileStat();
  try {
    lstatInto(path, out);
    return out;
  } catch (error) {
    if ((error as SystemError).code === "ENOENT" || (error as SystemError).code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** struct statx, offsets from linux/stat.h divided by 4. */
function decodeStatx(out: FileStat): void {
  const mode = statU32[7]! & 0xffff;
  out.type = entryTypeOf(mode);
  out.mode = mode & 0o7777;
  out.links = statU32[4]!;
  out.uid = statU32[5]!;
  out.gid = statU32[6]!;
  out.inode = fold53(statU32[8]!, statU32[9]!);
  out.size = statU32[10]! + statU32[11]! * 2 ** 32;
  out.allocated = (statU32[12]! + statU32[13]! * 2 ** 32) * 512;
  const hasBirth = (statU32[0]! & STATX_BTIME) !== 0 && (statU32[20]! | statU32[22]!) !== 0;
  out.birthSeconds = hasBirth ? statU32[20]! + statI32[21]! * 2 ** 32 : undefined;
  out.birthNanos = hasBirth ? statU32[22]! : undefined;
  out.ctimeSeconds = statU32[24]! + statI32[25]! * 2 ** 32;
  out.ctimeNanos = statU32[26]!;
  out.mtimeSeconds = statU32[28]! + statI32[29]! * 2 ** 32;
  out.mtimeNanos = statU32[30]!;
  out.rdevMajor = statU32[32]!;
  out.rdevMinor = statU32[33]!;
  out.device = statU32[34]! * 2 ** 20 + statU32[35]!;
}

function fold53(low: number, high: number): number {
  return low + ((high & 0x1fffff) ^ (high >>> 21)) * 2 ** 32;
}

const timesBytes = new Uint8Array(32);
const timesView = new DataView(timesBytes.buffer);

/** Sets access and modification time to `seconds` + `nanos`, of the link itself if it is one. */
export function setTimes(path: RawPath, seconds: number, nanos: number): void {
  const lib = libc();
  if (!lib) {
    setTimesPortable(path, seconds, nanos);
    return;
  }
  writeTimes(seconds, nanos);
  if (lib.utimensat(AT_FDCWD, cPath(path), timesBytes, AT_SYMLINK_NOFOLLOW) !== 0) throw lastError("utimensat");
}

/** The same of an open file. */
export function setTimesOf(fd: number, seconds: number, nanos: number): void {
  const lib = libc();
  if (!lib) {
    futimesSync(fd, seconds + nanos / 1e9, seconds + nanos / 1e9);
    return;
  }
  writeTimes(seconds, nanos);
  if (lib.futimens(fd, timesBytes) !== 0) throw lastError("futimens");
}

/** Two of struct timespec, as 64-bit little-endian halves: no BigInt is made. */
function writeTimes(seconds: number, nanos: number): void {
  for (const at of [0, 16]) {
    timesView.setUint32(at, seconds >>> 0, true);
    timesView.setInt32(at + 4, Math.floor(seconds / 2 ** 32), true);
    timesView.setUint32(at + 8, nanos, true);
  }
}

function setTimesPortable(path: RawPath, seconds: number, nanos: number): void {
  const time = seconds + nanos / 1e9;
  (process.platform === "win32" ? utimesSync : lutimesSync)(nodePath(path), time, time);
}

let xattrList = Buffer.alloc(4096);
let xattrValue = Buffer.alloc(65536);

/** Names of the extended attributes, sorted; none where the file system or the system has none. */
export function listXattrs(path: RawPath): RawPath[] {
  const lib = libc();
  if (!lib) return [];
  for (;;) {
    const length = Number(lib.llistxattr(cPath(path), xattrList, xattrList.length));
    if (length === 0) return [];
    if (length > 0) return (rawSlice(xattrList, 0, length).split("\0").slice(0, -1) as RawPath[]).sort();
    const code = errnoName();
    if (code === "ENOTSUP" || code === "EOPNOTSUPP") return [];
    if (code !== "ERANGE" || xattrList.length >= 2 ** 20) throw lastError("llistxattr");
    xattrList = Buffer.alloc(xattrList.length * 8);
  }
}

/** The value, or undefined when it is not there (any more). */
export function getXattr(path: RawPath, name: RawPath): Uint8Array | undefined {
  const lib = libc();
  if (!lib) return undefined;
  for (;;) {
    const length = Number(lib.lgetxattr(cPath(path), cName(name), xattrValue, xattrValue.length));
    if (length >= 0) return Uint8Array.from(xattrValue.subarray(0, length));
    const code = errnoName();
    if (code === "ENODATA" || code === "ENOTSUP" || code === "EOPNOTSUPP") return undefined;
    if (code !== "ERANGE" || xattrValue.length >= 16 * 2 ** 20) throw lastError("lgetxattr");
    xattrValue = Buffer.alloc(xattrValue.length * 8);
  }
}

export function setXattr(path: RawPath, name: RawPath, value: Uint8Array): void {
  const lib = requireLibc("Restoring extended attributes");
  if (lib.lsetxattr(cPath(path), cName(name), value.length ? value : emptyPath, value.length, 0) !== 0)
    throw lastError("lsetxattr");
}

export function removeXattr(path: RawPath, name: RawPath): void {
  const lib = requireLibc("Removing extended attributes");
  if (lib.lremovexattr(cPath(path), cName(name)) !== 0) throw lastError("lremovexattr");
}

const S_IFMT = { fifo: 0o010000, charDevice: 0o020000, blockDevice: 0o060000 } as const;

/** Makes a FIFO or a device node. Device nodes need root. */
export function makeNode(path: RawPath, kind: keyof typeof S_IFMT, mode: number, major = 0, minor = 0): void {
  const lib = requireLibc("Making FIFOs and device nodes");
  // The kernel's encoding of a dev_t for mknod(2): glibc's gnu_dev_makedev.
  const device =
    BigInt(minor & 0xff) |
    (BigInt(major & 0xfff) << 8n) |
    (BigInt(minor & ~0xff) << 12n) |
    (BigInt(major & ~0xfff) << 32n);
  if (lib.mknod(cPath(path), S_IFMT[kind] | mode, device) !== 0) throw lastError("mknod");
}

/** Holes of an open file of `size` bytes, in order; none where the file system cannot tell. */
export function findHoles(fd: number, size: number): { offset: number; length: number }[] {
  const lib = libc();
  const holes: { offset: number; length: number }[] = [];
  if (!lib) return holes;
  for (let at = 0; at < size; ) {
    const hole = Number(lib.lseek(fd, at, SEEK_HOLE));
    if (hole < 0 || hole >= size) break;
    const data = Number(lib.lseek(fd, hole, SEEK_DATA));
    const end = data < 0 ? size : Math.min(data, size);
    if (end > hole) holes.push({ offset: hole, length: end - hole });
    at = Math.max(end, at + 1);
  }
  return holes;
}

// From glibc's malloc.h.
const M_MMAP_THRESHOLD = -3;

/**
 * From now on glibc's malloc takes buffers from `fromBytes` on from the system one by one, and gives them back when they are freed
 * (mallopt(3)). Left alone it learns to keep them in arenas, where small blocks between them leave holes that add up. Nothing
 * happens where there is another libc.
 */
export function mapLargeBuffers(fromBytes: number): void {
  if (process.platform !== "linux") return;
  try {
    koffi.load("libc.so.6").func("int mallopt(int param, int value)")(M_MMAP_THRESHOLD, fromBytes);
  } catch {
    // Another libc: its own ways serve.
  }
}

function requireLibc(what: string): Libc {
  const lib = libc();
  if (!lib) throw new AppError("unsupported", { context: { what, detail: "It works on Linux." } });
  return lib;
}

function errnoName(): string {
  return ERRNO_NAMES.get(koffi.errno()) ?? "EUNKNOWN";
}

function lastError(syscall: string): SystemError {
  return systemError(koffi.errno(), syscall);
}

function systemError(errno: number, syscall: string): SystemError {
  const code = ERRNO_NAMES.get(errno) ?? "EUNKNOWN";
  return Object.assign(new Error(`${code}, ${syscall}`), { code, errno, syscall });
}
