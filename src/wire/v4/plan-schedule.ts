// The words in which a plan says when it runs (docs/agent.md, Schedules), as a pure grammar: text to rule and back. When a rule falls due is
// engine/schedule.ts's to know. Nothing here knows a clock or a time zone.

import { suggest } from "../../core/config-schema.ts";
import { AppError } from "../../core/errors.ts";

/** 0 Sunday … 6 Saturday, as cron has it. */
export type Day = number;
/** Minutes since midnight. */
export type TimeOfDay = number;

export type Schedule =
  /** Only when somebody asks. */
  | { readonly kind: "manual" }
  /** Five fields: minute, hour, day of month, month, day of week. */
  | { readonly kind: "cron"; readonly pattern: string }
  /** `count` divides the hour or the day, so that the moments are the same each day. */
  | { readonly kind: "every"; readonly unit: "minute" | "hour"; readonly count: number }
  | { readonly kind: "days"; readonly days: readonly Day[]; readonly times: readonly TimeOfDay[] }
  /** `dayOfMonth` 0 is the last one. */
  | { readonly kind: "month"; readonly dayOfMonth: number; readonly times: readonly TimeOfDay[] }
  /** Once in each window; one that ends before it begins goes on after midnight. */
  | { readonly kind: "window"; readonly days: readonly Day[]; readonly from: TimeOfDay; readonly until: TimeOfDay };

export const EVERY_DAY: readonly Day[] = [0, 1, 2, 3, 4, 5, 6];
const WEEKDAYS: readonly Day[] = [1, 2, 3, 4, 5];
const WEEKENDS: readonly Day[] = [0, 6];
const DAY_NAMES = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"] as const;
/** In the order in which people name them. */
const WEEK_ORDER: readonly Day[] = [1, 2, 3, 4, 5, 6, 0];
const MINUTES_A_DAY = 24 * 60;
const MAX_TEXT = 256;

const WORDS = [
  ...DAY_NAMES,
  ...["every", "hourly", "daily", "weekly", "monthly", "manual", "weekdays", "weekends", "day", "week", "month"],
  ...["minutes", "hours", "between", "and", "at", "on", "the", "last", "noon", "midnight", "minute", "hour"],
];

/** Throws `plan_invalid`, which says what would fit. */
export function parseSchedule(text: string): Schedule {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed.length > MAX_TEXT) return refuse(text, "it says nothing");
  if (/^[\d*]\S*(\s+\S+){4}$/.test(trimmed)) return { kind: "cron", pattern: trimmed.replace(/\s+/g, " ") };
  return new Sentence(trimmed).schedule();
}

/** A text that parses to the same rule. */
export function scheduleWords(schedule: Schedule): string {
  switch (schedule.kind) {
    case "manual":
      return "manual";
    case "cron":
      return schedule.pattern;
    case "every":
      return schedule.count === 1 ? `every ${schedule.unit}` : `every ${schedule.count} ${schedule.unit}s`;
    case "days":
      return `${daysWords(schedule.days)} at ${timesWords(schedule.times)}`;
    case "month": {
      const day = schedule.dayOfMonth === 0 ? "the last day" : `day ${schedule.dayOfMonth}`;
      return `every month on ${day} at ${timesWords(schedule.times)}`;
    }
    case "window":
      return `${daysWords(schedule.days)} between ${timeWords(schedule.from)} and ${timeWords(schedule.until)}`;
  }
}

function daysWords(days: readonly Day[]): string {
  if (days.length === EVERY_DAY.length) return "every day";
  if (days.join() === WEEKDAYS.join()) return "weekdays";
  if (days.join() === WEEKENDS.join()) return "weekends";
  return `every ${WEEK_ORDER.filter((day) => days.includes(day))
    .map((day) => DAY_NAMES[day])
    .join(", ")}`;
}

function timesWords(times: readonly TimeOfDay[]): string {
  return times.map(timeWords).join(", ");
}

export function timeWords(time: TimeOfDay): string {
  return `${String(Math.floor(time / 60)).padStart(2, "0")}:${String(time % 60).padStart(2, "0")}`;
}

/** A recursive descent over words. */
class Sentence {
  readonly #text: string;
  readonly #words: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#words = text.toLowerCase().match(/\d{1,2}:\d{2}|\d+|[a-z]+|[^\s\w]/g) ?? [];
  }

  schedule(): Schedule {
    const schedule = this.#rule();
    if (this.#at < this.#words.length) this.#fail(`"${this.#words[this.#at]}" does not fit there`);
    return schedule;
  }

  #rule(): Schedule {
    if (this.#take("manual", "never")) return { kind: "manual" };
    if (this.#take("hourly")) return { kind: "every", unit: "hour", count: 1 };
    if (this.#take("monthly")) return this.#month();
    this.#take("every", "each", "on");
    const every = this.#every();
    if (every) return every;
    if (this.#take("month")) return this.#month();
    const days = this.#days();
    if (this.#take("between")) return this.#window(days);
    return { kind: "days", days, times: this.#times() };
  }

  /** `6 hours`, `hour`, `15 minutes`; undefined when it is about days. */
  #every(): Schedule | undefined {
    const start = this.#at;
    const count = this.#number() ?? 1;
    const unit = this.#take("minute", "minutes") ? "minute" : this.#take("hour", "hours") ? "hour" : undefined;
    if (!unit) {
      this.#at = start;
      return undefined;
    }
    const whole = unit === "minute" ? 60 : 24;
    if (count < 1 || count > whole || whole % count !== 0) {
      const fitting = Array.from({ length: whole }, (_, i) => i + 1).filter((n) => whole % n === 0);
      const span = unit === "minute" ? "an hour" : "a day";
      this.#fail(`${count} ${unit}s do not divide ${span}; take one of ${fitting.join(", ")}`);
    }
    // Both name the same moments.
    if (count === whole) return unit === "minute" ? { kind: "every", unit: "hour", count: 1 } : midnight(EVERY_DAY);
    return { kind: "every", unit, count };
  }

  #month(): Schedule {
    let dayOfMonth = 1;
    if (this.#take("on")) {
      this.#take("the");
      if (this.#take("last")) {
        this.#take("day");
        dayOfMonth = 0;
      } else {
        this.#take("day");
        dayOfMonth = this.#number() ?? this.#fail('after "on" comes a day, such as "the 15th" or "the last day"');
        this.#take("st", "nd", "rd", "th");
        if (dayOfMonth < 1 || dayOfMonth > 31) this.#fail("a month has days 1 to 31");
      }
    }
    return { kind: "month", dayOfMonth, times: this.#times() };
  }

  #window(days: readonly Day[]): Schedule {
    const from = this.#time();
    if (!this.#take("and", "to", "-", "–")) this.#fail('between two times stands "and"');
    const until = this.#time();
    if (from === until) this.#fail("a window needs two different times");
    return { kind: "window", days, from, until };
  }

  #days(): readonly Day[] {
    if (this.#take("day", "days", "daily")) return EVERY_DAY;
    if (this.#take("weekly", "week")) return this.#take("on") ? this.#namedDays() : [1];
    return this.#namedDays();
  }

  #namedDays(): readonly Day[] {
    const found = new Set<Day>();
    do {
      for (const day of this.#dayOrRange()) found.add(day);
    } while (this.#take(",", "and", "or"));
    return [...found].sort();
  }

  #dayOrRange(): readonly Day[] {
    if (this.#take("weekday", "weekdays")) return WEEKDAYS;
    if (this.#take("weekend", "weekends")) return WEEKENDS;
    const first = this.#day();
    if (!this.#take("to", "-", "–", "through")) return [first];
    const last = this.#day();
    return Array.from({ length: ((last - first + 7) % 7) + 1 }, (_, i) => (first + i) % 7);
  }

  #day(): Day {
    const word = this.#words[this.#at] ?? "";
    const name = word.replace(/s$/, "");
    const day = DAY_NAMES.findIndex(
      (known) => known === word || known === name || (known.startsWith(name) && name.length >= 3),
    );
    if (day < 0) this.#fail(word === "" ? "it ends too early" : `"${word}" is no day`);
    this.#at++;
    return day;
  }

  /** At midnight when nothing is said. */
  #times(): readonly TimeOfDay[] {
    if (!this.#take("at")) return [0];
    const found = new Set<TimeOfDay>();
    do found.add(this.#time());
    while (this.#take(",", "and"));
    return [...found].sort((a, b) => a - b);
  }

  #time(): TimeOfDay {
    const word = this.#words[this.#at] ?? "";
    if (this.#take("noon")) return MINUTES_A_DAY / 2;
    if (this.#take("midnight")) return 0;
    const found = /^(\d{1,2})(?::(\d{2}))?$/.exec(word);
    if (!found)
      this.#fail(word === "" ? "a time is missing, such as 22:00" : `"${word}" is no time; write it as 22:00`);
    this.#at++;
    let hour = Number(found[1]);
    const minute = Number(found[2] ?? 0);
    const half = this.#take("am") ? "am" : this.#take("pm") ? "pm" : undefined;
    if (half ? hour < 1 || hour > 12 : found[2] === undefined || hour > 24)
      this.#fail(`"${word}" is no time; write it as 22:00`);
    if (half) hour = (hour % 12) + (half === "pm" ? 12 : 0);
    if (minute > 59 || (hour === 24 && minute > 0)) this.#fail(`"${word}" is no time; write it as 22:00`);
    return (hour * 60 + minute) % MINUTES_A_DAY;
  }

  #number(): number | undefined {
    const word = this.#words[this.#at] ?? "";
    if (!/^\d{1,4}$/.test(word)) return undefined;
    this.#at++;
    return Number(word);
  }

  #take(...words: readonly string[]): boolean {
    const isThere = words.includes(this.#words[this.#at] ?? "");
    if (isThere) this.#at++;
    return isThere;
  }

  #fail(detail: string): never {
    const word = this.#words[this.#at] ?? "";
    const meant = /^[a-z]{3,}$/.test(word) && !WORDS.includes(word) ? suggest(word, WORDS) : undefined;
    return refuse(this.#text, meant === undefined ? detail : `${detail}; did you mean "${meant}"?`);
  }
}

function midnight(days: readonly Day[]): Schedule {
  return { kind: "days", days, times: [0] };
}

function refuse(text: string, detail: string): never {
  const shown = JSON.stringify(text.slice(0, 80));
  const examples = '"every day at 12:30", "weekdays between 22:00 and 06:00", "every 6 hours" or cron\'s five fields';
  throw new AppError("plan_invalid", {
    context: {
      detail: `the schedule ${shown} is not understood: ${detail.replace(/[^?]$/, "$&.")} Write something like ${examples}.`,
    },
  });
}
