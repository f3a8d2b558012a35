// Time and randomness come in as arguments. Only the `system…` values below touch the platform.

import type { Bytes } from "./bytes.ts";

export type Clock = {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
  /** Monotonic milliseconds, for measuring durations only. */
  monotonic(): number;
};

export type RandomSource = {
  /** `length` unpredictable bytes, fit for keys. */
  bytes(length: number): Bytes;
};

/** Resolves after `ms`, or as soon as the signal fires. Never throws. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

export const systemRandom: RandomSource = { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) };

export const systemSleep: Sleep = (ms, signal) =>
  new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
    if (signal?.aborted) done();
  });
