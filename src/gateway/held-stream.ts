// A stream of bytes whose end is somebody's decision: the writer pushes, and in the end either lets it end or makes it fail. It holds a
// little at a time; a writer that is ahead waits. Between the last byte and the decision the reader simply waits. A slice is the
// reader's until it asks for the next one; then its memory is given back.

import { releaseWhole } from "../core/bytes.ts";

export class HeldStream implements AsyncIterable<Uint8Array> {
  readonly #limitBytes: number;
  #slices: Uint8Array[] = [];
  #queuedBytes = 0;
  #outcome: { readonly error?: unknown } | undefined;
  #wakeReader: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** The bytes belong to the stream from now on. Waits while too much is queued; throws what the stream failed with. */
  async push(bytes: Uint8Array): Promise<void> {
    this.#throwIfFailed();
    this.#slices.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#wakeReader?.();
    while (this.#queuedBytes > this.#limitBytes && this.#outcome === undefined) {
      await new Promise<void>((resolve) => {
        this.#wakeWriter = resolve;
      });
    }
    this.#throwIfFailed();
  }

  /** What was pushed is all there is. */
  end(): void {
    this.#decide({});
  }

  /** The reader gets the error, at once; what it has not read is dropped. The first decision counts. */
  fail(error: unknown): void {
    this.#decide({ error });
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (;;) {
      this.#throwIfFailed();
      const slice = this.#slices.shift();
      if (slice) {
        this.#queuedBytes -= slice.length;
        this.#wakeWriter?.();
        yield slice;
        releaseWhole(slice);
      } else if (this.#outcome) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve;
        });
      }
    }
  }

  #decide(outcome: { readonly error?: unknown }): void {
    if (this.#outcome) return;
    this.#outcome = outcome;
    if ("error" in outcome) this.#slices = [];
    this.#wakeReader?.();
    this.#wakeWriter?.();
  }

  #throwIfFailed(): void {
    if (this.#outcome && "error" in this.#outcome) throw this.#outcome.error;
  }
}
