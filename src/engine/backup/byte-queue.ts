// A queue of byte slices between a producer that does not wait and one consumer that does.

export class ByteQueue implements AsyncIterable<Uint8Array> {
  #slices: Uint8Array[] = [];
  #ended = false;
  #wake: (() => void) | undefined;
  /** Bytes that were pushed and not taken yet. */
  queuedBytes = 0;

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
        this.queuedBytes -= slice.length;
        yield slice;
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
