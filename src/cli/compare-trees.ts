// Compares a restored tree with its source as the file system shows them: type, contents, link targets, mode, owner, modification
// time to the nanosecond, and extended attributes where the system has them. Times of links and folders count as well.

import type { BigIntStats } from "node:fs";
import { lstat, open, readdir, readlink } from "node:fs/promises";
import { getXattr, hasPosix, listXattrs } from "../client/posix.ts";
import { equalBytes } from "../core/bytes.ts";
import { rawFromBytes, rawToText } from "../core/raw-path.ts";
import { shownText } from "./shown-path.ts";

const PIECE_BYTES = 1 << 20;

/** A line for each difference; none when the two are the same. */
export async function compareTrees(source: string, restored: string): Promise<string[]> {
  const found: string[] = [];
  await compare(Buffer.from(source), Buffer.from(restored), found);
  return found;
}

async function compare(source: Buffer, restored: Buffer, found: string[]): Promise<void> {
  const name = shownText(rawToText(rawFromBytes(source)));
  const differ = (what: string): void => void found.push(`${name}: ${what}`);
  const a = await lstat(source, { bigint: true });
  const b = await lstat(restored, { bigint: true }).catch(() => undefined);
  if (b === undefined) return differ("was not restored");
  if ((a.mode & 0o170000n) !== (b.mode & 0o170000n)) return differ("is of another type");
  for (const field of ["mode", "uid", "gid", "mtimeNs"] as const) {
    if (a[field] !== b[field]) differ(`its ${field} is ${b[field]} and should be ${a[field]}`);
  }
  if (hasPosix() && !sameXattrs(source, restored)) differ("has other extended attributes");
  if (a.isSymbolicLink()) {
    const [left, right] = await Promise.all([source, restored].map((path) => readlink(path, "buffer")));
    if (!left!.equals(right!)) differ("points elsewhere");
  } else if (a.isFile()) {
    if (!(await sameContents(source, restored, a, b))) differ("has other contents");
  } else if (a.isDirectory()) {
    await compareFolders(source, restored, found, differ);
  }
}

async function compareFolders(
  source: Buffer,
  restored: Buffer,
  found: string[],
  differ: (what: string) => void,
): Promise<void> {
  const [left, right] = [await readdir(source, "buffer"), await readdir(restored, "buffer")];
  const expected = new Set(left.map((name) => name.toString("latin1")));
  for (const name of right) {
    if (!expected.has(name.toString("latin1")))
      differ(`holds ${shownText(name.toString())}, which the source does not`);
  }
  for (const name of left) await compare(joinBytes(source, name), joinBytes(restored, name), found);
}

async function sameContents(source: Buffer, restored: Buffer, a: BigIntStats, b: BigIntStats): Promise<boolean> {
  if (a.size !== b.size) return false;
  const files = [await open(source), await open(restored)] as const;
  try {
    const [left, right] = [new Uint8Array(PIECE_BYTES), new Uint8Array(PIECE_BYTES)];
    for (;;) {
      const [{ bytesRead: n }, { bytesRead: m }] = [await files[0].read(left), await files[1].read(right)];
      if (n !== m || !equalBytes(left.subarray(0, n), right.subarray(0, m))) return false;
      if (n === 0) return true;
    }
  } finally {
    for (const file of files) await file.close();
  }
}

function sameXattrs(source: Buffer, restored: Buffer): boolean {
  const [a, b] = [rawFromBytes(source), rawFromBytes(restored)];
  const names = listXattrs(a).toSorted();
  if (names.join("\0") !== listXattrs(b).toSorted().join("\0")) return false;
  return names.every((name) => sameValue(getXattr(a, name), getXattr(b, name)));
}

function sameValue(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a, b);
}

function joinBytes(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder, Buffer.from("/"), name]);
}
