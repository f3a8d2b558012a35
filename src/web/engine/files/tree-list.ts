// A folder of a snapshot as a list of rows, in which folders open and close in place. All rows that can be scrolled to are one flat array of
// entry numbers, so that a million of them cost four bytes each, and any window of them is had at once.

import { throwIfAborted } from "../../../core/errors.ts";
import { type RawPath, rawToText } from "../../../core/raw-path.ts";
import type { TreeEntry } from "../../../wire/v4/tree-types.ts";
import type { RowView, SortOrder } from "../reader-api.ts";
import { Columns, grown } from "./columns.ts";
import { sortEntries } from "./order.ts";

/** Gives the entries of a folder in the order of their names, some at a time. */
export type FolderSource = (path: RawPath, signal: AbortSignal) => AsyncIterable<readonly TreeEntry[]>;

const NO_PARENT = 0xffff_ffff;
/** Entries after which a folder that is still being read shows what there is. */
const TELL_ENTRIES = 4096;

export class TreeList {
  readonly columns = new Columns();
  readonly root: RawPath;
  readonly #source: FolderSource;
  #order: SortOrder;
  #parents = new Uint32Array(1024);
  #depths = new Uint16Array(1024);
  #rows = new Uint32Array(1024);
  #count = 0;
  /** The entries of each open folder, in order; of the root under `NO_PARENT`. */
  readonly #open = new Map<number, Uint32Array<ArrayBuffer>>();

  constructor(source: FolderSource, root: RawPath, order: SortOrder) {
    this.#source = source;
    this.root = root;
    this.#order = order;
  }

  get count(): number {
    return this.#count;
  }

  async load(signal: AbortSignal, onGrown: () => void): Promise<void> {
    await this.#fill(NO_PARENT, signal, onGrown);
  }

  async toggle(entry: number, signal: AbortSignal, onGrown: () => void): Promise<void> {
    if (!this.columns.isFolder(entry)) return;
    if (this.#open.has(entry)) this.#close(entry);
    else await this.#fill(entry, signal, onGrown);
  }

  sort(order: SortOrder): void {
    this.#order = order;
    for (const entries of this.#open.values()) sortEntries(this.columns, entries, order);
    this.#lay();
  }

  rows(from: number, to: number): RowView[] {
    const views: RowView[] = [];
    for (let row = Math.max(0, from); row < Math.min(to, this.#count); row++) {
      const entry = this.#rows[row]!;
      views.push({
        entry,
        path: this.path(entry),
        name: rawToText(this.columns.name(entry)),
        type: this.columns.type(entry),
        size: this.columns.sizes[entry]!,
        mtimeMs: this.columns.times[entry]!,
        depth: this.#depths[entry]!,
        isOpen: this.#open.has(entry),
      });
    }
    return views;
  }

  path(entry: number): RawPath {
    if (entry === NO_PARENT) return this.root;
    const names: string[] = [];
    for (let at = entry; at !== NO_PARENT; at = this.#parents[at]!) names.push(this.columns.name(at));
    const base = this.root === "/" ? "" : this.root;
    return `${base}/${names.reverse().join("/")}` as RawPath;
  }

  async #fill(folder: number, signal: AbortSignal, onGrown: () => void): Promise<void> {
    const depth = folder === NO_PARENT ? 0 : this.#depths[folder]! + 1;
    let entries: Uint32Array<ArrayBuffer> = new Uint32Array(256);
    let count = 0;
    let told = 0;
    this.#open.set(folder, entries.subarray(0, 0));
    try {
      for await (const some of this.#source(this.path(folder), signal)) {
        throwIfAborted(signal);
        const before = count;
        for (const entry of some) {
          if (count === entries.length) entries = grown(entries, count * 2);
          entries[count++] = this.#add(entry, folder, depth);
        }
        if (!this.#open.has(folder)) return;
        this.#open.set(folder, entries.subarray(0, count));
        this.#insert(folder, before, entries.subarray(before, count));
        if (count - told < TELL_ENTRIES) continue;
        told = count;
        onGrown();
      }
    } catch (error) {
      this.#close(folder);
      throw error;
    }
    const whole = entries.slice(0, count);
    sortEntries(this.columns, whole, this.#order);
    if (!this.#open.has(folder)) return;
    this.#open.set(folder, whole);
    this.#lay();
  }

  #add(entry: TreeEntry, parent: number, depth: number): number {
    const at = this.columns.add(entry);
    if (at >= this.#parents.length) {
      this.#parents = grown(this.#parents, at * 2);
      this.#depths = grown(this.#depths, at * 2);
    }
    this.#parents[at] = parent;
    this.#depths[at] = depth;
    return at;
  }

  /** Puts rows after those `before` that the folder shows already. While it is read, nothing below it is open. */
  #insert(folder: number, before: number, entries: Uint32Array): void {
    const row = folder === NO_PARENT ? before : this.#rowOf(folder) + 1 + before;
    if (row < 0 || (folder !== NO_PARENT && row === before)) return;
    const need = this.#count + entries.length;
    if (need > this.#rows.length) this.#rows = grown(this.#rows, Math.max(need, this.#rows.length * 2));
    this.#rows.copyWithin(row + entries.length, row, this.#count);
    this.#rows.set(entries, row);
    this.#count = need;
  }

  #close(folder: number): void {
    this.#open.delete(folder);
    this.#lay();
  }

  #rowOf(entry: number): number {
    return this.#rows.subarray(0, this.#count).indexOf(entry);
  }

  /** Lays all rows anew: each open folder's entries after it. */
  #lay(): void {
    let count = 0;
    const stack: { readonly entries: Uint32Array; at: number }[] = [
      { entries: this.#open.get(NO_PARENT) ?? new Uint32Array(), at: 0 },
    ];
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      if (top.at === top.entries.length) {
        stack.pop();
        continue;
      }
      const entry = top.entries[top.at++]!;
      if (count === this.#rows.length) this.#rows = grown(this.#rows, count * 2);
      this.#rows[count++] = entry;
      const below = this.#open.get(entry);
      if (below) stack.push({ entries: below, at: 0 });
    }
    this.#count = count;
  }
}
