// The parts of one large file or stream. They are read side by side and are folded in order as soon as those before them are there, so
// that memory holds the parts in flight and not the file.

import type { BlockRef } from "../../wire/v4/state-file.ts";
import { ChunkLists, type EntryChunks, type ListCutting, RefList, type StoreList } from "./chunk-lists.ts";
import { Signal } from "./signal.ts";

/** Neighbouring chunks that were read, named and placed. */
export type Part = {
  readonly chunkIds: Uint8Array;
  readonly lengths: readonly number[];
  readonly refs: readonly BlockRef[];
  /** It ended early: what follows it would be at the wrong offset. */
  readonly changed?: boolean | undefined;
};

export type WholeFile = EntryChunks & {
  readonly refs: readonly BlockRef[];
  readonly size: number;
  readonly changed?: true;
};

export class Parts {
  readonly #lists: ChunkLists;
  readonly #refs = new RefList();
  /** Parts that came before one that is still missing. */
  readonly #early = new Map<number, Part>();
  #opened = 0;
  #folded = 0;
  #size = 0;
  #changed = false;
  #problem: string | undefined;
  readonly #signal = new Signal();

  constructor(cutting: ListCutting, store: StoreList) {
    this.#lists = new ChunkLists(cutting, store);
  }

  /** Announces the next part; what is given takes it once it is there. */
  open(): (part: Part) => void {
    const index = this.#opened++;
    return (part) => {
      this.#early.set(index, part);
      this.#foldReady();
      this.#signal.notify();
    };
  }

  fail(problem: string): void {
    this.#problem ??= problem;
  }

  /** Resolves when every part that was opened is there. */
  async drained(): Promise<void> {
    while (this.#folded < this.#opened) await this.#signal.wait(undefined);
  }

  /** To be called when no further part comes and all are there. */
  async finish(isChanged: boolean): Promise<WholeFile | { readonly problem: string }> {
    if (this.#problem !== undefined) return { problem: this.#problem };
    const chunks = await this.#lists.finish(this.#refs);
    return {
      ...chunks,
      refs: this.#refs.take(),
      size: this.#size,
      ...(isChanged || this.#changed ? { changed: true } : {}),
    };
  }

  #foldReady(): void {
    for (let part = this.#next(); part; part = this.#next()) {
      if (this.#changed || this.#problem !== undefined) continue;
      this.#lists.add(part.chunkIds, part.lengths);
      for (const ref of part.refs) this.#refs.add(ref);
      for (const length of part.lengths) this.#size += length;
      this.#changed = part.changed ?? false;
    }
  }

  #next(): Part | undefined {
    const part = this.#early.get(this.#folded);
    if (part) this.#early.delete(this.#folded++);
    return part;
  }
}
