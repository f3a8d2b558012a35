// Speed over the last half minute, and when a run may end.

import type { Figures } from "./figures.ts";

export type Sample = { readonly atMs: number; readonly bytes: number; readonly sentBytes: number };

export const WINDOW_MS = 30_000;
const STEP_MS = 1000;
const SHORT_MS = 3500;
/** Before that an estimate is a guess. */
const ETA_AFTER_MS = 3000;

/** One a second, none older than the window; the same list while there is no new one. */
export function addSample(samples: readonly Sample[], { elapsedMs, bytes, sentBytes }: Figures): readonly Sample[] {
  const last = samples.at(-1);
  if (last !== undefined && elapsedMs - last.atMs < STEP_MS) return samples;
  const next: Sample = { atMs: elapsedMs, bytes, sentBytes };
  return [...samples.filter(({ atMs }) => elapsedMs - atMs <= WINDOW_MS + STEP_MS), next];
}

/** Bytes a second over the last few seconds. */
export function speedOf(samples: readonly Sample[], of: "bytes" | "sentBytes" = "bytes"): number {
  const last = samples.at(-1);
  if (!last) return 0;
  const first = samples.find(({ atMs }) => last.atMs - atMs <= SHORT_MS) ?? last;
  const spanMs = last.atMs - first.atMs;
  return spanMs < 250 ? 0 : Math.max(0, ((last[of] - first[of]) / spanMs) * 1000);
}

/** Points of a chart: bytes a second in each second of the window, oldest first. */
export function chartOf(
  samples: readonly Sample[],
  of: "bytes" | "sentBytes" = "bytes",
): { ageMs: number; speed: number }[] {
  const last = samples.at(-1);
  if (!last) return [];
  return samples.slice(1).map((sample, i) => {
    const before = samples[i]!;
    const spanMs = Math.max(1, sample.atMs - before.atMs);
    return { ageMs: last.atMs - sample.atMs, speed: Math.max(0, ((sample[of] - before[of]) / spanMs) * 1000) };
  });
}

/** Share that is done, 0 to 1; undefined while nobody knows how much there is. */
export function shareDone({ bytes, files, expected, phase }: Figures): number | undefined {
  if (phase === "done") return 1;
  if (!expected) return undefined;
  // Files count as well, each as much as a few kilobytes: thousands of empty ones take their time.
  const weight = (b: number, f: number): number => b + f * 4096;
  const whole = weight(expected.bytes, expected.files);
  return whole === 0 ? undefined : Math.min(0.999, weight(bytes, files) / whole);
}

export function etaMs(figures: Figures, samples: readonly Sample[]): number | undefined {
  const share = shareDone(figures);
  const first = samples[0];
  if (share === undefined || !first || figures.isPaused || figures.elapsedMs < ETA_AFTER_MS || share <= 0)
    return undefined;
  const last = samples.at(-1)!;
  const speed = ((last.bytes - first.bytes) / Math.max(1, last.atMs - first.atMs)) * 1000;
  const left = (figures.expected?.bytes ?? 0) - figures.bytes;
  return speed <= 0 || left <= 0 ? undefined : (left / speed) * 1000;
}
