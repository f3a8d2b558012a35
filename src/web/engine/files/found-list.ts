// Entries from all over a snapshot as a flat list: what a search found, or what changed between two snapshots. It grows while it is read.

import { type RawPath, rawToText } from "../../../core/raw-path.ts";
import type { ChangeKind } from "../../../engine/reader/diff.ts";
import type { TreeEntry } from "../../../wire/v4/tree-types.ts";
import type { RowView, SortOrder } from "../reader-api.ts";
import { Columns, grown } from "./columns.ts";
import { sortEntries } from "./order.ts";

const CHANGES: readonly ChangeKind[] = ["added", "removed", "modified", "metadata", "type"];

export class FoundList {
  readonly columns = new Columns();
  #changes = new Uint8Array(1024);
  #sizesBefore = new Float64Array(1024);
  #rows: Uint32Array | undefined;

  get count(): number {
    return this.columns.count;
  }

  add(path: RawPath, entry: TreeEntry, change?: ChangeKind, before?: TreeEntry): void {
    const at = this.columns.add(entry, path);
    if (at >= this.#changes.length) {
      this.#changes = grown(this.#changes, at * 2);
      this.#sizesBefore = grown(this.#sizesBefore, at * 2);
    }
    this.#changes[at] = change === undefined ? 0 : 1 + CHANGES.indexOf(change);
    this.#sizesBefore[at] = before?.size ?? 0;
  }

  sort(order: SortOrder): void {
    const rows = Uint32Array.from({ length: this.count }, (_, i) => i);
    sortEntries(this.columns, rows, order);
    this.#rows = rows;
  }

  rows(from: number, to: number): RowView[] {
    const views: RowView[] = [];
    for (let row = Math.max(0, from); row < Math.min(to, this.count); row++) views.push(this.#view(this.#at(row)));
    return views;
  }

  /** What came after the last sorting stands at the end. */
  #at(row: number): number {
    return this.#rows?.[row] ?? row;
  }

  #view(entry: number): RowView {
    const path = this.columns.name(entry);
    const cut = path.lastIndexOf("/");
    const change = CHANGES[this.#changes[entry]! - 1];
    return {
      entry,
      path,
      name: rawToText(path.slice(cut + 1) as RawPath),
      folder: rawToText((cut <= 0 ? "/" : path.slice(0, cut)) as RawPath),
      type: this.columns.type(entry),
      size: this.columns.sizes[entry]!,
      mtimeMs: this.columns.times[entry]!,
      depth: 0,
      isOpen: false,
      ...(change === undefined ? {} : { change, sizeBefore: this.#sizesBefore[entry]! }),
    };
  }
}
