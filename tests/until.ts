// Waits for what no event tells of: what another process does to a file, what a server has come to. Never for ever.

import { setTimeout as pause } from "node:timers/promises";

/** Far more than anything takes on the slowest machine. */
const LONGEST_MS = 120_000;
/** Between two looks: who is waited for needs the processor more. */
const PAUSE_MS = 3;

export type UntilOptions = { readonly longestMs?: number; readonly pauseMs?: number };

/** Answers what `look` gives once that is true. `what` is said when it never is. */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  { longestMs = LONGEST_MS, pauseMs = PAUSE_MS }: UntilOptions = {},
): Promise<T> {
  const end = performance.now() + longestMs;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (performance.now() > end) throw new Error(`it never came to this: ${what}`);
    await pause(pauseMs);
  }
}
