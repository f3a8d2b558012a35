// Puts slices of an upload together: TLS hands over 16 KiB at a time, and every write to a disk costs a trip to another thread
// (measured: a third of what receiving a pack costs).

import { releaseWhole } from "../../core/bytes.ts";

const PIECE_BYTES = 256 * 1024;

export class Pieces {
  readonly #full: Uint8Array[] = [];
  #filling: Uint8Array | undefined;
  #length = 0;
  #spare: Uint8Array | undefined;

  /** How many whole pieces wait to be taken. */
  get full(): number {
    return this.#full.length;
  }

  /** Takes a slice, which is given up. */
  add(slice: Uint8Array): void {
    for (let at = 0; at < slice.length; ) {
      this.#filling ??= this.#fresh();
      const part = slice.subarray(at, at + PIECE_BYTES - this.#length);
      this.#filling.set(part, this.#length);
      this.#length += part.length;
      at += part.length;
      if (this.#length === PIECE_BYTES) this.#close(this.#filling);
    }
    releaseWhole(slice);
  }

  /** The oldest whole piece. */
  take(): Uint8Array | undefined {
    return this.#full.shift();
  }

  /** A piece whose reader is done with it. */
  giveBack(piece: Uint8Array): void {
    this.#spare = piece;
  }

  /** What is left when nothing follows, and no whole piece waits. */
  takeRest(): Uint8Array {
    return this.#filling?.subarray(0, this.#length) ?? new Uint8Array();
  }

  #close(piece: Uint8Array): void {
    this.#full.push(piece);
    this.#filling = undefined;
    this.#length = 0;
  }

  #fresh(): Uint8Array {
    const piece = this.#spare ?? new Uint8Array(PIECE_BYTES);
    this.#spare = undefined;
    return piece;
  }
}
