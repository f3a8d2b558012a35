// Waiting, as the agent does it: on a clock that is passed in, so that two weeks pass in a test as fast as they can be worked through.

import { type Clock, systemClock } from "../../core/clock.ts";

export type Timers = {
  readonly clock: Clock;
  /** Resolves after `ms`, or as soon as the signal fires. Never throws. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
};

export const systemTimers: Timers = {
  clock: systemClock,
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener("abort", done);
      if (signal?.aborted) done();
    }),
};
