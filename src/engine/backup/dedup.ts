// Decides for every chunk of a run whether it is stored already, and gives what is new its place in a block.
//
// [Note: rows] A chunk's block is known as a *row*: an index into a table that ends up in the state file. A row that stands for a
// block of the vault has its blockNo at once; a row that stands for a block of this run gets it when the pack was accepted. So
// entries can be written while their blocks are still being sealed. A block reference is 2·blockNo or 2·row + 1 (docs/format.md).

import type { BlockRef } from "../../wire/v4/state-file.ts";

/** Finds blockNos of chunks in the vault: 0 = missing. */
export type FindChunks = (chunkIds: Uint8Array) => Promise<Float64Array>;

/** log2 of the bits of the filters of chunks that this run stored: 4 KiB for the first of them, which is all that most runs need, and 4 MiB. */
const FIRST_FILTER_BITS = 15;
const FILTER_BITS = 25;
const FIRST_CHUNKS = 1024;

export class Dedup {
  readonly #find: FindChunks;
  readonly #vaultWasEmpty: boolean;
  readonly #firstFilter = new ChunkFilter(FIRST_FILTER_BITS);
  #filter: ChunkFilter | undefined;
  #marked = 0;
  /** Chunks of this run that the vault may not know yet, by their ids as binary strings: the row of their block. */
  readonly #pending = new Map<string, number>();
  readonly #rowBlockNos: number[] = [];
  readonly #aliases: [number, number][] = [];
  /** Asks are decided in the order in which they came. */
  #turn: Promise<void> = Promise.resolve();

  constructor(find: FindChunks, vaultWasEmpty: boolean) {
    this.#find = find;
    this.#vaultWasEmpty = vaultWasEmpty;
  }

  /** A new row for a block of this run. */
  newRow(): number {
    return this.#rowBlockNos.push(0) - 1;
  }

  /**
   * Looks up n chunkIds, then calls `decide` in turn. `decide` gets the reference of each chunk that is stored or on its way,
   * undefined for one that is missing, and must place that one before it returns by calling `place`.
   */
  ask(chunkIds: Uint8Array, decide: (lookup: (index: number) => BlockRef | undefined) => void): Promise<void> {
    const found = this.#lookUp(chunkIds);
    // An earlier ask that fails has told its own caller; the run ends there.
    found.catch(() => undefined);
    const turn = this.#turn.then(async () => {
      const blockNos = await found;
      decide((index) => {
        const row = this.#pending.get(idKey(chunkIds, index));
        if (row !== undefined) return 2 * row + 1;
        const blockNo = blockNos?.[index] ?? 0;
        return blockNo > 0 ? 2 * blockNo : undefined;
      });
    });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Says that chunk `index` of these ids goes to the block of `row`. */
  place(chunkIds: Uint8Array, index: number, row: number): void {
    this.#pending.set(idKey(chunkIds, index), row);
  }

  /** Row `row` is a chunk that turned out to be stored, or on its way, already. */
  alias(row: number, ref: BlockRef): void {
    if (ref % 2 === 0) this.#rowBlockNos[row] = ref / 2;
    else this.#aliases.push([row, (ref - 1) / 2]);
  }

  /** The vault has taken a block: from now on it knows these chunks. */
  stored(rows: readonly number[], blockNo: number, chunkIds: Uint8Array): void {
    for (const row of rows) this.#rowBlockNos[row] = blockNo;
    for (let i = 0; i < chunkIds.length / 32; i++) this.#mark(chunkIds, i);
    // Asks that were sent before the vault knew must still find the chunks here, so forget them in turn.
    this.#turn = this.#turn.then(() => {
      for (let i = 0; i < chunkIds.length / 32; i++) {
        const key = idKey(chunkIds, i);
        const row = this.#pending.get(key);
        if (row !== undefined && this.#rowBlockNos[row] === blockNo) this.#pending.delete(key);
      }
    });
  }

  /** The table for the state file's tail; to be called once every pack was accepted. */
  finish(): readonly number[] {
    for (const [row, other] of this.#aliases) this.#rowBlockNos[row] = this.#rowBlockNos[other]!;
    return this.#rowBlockNos;
  }

  /** Resolves when every ask that was made has been decided. */
  settled(): Promise<void> {
    return this.#turn;
  }

  /** undefined stands for "none of them is in the vault". */
  #lookUp(chunkIds: Uint8Array): Promise<Float64Array | undefined> {
    if (this.#vaultWasEmpty && !this.#mayKnow(chunkIds)) return Promise.resolve(undefined);
    return this.#find(chunkIds);
  }

  #mayKnow(chunkIds: Uint8Array): boolean {
    for (let i = 0; i < chunkIds.length / 32; i++) {
      if (this.#firstFilter.mayHave(chunkIds, i) || this.#filter?.mayHave(chunkIds, i)) return true;
    }
    return false;
  }

  #mark(chunkIds: Uint8Array, index: number): void {
    if (!this.#vaultWasEmpty) return;
    if (this.#marked++ >= FIRST_CHUNKS) this.#filter ??= new ChunkFilter(FILTER_BITS);
    (this.#filter ?? this.#firstFilter).mark(chunkIds, index);
  }
}

/** Says of a chunk that it is not among those that were marked, or that it may be. chunkIds are uniform, so any of their bits serve as a hash. */
class ChunkFilter {
  readonly #bits: number;
  readonly #words: Int32Array;

  constructor(bits: number) {
    this.#bits = bits;
    this.#words = new Int32Array(2 ** bits / 32);
  }

  mark(chunkIds: Uint8Array, index: number): void {
    const bit = this.#bitOf(chunkIds, index);
    this.#words[bit >>> 5]! |= 1 << (bit & 31);
  }

  mayHave(chunkIds: Uint8Array, index: number): boolean {
    const bit = this.#bitOf(chunkIds, index);
    return (this.#words[bit >>> 5]! & (1 << (bit & 31))) !== 0;
  }

  #bitOf(chunkIds: Uint8Array, index: number): number {
    const at = index * 32;
    const word = chunkIds[at]! | (chunkIds[at + 1]! << 8) | (chunkIds[at + 2]! << 16) | (chunkIds[at + 3]! << 24);
    return word >>> (32 - this.#bits);
  }
}

function idKey(chunkIds: Uint8Array, index: number): string {
  return String.fromCharCode.apply(null, chunkIds.subarray(index * 32, index * 32 + 32) as unknown as number[]);
}
