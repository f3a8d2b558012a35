// Holds uploads up while a run is paused. A run that waits here keeps its lease and loses nothing.

export class Gate {
  #isOpen = true;
  readonly #waiting = new Set<() => void>();

  get isOpen(): boolean {
    return this.#isOpen;
  }

  close(): void {
    this.#isOpen = false;
  }

  open(): void {
    this.#isOpen = true;
    for (const go of this.#waiting) go();
  }

  /** Resolves once the gate is open, or the signal fires. */
  async pass(signal: AbortSignal | undefined): Promise<void> {
    while (!this.#isOpen && !signal?.aborted) {
      await new Promise<void>((resolve) => {
        const go = (): void => {
          signal?.removeEventListener("abort", go);
          this.#waiting.delete(go);
          resolve();
        };
        this.#waiting.add(go);
        signal?.addEventListener("abort", go);
      });
    }
  }
}
