// How entries stand in a list: folders first, then by name as people sort, by size or by time. Small folders are sorted as the reader's
// language does; in very large ones names go by their bytes, which is how they are stored.

import { rawToText } from "../../../core/raw-path.ts";
import type { SortOrder } from "../reader-api.ts";
import type { Columns } from "./columns.ts";

/** Above this, collation would take seconds. */
const COLLATED_MAX = 20_000;

/** Sorts numbers of entries in place. */
export function sortEntries(columns: Columns, entries: Uint32Array, { by, descending }: SortOrder): void {
  const sign = descending ? -1 : 1;
  const byName = nameOrder(columns, entries);
  const values = by === "size" ? columns.sizes : by === "time" ? columns.times : undefined;
  entries.sort((a, b) => {
    const folders = Number(columns.isFolder(b)) - Number(columns.isFolder(a));
    if (folders !== 0) return folders;
    const difference = values ? values[a]! - values[b]! : 0;
    if (difference !== 0) return sign * difference;
    return values ? byName(a, b) : sign * byName(a, b);
  });
}

function nameOrder(columns: Columns, entries: Uint32Array): (a: number, b: number) => number {
  if (entries.length > COLLATED_MAX) return (a, b) => columns.compareNames(a, b);
  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  const texts = new Map<number, string>();
  for (const entry of entries) texts.set(entry, rawToText(columns.name(entry)));
  return (a, b) => collator.compare(texts.get(a)!, texts.get(b)!) || columns.compareNames(a, b);
}
