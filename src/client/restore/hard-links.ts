// Files of several names: the first that comes up is restored, the others become links to it once it stands. When it cannot be
// restored, the next name takes its place, so a hard link to nothing is a file of its own.

import { linkSync, renameSync } from "node:fs";
import { sameContent } from "../../engine/reader/search.ts";
import { ENTRY, type TreeEntry } from "../../wire/v4/tree-types.ts";
import { lstatOrUndefined, nodePath } from "../posix.ts";
import { releaseFolder } from "./folders.ts";
import { isLeftAlone, type Target } from "./policy.ts";
import { clearWay } from "./removal.ts";
import { type RestoreRun, temporaryBeside } from "./run.ts";

type Group = { readonly first: Target; stands: boolean; readonly waiting: Target[] };

export class HardLinks {
  readonly #run: RestoreRun;
  readonly #groups = new Map<string, Group>();
  /** Names whose first did not come to stand: they are to be restored after all. Their folders are held. */
  readonly orphans: Target[] = [];

  constructor(run: RestoreRun) {
    this.#run = run;
  }

  /** True when the entry is a further name of a file: it is linked now or later. False: restore it, then call `settle`. */
  take(target: Target): boolean {
    const key = groupOf(target.entry);
    if (key === undefined) return false;
    const group = this.#groups.get(key);
    if (!group) {
      this.#groups.set(key, { first: target, stands: false, waiting: [] });
      return false;
    }
    // A tree may lie: two names are one file only if they have one content.
    if (!sameContent(group.first.entry, target.entry)) return false;
    if (group.stands) this.#link(group.first, target);
    else {
      target.folder.open++;
      group.waiting.push(target);
    }
    return true;
  }

  /** Says whether a target that `take` did not take stands now. */
  settle(target: Pick<Target, "disk" | "entry">, stands: boolean): void {
    const key = groupOf(target.entry);
    const group = key === undefined ? undefined : this.#groups.get(key);
    if (key === undefined || group?.first.disk !== target.disk) return;
    if (!stands) {
      this.#groups.delete(key);
      this.orphans.push(...group.waiting);
      return;
    }
    group.stands = true;
    for (const waiting of group.waiting.splice(0)) {
      this.#link(group.first, waiting);
      releaseFolder(waiting.folder, this.#run);
    }
  }

  #link(first: Target, { disk, entry, existing }: Target): void {
    const run = this.#run;
    if (isLeftAlone(run.overwrite, entry, existing)) {
      run.progress.skipped++;
      run.did("skip", disk);
      return;
    }
    run.attempt(disk, () => {
      if (entry.type === ENTRY.file) run.progress.files++;
      else run.progress.others++;
      run.progress.bytes += entry.size ?? 0;
      const source = existing && lstatOrUndefined(first.disk);
      if (existing && source?.inode === existing.inode && source.device === existing.device) {
        run.progress.unchanged++;
        run.did("unchanged", disk);
        return;
      }
      run.did("link", disk);
      if (run.dryRun) return;
      if (!existing) {
        linkSync(nodePath(first.disk), nodePath(disk));
        return;
      }
      if (existing.type === ENTRY.directory) clearWay(disk, existing, run.options.delete ?? false);
      const temporary = temporaryBeside(disk);
      linkSync(nodePath(first.disk), nodePath(temporary));
      renameSync(nodePath(temporary), nodePath(disk));
    });
  }
}

function groupOf({ type, hardLink }: TreeEntry): string | undefined {
  return hardLink && type !== ENTRY.directory ? `${hardLink.device}:${hardLink.inode}` : undefined;
}
