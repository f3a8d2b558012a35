// When a schedule falls due, in a time zone, with its changes of clocks: a time of day that a change skips counts once, at the next one that
// exists; one that comes twice counts once (docs/agent.md, Schedules). Moments only: whether one was missed, and what then, is the agent's.

import { Cron } from "croner";
import { AppError } from "../core/errors.ts";
import type { Day, Schedule, TimeOfDay } from "../wire/v4/plan-schedule.ts";

export type Occurrence = {
  /** Milliseconds since 1970: names the occurrence. */
  readonly at: number;
  /** A window's end; undefined for schedules of moments. */
  readonly until: number | undefined;
};

export interface Calendar {
  /** The first occurrence after `time`; undefined when there is none. */
  after(time: number): Occurrence | undefined;
  /** The last occurrence after `since` that has begun by `now`. */
  latest(since: number, now: number): Occurrence | undefined;
  /** True while a window of the schedule is open. */
  isWithin(time: number): boolean;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Looked through in this order, so that neither a schedule by the minute nor one by the year costs many steps. */
const LOOK_BACK_MS = [HOUR_MS, DAY_MS, 32 * DAY_MS, 370 * DAY_MS];
/** The longest window, on the day that has 25 hours. */
const WINDOW_MS = 25 * HOUR_MS;

/** `timeZone` is an IANA name. Throws `plan_invalid`. */
export function openCalendar(schedule: Schedule, timeZone: string): Calendar {
  const patterns = patternsOf(schedule).map((pattern) => nextOf(cron(pattern, timeZone)));
  const ends = schedule.kind === "window" ? nextOf(cron(fields([schedule.until], "*", "*"), timeZone)) : undefined;
  const occurrence = (at: number): Occurrence => ({ at, until: ends?.(at) });
  const calendar: Calendar = {
    after(time) {
      const found = patterns.map((next) => next(time)).filter((at) => at !== undefined);
      return found.length === 0 ? undefined : occurrence(Math.min(...found));
    },
    latest(since, now) {
      for (const span of LOOK_BACK_MS) {
        const from = Math.max(since, now - span);
        let found: Occurrence | undefined;
        for (let next = calendar.after(from); next && next.at <= now; next = calendar.after(next.at)) found = next;
        if (found || from === since) return found;
      }
      return undefined;
    },
    isWithin(time) {
      const open = calendar.latest(time - WINDOW_MS, time);
      return open?.until !== undefined && time < open.until;
    },
  };
  return calendar;
}

/** A pattern of one time of day each: only such a one is made up for by croner on the day that lacks it. */
function patternsOf(schedule: Schedule): string[] {
  switch (schedule.kind) {
    case "manual":
      return [];
    case "cron":
      return singleTimes(schedule.pattern);
    case "every":
      return [schedule.unit === "minute" ? `*/${schedule.count} * * * *` : `0 */${schedule.count} * * *`];
    case "days":
      return schedule.times.map((time) => fields([time], "*", weekDays(schedule.days)));
    case "month": {
      const day = schedule.dayOfMonth === 0 ? "L" : String(schedule.dayOfMonth);
      return schedule.times.map((time) => fields([time], day, "*"));
    }
    case "window":
      return [fields([schedule.from], "*", weekDays(schedule.days))];
  }
}

function singleTimes(pattern: string): string[] {
  const [minute = "", hour = "", ...rest] = pattern.split(" ");
  const isList = (field: string): boolean => /^\d{1,2}(,\d{1,2})*$/.test(field);
  if (!isList(minute) || !isList(hour)) return [pattern];
  return hour.split(",").flatMap((h) => minute.split(",").map((m) => [m, h, ...rest].join(" ")));
}

function fields([time = 0]: readonly TimeOfDay[], dayOfMonth: string, dayOfWeek: string): string {
  return `${time % 60} ${Math.floor(time / 60)} ${dayOfMonth} * ${dayOfWeek}`;
}

function weekDays(days: readonly Day[]): string {
  return days.length === 7 ? "*" : days.join(",");
}

/** What comes next after a time. croner takes a tenth of a millisecond; between two moments the answer stays the same. */
function nextOf(pattern: Cron): (time: number) => number | undefined {
  let known: readonly { readonly from: number; readonly next: number }[] = [];
  return (time) => {
    const hit = known.find(({ from, next }) => from <= time && time < next);
    if (hit) return hit.next;
    const next = pattern.nextRun(new Date(time))?.getTime();
    if (next !== undefined) known = [{ from: time, next }, ...known.slice(0, GAPS_KNOWN - 1)];
    return next;
  };
}

const GAPS_KNOWN = 4;

function cron(pattern: string, timezone: string): Cron {
  try {
    const made = new Cron(pattern, { timezone, mode: "5-part", paused: true });
    // An unknown time zone shows only here.
    made.nextRun(new Date(0));
    return made;
  } catch (cause) {
    const detail = isTimeZone(timezone)
      ? `"${pattern}" is no schedule of five fields (minute, hour, day of month, month, day of week).`
      : `"${timezone}" is no time zone; write one like Europe/Berlin.`;
    throw new AppError("plan_invalid", { cause, context: { detail } });
  }
}

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
