// The merge-join of a scan with the state of the last run: both come in the same order, so one cursor and a stack are all it takes.

import type { RawPath } from "../../core/raw-path.ts";
import { type BlockRef, STATE_ITEM, type StateCursor } from "../../wire/v4/state-file.ts";
import { ENTRY } from "../../wire/v4/tree-types.ts";
import type { ScannedEntry } from "./types.ts";

/** What is reused of an entry that did not change. */
export type Previous = { readonly entry: Uint8Array; readonly refs: readonly BlockRef[] };

export class StateMerge {
  readonly #cursor: StateCursor;
  #alive: boolean;
  /** Depth of directories of the last run that the cursor is in, and of those that only the scan is in. */
  #stranger = 0;
  #levels: { skipped: boolean }[] = [];

  constructor(cursor: StateCursor) {
    this.#cursor = cursor;
    this.#alive = cursor.next();
  }

  /** Follows the scan into a directory. */
  enter(name: RawPath): void {
    if (this.#stranger === 0 && this.#seek(name) && this.#cursor.kind === STATE_ITEM.enter) {
      this.#levels.push({ skipped: false });
      this.#advance();
    } else {
      this.#stranger++;
    }
  }

  /** The file of this name in the last run when size, times and inode are the same. `known` says whether there was one at all. */
  file(entry: ScannedEntry): { readonly known: boolean; readonly same: Previous | undefined } {
    if (this.#stranger > 0 || !this.#seek(entry.name) || this.#cursor.kind !== STATE_ITEM.entry)
      return { known: false, same: undefined };
    const same = isSame(this.#cursor, entry) ? { entry: this.#cursor.entry, refs: this.#cursor.refs } : undefined;
    this.#advance();
    return { known: true, same };
  }

  /**
   * Follows the scan out of a directory. `complete` is false when the last run had entries here that the scan has not;
   * `previous` is the directory's own entry, `same` says that its metadata did not change.
   */
  leave(entry: ScannedEntry): {
    readonly previous: Previous | undefined;
    readonly complete: boolean;
    readonly same: boolean;
  } {
    if (this.#stranger > 0) {
      this.#stranger--;
      return { previous: undefined, complete: false, same: false };
    }
    const level = this.#levels.pop();
    let complete = level ? !level.skipped : false;
    while (this.#alive && this.#cursor.kind !== STATE_ITEM.leave) {
      complete = false;
      this.#skip();
    }
    if (!this.#alive) return { previous: undefined, complete: false, same: false };
    const previous = { entry: this.#cursor.entry, refs: this.#cursor.refs };
    const same = isSame(this.#cursor, entry);
    this.#advance();
    return { previous, complete, same };
  }

  /** Moves to the first item of this level that is not before `name`; true when it has that name. */
  #seek(name: RawPath): boolean {
    while (this.#alive && this.#cursor.kind !== STATE_ITEM.leave && this.#cursor.name < name) {
      this.#markSkipped();
      this.#skip();
    }
    return this.#alive && this.#cursor.kind !== STATE_ITEM.leave && this.#cursor.name === name;
  }

  #markSkipped(): void {
    const level = this.#levels.at(-1);
    if (level) level.skipped = true;
  }

  /** Passes over one item, a directory with all that is in it. */
  #skip(): void {
    let depth = 0;
    do {
      if (this.#cursor.kind === STATE_ITEM.enter) depth++;
      else if (this.#cursor.kind === STATE_ITEM.leave) depth--;
      this.#advance();
    } while (depth > 0 && this.#alive);
  }

  #advance(): void {
    this.#alive = this.#cursor.next();
  }
}

function isSame(cursor: StateCursor, entry: ScannedEntry): boolean {
  return (
    cursor.type === entry.type &&
    cursor.inode === entry.inode &&
    cursor.mtimeNanos === entry.mtimeNanos &&
    cursor.mtimeSeconds === entry.mtimeSeconds &&
    cursor.ctimeNanos === entry.ctimeNanos &&
    cursor.ctimeSeconds === entry.ctimeSeconds &&
    (entry.type !== ENTRY.file || cursor.size === entry.size)
  );
}
