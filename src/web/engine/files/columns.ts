// Entries of a snapshot as flat columns: a million of them in some 40 MB. Names are kept as the bytes that they are.

import type { RawPath } from "../../../core/raw-path.ts";
import { rawSlice } from "../../../core/raw-path.ts";
import { ENTRY, type EntryType, type TreeEntry } from "../../../wire/v4/tree-types.ts";

const FIRST_CAPACITY = 1024;

export class Columns {
  count = 0;
  types = new Uint8Array(FIRST_CAPACITY);
  sizes = new Float64Array(FIRST_CAPACITY);
  /** Milliseconds since 1970. */
  times = new Float64Array(FIRST_CAPACITY);
  #nameEnds = new Float64Array(FIRST_CAPACITY + 1);
  #names = new Uint8Array(16 * FIRST_CAPACITY);

  /** Its number. `name` may be a whole path. */
  add(entry: TreeEntry, name: RawPath = entry.name): number {
    const at = this.count++;
    if (at === this.types.length) this.#grow();
    this.types[at] = entry.type;
    this.sizes[at] = entry.size ?? 0;
    this.times[at] = entry.mtimeSeconds * 1000 + Math.floor(entry.mtimeNanos / 1e6);
    const start = this.#nameEnds[at]!;
    const end = start + name.length;
    if (end > this.#names.length) this.#growNames(end);
    for (let i = 0; i < name.length; i++) this.#names[start + i] = name.charCodeAt(i);
    this.#nameEnds[at + 1] = end;
    return at;
  }

  name(at: number): RawPath {
    return rawSlice(this.#names, this.#nameEnds[at]!, this.#nameEnds[at + 1]!);
  }

  type(at: number): EntryType {
    return this.types[at] as EntryType;
  }

  isFolder(at: number): boolean {
    return this.types[at] === ENTRY.directory;
  }

  /** By bytes. */
  compareNames(a: number, b: number): number {
    const names = this.#names;
    let i = this.#nameEnds[a]!;
    let j = this.#nameEnds[b]!;
    const [endA, endB] = [this.#nameEnds[a + 1]!, this.#nameEnds[b + 1]!];
    while (i < endA && j < endB) {
      const difference = names[i++]! - names[j++]!;
      if (difference !== 0) return difference;
    }
    return endA - i - (endB - j);
  }

  #grow(): void {
    const capacity = this.types.length * 2;
    this.types = grown(this.types, capacity);
    this.sizes = grown(this.sizes, capacity);
    this.times = grown(this.times, capacity);
    this.#nameEnds = grown(this.#nameEnds, capacity + 1);
  }

  #growNames(need: number): void {
    this.#names = grown(this.#names, Math.max(need, this.#names.length * 2));
  }
}

type Column = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

export function grown<C extends Column>(column: C, capacity: number): C {
  const wider = new (column.constructor as new (length: number) => C)(capacity);
  wider.set(column as never);
  return wider;
}
