// Time that passes as fast as it can be worked through. Timers go by monotonic time; a device that sleeps lets the wall clock go on alone.

import type { Timers } from "../../src/client/agent/timers.ts";
import type { Clock } from "../../src/core/clock.ts";

type Waiting = { readonly at: number; readonly order: number; readonly wake: () => void };

export class SimTimers implements Timers {
  #monotonic = 0;
  #offset: number;
  #order = 0;
  #waiting: Waiting[] = [];
  readonly clock: Clock = { now: () => this.#monotonic + this.#offset, monotonic: () => this.#monotonic };

  constructor(startAt: number) {
    this.#offset = startAt;
  }

  get pending(): number {
    return this.#waiting.length;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        signal?.removeEventListener("abort", wake);
        this.#waiting = this.#waiting.filter((each) => each !== waiting);
        resolve();
      };
      const waiting = { at: this.#monotonic + Math.max(0, ms), order: this.#order++, wake };
      this.#waiting.push(waiting);
      signal?.addEventListener("abort", wake);
    });
  }

  /** Lets everything happen until the wall clock shows `until`. */
  async advanceTo(until: number): Promise<void> {
    for (;;) {
      await settled();
      const next = this.#earliest();
      const end = until - this.#offset;
      if (!next || next.at > end) {
        this.#monotonic = Math.max(this.#monotonic, end);
        return;
      }
      this.#monotonic = Math.max(this.#monotonic, next.at);
      next.wake();
    }
  }

  /** The device sleeps, or somebody sets its clock: no timer notices. */
  jump(ms: number): void {
    this.#offset += ms;
  }

  #earliest(): Waiting | undefined {
    return this.#waiting.reduce<Waiting | undefined>(
      (best, each) => (!best || each.at < best.at || (each.at === best.at && each.order < best.order) ? each : best),
      undefined,
    );
  }
}

/** Everything that waits for nothing but promises has come to its end. */
export async function settled(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}
