// How late the event loop is: what holds it up holds up everybody.

import { monitorEventLoopDelay } from "node:perf_hooks";

const RESOLUTION_MS = 10;
const WINDOW_MS = 60_000;
const QUANTILES = [0.5, 0.99, 1] as const;

export class LoopLag {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #last: readonly (readonly [string, number])[] = [];
  #timer: NodeJS.Timeout | undefined;

  start(): void {
    this.#histogram.enable();
    this.#timer = setInterval(() => {
      this.#last = this.#read();
      this.#histogram.reset();
    }, WINDOW_MS);
    this.#timer.unref();
  }

  stop(): void {
    this.#histogram.disable();
    clearInterval(this.#timer);
  }

  /** Of the last whole minute, or of what there is of the first; in seconds. */
  quantiles(): readonly (readonly [string, number])[] {
    return this.#last.length > 0 ? this.#last : this.#read();
  }

  #read(): (readonly [string, number])[] {
    if (this.#histogram.count === 0) return [];
    return QUANTILES.map((quantile) => {
      const late = this.#histogram.percentile(quantile * 100) / 1e6 - RESOLUTION_MS;
      return [String(quantile), Math.max(0, late) / 1000] as const;
    });
  }
}
