// A queue of byte slices between a producer that does not wait and one consumer that does. A slice is the consumer's until it asks
// for the next one; then its memory is given back.

import { releaseBytes } from "../../core/bytes.ts";

export class ByteQueue implements AsyncIterable<Uint8Array> {
  #slices: Uint8Array[] = [];
  #ended = false;
  #wake: (() => void) | undefined;
  /** Bytes that were pushed and not taken yet. */
  queuedBytes = 0;
  readonly #onTaken: () => void;

  /** `onTaken` hears of every slice that the consumer is done with. */
  constructor(onTaken: () => void = () => undefined) {
    this.#onTaken = onTaken;
  }

  push(slice: Uint8Array): void {
    this.#slices.push(slice);
    this.queuedBytes += slice.length;
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (;;) {
      const slice = this.#slices.shift();
      if (slice) {
        const { length } = slice;
        yield slice;
        this.queuedBytes -= length;
        releaseBytes(slice);
        this.#onTaken();
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }
}
