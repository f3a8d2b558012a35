// Holds a run up while it is paused. A run that waits here keeps its lease and loses nothing.

import { Signal } from "./signal.ts";

export class Gate {
  #isOpen = true;
  readonly #opened = new Signal();

  get isOpen(): boolean {
    return this.#isOpen;
  }

  close(): void {
    this.#isOpen = false;
  }

  open(): void {
    this.#isOpen = true;
    this.#opened.notify();
  }

  /** Resolves once the gate is open, or the signal fires. */
  async pass(signal: AbortSignal | undefined): Promise<void> {
    while (!this.#isOpen && !signal?.aborted) await this.#opened.wait(signal);
  }
}
