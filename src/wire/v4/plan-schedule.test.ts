// The grammar of schedules must read what docs/agent.md shows, give every rule words that read back to it, and refuse the rest in words that
// help.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../tests/fast-check.ts";
import { isAppError } from "../../core/errors.ts";
import { EVERY_DAY, parseSchedule, type Schedule, scheduleWords } from "./plan-schedule.ts";

const SAME: readonly (readonly [text: string, canonical: string])[] = [
  ["every day between 22:00 and 06:00", "every day between 22:00 and 06:00"],
  ["Weekdays between 10pm and 6am", "weekdays between 22:00 and 06:00"],
  ["every 6 hours", "every 6 hours"],
  ["every hour", "every hour"],
  ["hourly", "every hour"],
  ["every 60 minutes", "every hour"],
  ["every 24 hours", "every day at 00:00"],
  ["every 15 minutes", "every 15 minutes"],
  ["weekdays at 12:30", "weekdays at 12:30"],
  ["daily", "every day at 00:00"],
  ["daily at noon and 6 pm", "every day at 12:00, 18:00"],
  ["every day at 12am, 12pm", "every day at 00:00, 12:00"],
  ["mondays and thursdays at 7:05", "every monday, thursday at 07:05"],
  ["on sat, sun at 10:00", "weekends at 10:00"],
  ["monday to friday at 8:00", "weekdays at 08:00"],
  ["fri-mon at 8:00", "every monday, friday, saturday, sunday at 08:00"],
  ["weekly", "every monday at 00:00"],
  ["weekly on friday at 24:00", "every friday at 00:00"],
  ["monthly", "every month on day 1 at 00:00"],
  ["monthly on the 15th at 3:00", "every month on day 15 at 03:00"],
  ["every month on the last day at 23:30", "every month on the last day at 23:30"],
  ["30  2 * * 1-5", "30 2 * * 1-5"],
  ["*/5 * * * *", "*/5 * * * *"],
  ["never", "manual"],
];

test("what the docs show is understood", () => {
  for (const [text, canonical] of SAME) assert.equal(scheduleWords(parseSchedule(text)), canonical, text);
});

test("what is wrong is refused with a word of help", () => {
  const refused: readonly (readonly [text: string, help: RegExp])[] = [
    ["", /says nothing/],
    ["every 7 hours", /1, 2, 3, 4, 6, 8, 12, 24/],
    ["every 7 minutes", /divide an hour/],
    ["evry day at 12:30", /did you mean "every"/],
    ["every mnday at 12:30", /did you mean "monday"/],
    ["every day at 25:00", /no time/],
    ["every day at 12:60", /no time/],
    ["every day at 13pm", /no time/],
    ["every day at 7", /22:00/],
    ["every day at", /time is missing/],
    ["every day between 22:00", /"and"/],
    ["every day between 22:00 and 22:00", /different/],
    ["every day at 12:30 please", /"please" does not fit/],
    ["monthly on the 32nd", /1 to 31/],
    ["every", /too early/],
    ["x".repeat(300), /says nothing/],
  ];
  for (const [text, help] of refused) {
    assert.throws(
      () => parseSchedule(text),
      (error) => isAppError(error, "plan_invalid") && help.test(error.message),
      text,
    );
  }
});

const time = fc.integer({ min: 0, max: 1439 });
const times = fc.uniqueArray(time, { minLength: 1, maxLength: 5 }).map((all) => all.sort((a, b) => a - b));
const days = fc.subarray([...EVERY_DAY], { minLength: 1 }).map((all) => all.sort());
const rule: fc.Arbitrary<Schedule> = fc.oneof(
  fc.constant<Schedule>({ kind: "manual" }),
  fc
    .constantFrom(1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)
    .map((count): Schedule => ({ kind: "every", unit: "minute", count })),
  fc.constantFrom(1, 2, 3, 4, 6, 8, 12).map((count): Schedule => ({ kind: "every", unit: "hour", count })),
  fc.record({ days, times }).map((rest): Schedule => ({ kind: "days", ...rest })),
  fc
    .record({ dayOfMonth: fc.integer({ min: 0, max: 31 }), times })
    .map((rest): Schedule => ({ kind: "month", ...rest })),
  fc
    .record({ days, from: time, until: time })
    .filter(({ from, until }) => from !== until)
    .map((rest): Schedule => ({ kind: "window", ...rest })),
);

test("every rule has words that read back to it", () => {
  fc.assert(fc.property(rule, (schedule) => assert.deepEqual(parseSchedule(scheduleWords(schedule)), schedule)));
});

test("any text is either a rule or a plan_invalid", () => {
  const words = fc.constantFrom(
    ...[
      "every",
      "day",
      "at",
      "and",
      "between",
      ",",
      "12:30",
      "6",
      "hours",
      "monday",
      "to",
      "last",
      "on",
      "the",
      "pm",
      "-",
      "*",
    ],
  );
  const texts = fc.oneof(
    fc.string(),
    fc.array(words, { maxLength: 9 }).map((all) => all.join(" ")),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        const schedule = parseSchedule(text);
        assert.deepEqual(parseSchedule(scheduleWords(schedule)), schedule);
      } catch (error) {
        assert.ok(isAppError(error, "plan_invalid"), text);
      }
    }),
    { numRuns: 2000 },
  );
});
