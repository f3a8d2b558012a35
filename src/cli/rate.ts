// A rate that neither jumps nor lags: an exponentially weighted average of what each interval brought.

/** An interval counts by half after so long. */
const HALF_LIFE_MS = 2000;

/** Give it the bytes so far and the time so far; it answers bytes a second. */
export function smoothedRate(): (bytes: number, atMs: number) => number {
  let lastBytes = 0;
  let lastMs = 0;
  let rate: number | undefined;
  return (bytes, atMs) => {
    const intervalMs = atMs - lastMs;
    if (intervalMs <= 0) return rate ?? 0;
    const current = ((bytes - lastBytes) / intervalMs) * 1000;
    const weight = 1 - 0.5 ** (intervalMs / HALF_LIFE_MS);
    rate = rate === undefined ? current : rate + (current - rate) * weight;
    lastBytes = bytes;
    lastMs = atMs;
    return Math.max(rate, 0);
  };
}
