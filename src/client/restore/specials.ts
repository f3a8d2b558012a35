// Everything that is neither file nor folder: symbolic links, FIFOs, device nodes. Sockets mean nothing without their program and
// are left out with a note.

import { lchownSync, readlinkSync, symlinkSync } from "node:fs";
import { AppError } from "../../core/errors.ts";
import { type RawPath, rawFromBytes, rawToText } from "../../core/raw-path.ts";
import { ENTRY, type TreeEntry } from "../../wire/v4/tree-types.ts";
import type { FileStat } from "../file-stat.ts";
import { linkText, makeNode, nodePath } from "../posix.ts";
import { adjustMetadata, finishPath, setOwnerAndMode } from "./metadata.ts";
import type { Target } from "./policy.ts";
import { clearWay } from "./removal.ts";
import type { RestoreRun } from "./run.ts";

/** Makes one such entry, or brings what is there into line. True when it stands in the end. */
export function restoreSpecial(target: Target, run: RestoreRun): boolean {
  const { disk, entry, owners, existing } = target;
  run.progress.others++;
  if (entry.type === ENTRY.socket) {
    run.did("ignore", disk);
    return false;
  }
  return run.attempt(disk, () => {
    if (existing && isSame(disk, entry, existing)) {
      const wanted = { ...entry, ...run.owners.ofExisting(entry, owners, existing) };
      const changed = !run.dryRun && adjustMetadata(disk, wanted, existing, entry.type === ENTRY.symlink);
      run.did(changed ? "metadata" : "unchanged", disk);
      if (!changed) run.progress.unchanged++;
      return;
    }
    run.did(existing ? "update" : "create", disk);
    if (run.dryRun) return;
    if (existing) clearWay(disk, existing, run.options.delete ?? false);
    make(target, run);
  });
}

function isSame(disk: RawPath, entry: TreeEntry, existing: FileStat): boolean {
  if (existing.type !== entry.type) return false;
  if (entry.type === ENTRY.symlink) {
    return rawFromBytes(readlinkSync(nodePath(disk), { encoding: "buffer" })) === entry.linkTarget;
  }
  if (entry.type === ENTRY.fifo) return true;
  return existing.rdevMajor === entry.rdevMajor && existing.rdevMinor === entry.rdevMinor;
}

function make({ disk, entry, owners }: Target, run: RestoreRun): void {
  const metadata = { ...entry, ...run.owners.ofNew(entry, owners) };
  if (entry.type === ENTRY.symlink) {
    symlinkSync(linkText(entry.linkTarget ?? ("" as RawPath)), nodePath(disk));
    if (metadata.uid >= 0 || metadata.gid >= 0) lchownSync(nodePath(disk), metadata.uid, metadata.gid);
  } else {
    makeSpecialNode(disk, entry, run);
    setOwnerAndMode(disk, metadata, -1);
  }
  finishPath(disk, metadata);
}

function makeSpecialNode(disk: RawPath, entry: TreeEntry, run: RestoreRun): void {
  if (entry.type === ENTRY.fifo) {
    makeNode(disk, "fifo", 0o600);
    return;
  }
  if (!run.isRoot) {
    throw new AppError("restore_conflict", {
      context: { path: rawToText(disk), detail: "only root makes device nodes" },
    });
  }
  const kind = entry.type === ENTRY.charDevice ? "charDevice" : "blockDevice";
  makeNode(disk, kind, 0o600, entry.rdevMajor, entry.rdevMinor);
}
