// Puts an entry's metadata on the disk in the order that keeps it: owner (it clears setuid bits), mode, extended attributes (ACLs
// depend on the mode), times last. Never follows a link.

import { chmodSync, fchmodSync, fchownSync, lchownSync } from "node:fs";
import { equalBytes } from "../../core/bytes.ts";
import type { RawPath } from "../../core/raw-path.ts";
import type { Xattr } from "../../wire/v4/tree-types.ts";
import type { FileStat } from "../file-stat.ts";
import { getXattr, listXattrs, nodePath, removeXattr, setTimes, setTimesOf, setXattr } from "../posix.ts";
import type { FileMetadata } from "./jobs.ts";

/** All of an open file at `path` that was made with mode `madeWith`; nothing is written to it any more. */
export function finishFile(descriptor: number, path: RawPath, metadata: FileMetadata, madeWith: number): void {
  const { mode, uid, gid, xattrs, mtimeSeconds, mtimeNanos } = metadata;
  if (uid >= 0 || gid >= 0) fchownSync(descriptor, uid, gid);
  if (mode !== madeWith || ((uid >= 0 || gid >= 0) && (mode & 0o6000) !== 0)) fchmodSync(descriptor, mode);
  for (const { name, value } of xattrs ?? []) setXattr(path, name, value);
  setTimesOf(descriptor, mtimeSeconds, mtimeNanos);
}

/** Of a folder or node that was made with mode `madeWith`. */
export function setOwnerAndMode(path: RawPath, { mode, uid, gid }: FileMetadata, madeWith: number): void {
  if (uid >= 0 || gid >= 0) lchownSync(nodePath(path), uid, gid);
  if (mode !== madeWith) chmodSync(nodePath(path), mode);
}

/** The rest of a folder or node. */
export function finishPath(path: RawPath, { xattrs, mtimeSeconds, mtimeNanos }: FileMetadata): void {
  for (const { name, value } of xattrs ?? []) setXattr(path, name, value);
  setTimes(path, mtimeSeconds, mtimeNanos);
}

/** Mode with which a new file is opened: others see nothing of it before it has its owner. */
export function openingMode({ mode, uid, gid }: FileMetadata): number {
  return uid >= 0 || gid >= 0 ? 0o600 : mode & 0o777;
}

/** Makes what exists at `path` like `wanted`; true when anything differed. `isLink`: links have no mode. */
export function adjustMetadata(path: RawPath, wanted: FileMetadata, current: FileStat, isLink: boolean): boolean {
  const owner = changedOwner(wanted, current);
  const modeDiffers = !isLink && wanted.mode !== current.mode;
  const xattrsDiffer = adjustXattrs(path, wanted.xattrs ?? []);
  if (owner) lchownSync(nodePath(path), owner.uid, owner.gid);
  if (modeDiffers || (owner && !isLink && (wanted.mode & 0o6000) !== 0)) chmodSync(nodePath(path), wanted.mode);
  // Last: whatever came before may have touched the time.
  const timeDiffers = wanted.mtimeSeconds !== current.mtimeSeconds || wanted.mtimeNanos !== current.mtimeNanos;
  if (timeDiffers) setTimes(path, wanted.mtimeSeconds, wanted.mtimeNanos);
  return owner !== undefined || modeDiffers || xattrsDiffer || timeDiffers;
}

function changedOwner(wanted: FileMetadata, current: FileStat): { uid: number; gid: number } | undefined {
  const uid = wanted.uid >= 0 ? wanted.uid : current.uid;
  const gid = wanted.gid >= 0 ? wanted.gid : current.gid;
  return uid === current.uid && gid === current.gid ? undefined : { uid, gid };
}

/** Labels that the system itself puts on files (SELinux) are only set, never removed. */
const SYSTEM_LABELS: readonly string[] = ["security.selinux"];

function adjustXattrs(path: RawPath, wanted: readonly Xattr[]): boolean {
  const present = listXattrs(path);
  if (present.length === 0 && wanted.length === 0) return false;
  let changed = false;
  for (const name of present) {
    if (SYSTEM_LABELS.includes(name) || wanted.some((xattr) => xattr.name === name)) continue;
    removeXattr(path, name);
    changed = true;
  }
  for (const { name, value } of wanted) {
    const current = getXattr(path, name);
    if (current && equalBytes(current, value)) continue;
    setXattr(path, name, value);
    changed = true;
  }
  return changed;
}
