// A gate for work that is dear: so many at once, so many waiting, everybody else is told to come back. Checking one password
// takes 32 MiB for 50 ms; without a gate a few hundred strangers could ask for all memory that there is.

import { AppError } from "../../core/errors.ts";

export class Gate {
  readonly #atOnce: number;
  readonly #mostWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor({ atOnce, mostWaiting }: { atOnce: number; mostWaiting: number }) {
    this.#atOnce = atOnce;
    this.#mostWaiting = mostWaiting;
  }

  /** Throws `too_many_requests` when too many wait already. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#atOnce) {
      if (this.#waiting.length >= this.#mostWaiting) {
        throw new AppError("too_many_requests", { context: { retryAfter: 1 } });
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running++;
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // The place passes on as it is: nobody can slip in between.
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
