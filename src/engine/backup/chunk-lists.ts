// The chunks of one file on their way into its tree entry: as they are while they are few, in chunk lists once there are many
// (docs/format.md, Chunk lists). Lists are cut by what is in them, so that an insertion changes the list that it falls into and not
// those behind it. Memory holds the list that is being put together, whatever the size of the file.

import { type Bytes, ByteWriter } from "../../core/bytes.ts";
import type { Awaitable } from "../../crypto/primitives.ts";
import { CHUNK_LIST_LIMITS, encodeChunkList } from "../../wire/v4/chunk-list.ts";
import type { BlockRef } from "../../wire/v4/state-file.ts";

/** When a file gets lists, and where they end. Other numbers than these make the same content differ between snapshots. */
export type ListCutting = {
  /** Chunks that an entry holds itself: a file of more gets lists. */
  readonly direct: number;
  /** A list ends, once it has `min` chunks, after the first whose id ends in a u16 that `oneIn` divides, or when it has `max`. */
  readonly min: number;
  readonly oneIn: number;
  readonly max: number;
};

export const LIST_CUTTING: ListCutting = { direct: 4096, min: 1024, oneIn: 4096, max: CHUNK_LIST_LIMITS.chunks };

/** Stores a list as a tree chunk: its chunkId, and the row of its block. */
export type StoreList = (list: Bytes) => { readonly id: Awaitable<Bytes>; readonly row: number };

/** What an entry says of its content: chunks, or lists when `indirect`. */
export type EntryChunks = {
  readonly chunkIds: Bytes;
  readonly lengths: readonly number[];
  readonly indirect?: true;
};

export class ChunkLists {
  readonly #cutting: ListCutting;
  readonly #store: StoreList;
  /** Chunks that are in no list yet. */
  readonly #ids = new ByteWriter(4096);
  #lengths: number[] = [];
  readonly #lists: { readonly id: Awaitable<Bytes>; readonly row: number; readonly bytes: number }[] = [];
  #isIndirect = false;

  constructor(cutting: ListCutting, store: StoreList) {
    this.#cutting = cutting;
    this.#store = store;
  }

  /** Takes the next chunks of the file. */
  add(chunkIds: Uint8Array, lengths: readonly number[]): void {
    for (const [i, length] of lengths.entries()) {
      const id = chunkIds.subarray(i * 32, i * 32 + 32);
      this.#ids.bytes(id);
      this.#lengths.push(length);
      if (this.#isIndirect) this.#endListAfter(id);
      else if (this.#lengths.length > this.#cutting.direct) this.#becomeIndirect();
    }
  }

  /** The blocks of the lists go to `refs`. */
  async finish(refs: RefList): Promise<EntryChunks> {
    if (!this.#isIndirect) return { chunkIds: this.#ids.take(), lengths: this.#lengths };
    if (this.#lengths.length > 0) this.#endList();
    const chunkIds = new Uint8Array(this.#lists.length * 32);
    for (const [i, { id, row }] of this.#lists.entries()) {
      chunkIds.set(await id, i * 32);
      refs.add(2 * row + 1);
    }
    return { chunkIds, lengths: this.#lists.map(({ bytes }) => bytes), indirect: true };
  }

  /** Cuts what was held so far as if it came now. */
  #becomeIndirect(): void {
    const chunkIds = this.#ids.take();
    const lengths = this.#lengths;
    this.#isIndirect = true;
    this.#ids.clear();
    this.#lengths = [];
    this.add(chunkIds, lengths);
  }

  #endListAfter(id: Uint8Array): void {
    const { min, oneIn, max } = this.#cutting;
    const { length } = this.#lengths;
    const isEnd = length >= min && (id[30]! | (id[31]! << 8)) % oneIn === 0;
    if (isEnd || length >= max) this.#endList();
  }

  #endList(): void {
    const lengths = this.#lengths;
    const stored = this.#store(encodeChunkList({ chunkIds: this.#ids.view(), lengths }));
    this.#lists.push({ ...stored, bytes: lengths.reduce((sum, length) => sum + length, 0) });
    this.#ids.clear();
    this.#lengths = [];
  }
}

/** Neighbours often share a block, so a few references remember most repetitions; the rest go in the end. */
const RECENT_REFS = 256;

/** References of one file, each once, in 8 bytes a block. */
export class RefList {
  #refs = new Float64Array(64);
  #length = 0;
  readonly #recent = new Set<BlockRef>();

  add(ref: BlockRef): void {
    if (this.#recent.has(ref)) return;
    if (this.#recent.size >= RECENT_REFS) this.#recent.clear();
    this.#recent.add(ref);
    if (this.#length === this.#refs.length) {
      const grown = new Float64Array(2 * this.#length);
      grown.set(this.#refs);
      this.#refs = grown;
    }
    this.#refs[this.#length++] = ref;
  }

  /** Ascending. */
  take(): BlockRef[] {
    const sorted = this.#refs.subarray(0, this.#length).sort();
    return Array.from(sorted).filter((ref, i) => ref !== sorted[i - 1]);
  }
}
