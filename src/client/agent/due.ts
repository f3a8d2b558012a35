// When a plan is due: a pure function of the plan, of what is remembered of it, and of the time (docs/agent.md, When a run begins). It
// starts nothing and stores nothing.

import { utf8 } from "../../core/bytes.ts";
import { crc32c } from "../../core/checksum.ts";
import type { Calendar, Occurrence } from "../../engine/schedule.ts";

export type Retry = {
  readonly at: number;
  /** How many tries there were. */
  readonly tries: number;
  /** The moment that the tries are for; null when somebody asked. */
  readonly moment: number | null;
};

export type DueInput = {
  readonly calendar: Calendar;
  /** Sets the plan's own fixed shift within windows and jitter. */
  readonly seed: string;
  readonly jitterMs: number;
  readonly catchUp: boolean;
  /** Moments up to here need nothing any more. */
  readonly handled: number;
  readonly retry: Retry | null;
};

export type Due =
  | {
      readonly kind: "run";
      readonly moment: number | null;
      readonly trigger: "schedule" | "catch-up" | "retry";
      readonly tries: number;
    }
  /** Missed, and not to be made up for. */
  | { readonly kind: "skip"; readonly moment: number };

export type Standing = {
  readonly due: Due | undefined;
  /** When to look again at the latest; undefined: nothing will come by itself. */
  readonly nextAt: number | undefined;
};

/** A run that begins so much later than it was due still counts as on time. */
const GRACE_MS = 10 * 60_000;
/** A clock that was so far in the future when it was remembered was wrong. */
const BACKWARDS_MS = 24 * 3_600_000;
/** Moments whose jitter may overlap. */
const LOOK_BACK = 4;

export function standingOf(input: DueInput, now: number): Standing {
  const { retry } = input;
  const handled = input.handled > now + BACKWARDS_MS ? now : input.handled;
  const due = dueMoment(input, handled, now);
  if (due) return { due, nextAt: now };
  if (retry && retry.at <= now)
    return { due: { kind: "run", moment: retry.moment, trigger: "retry", tries: retry.tries }, nextAt: now };
  const candidates = [pendingAt(input, handled, now), retry?.at].filter((at) => at !== undefined);
  return { due: undefined, nextAt: candidates.length > 0 ? Math.min(...candidates) : undefined };
}

/** When the plan is due next by its schedule, whatever was tried. */
export function nextDueAt(input: DueInput, now: number): number | undefined {
  const handled = input.handled > now + BACKWARDS_MS ? now : input.handled;
  return pendingAt(input, handled, now);
}

function pendingAt(input: DueInput, handled: number, now: number): number | undefined {
  const { calendar } = input;
  const next = calendar.latest(handled, now) ?? calendar.after(Math.max(handled, now));
  return next && beginOf(next, input);
}

function dueMoment(input: DueInput, handled: number, now: number): Due | undefined {
  let occurrence = input.calendar.latest(handled, now);
  for (let i = 0; occurrence && i < LOOK_BACK; i++) {
    const begin = beginOf(occurrence, input);
    if (begin <= now) {
      const isOnTime = now <= (occurrence.until ?? begin + GRACE_MS);
      if (!isOnTime && !input.catchUp) return { kind: "skip", moment: occurrence.at };
      return { kind: "run", moment: occurrence.at, trigger: isOnTime ? "schedule" : "catch-up", tries: 0 };
    }
    // Not yet; an earlier one may have been missed all the same.
    occurrence = input.calendar.latest(handled, occurrence.at - 1);
  }
  return undefined;
}

/** In a window the same shift each time, so that people can rely on it; jitter differs from moment to moment. */
function beginOf({ at, until }: Occurrence, { seed, jitterMs }: Pick<DueInput, "seed" | "jitterMs">): number {
  if (until !== undefined) return Math.floor(at + fraction(seed) * WINDOW_SHARE * (until - at));
  return Math.floor(at + fraction(`${seed} ${at}`) * jitterMs);
}

/** The rest of a window is for the run itself. */
const WINDOW_SHARE = 0.75;

function fraction(seed: string): number {
  return crc32c(utf8(seed)) / 2 ** 32;
}
