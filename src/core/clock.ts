// Time and randomness come in as arguments. Only the two `system…` values below touch the platform.

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

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

export const systemRandom: RandomSource = { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) };
