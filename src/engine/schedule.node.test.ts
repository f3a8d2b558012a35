// A schedule must fall due once for each time of day that it names, on days of any length, in any time zone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../tests/fast-check.ts";
import { isAppError } from "../core/errors.ts";
import { parseSchedule } from "../wire/v4/plan-schedule.ts";
import { openCalendar } from "./schedule.ts";

const BERLIN = "Europe/Berlin";

function moments(words: string, timeZone: string, from: string, count: number): string[] {
  const calendar = openCalendar(parseSchedule(words), timeZone);
  const found: string[] = [];
  for (let at = Date.parse(from); found.length < count; ) {
    at = calendar.after(at)!.at;
    found.push(new Date(at).toISOString().slice(0, 16));
  }
  return found;
}

test("a time that a change of clocks skips comes once, at the next one that exists", () => {
  // On 29 March 2026 clocks go from 02:00 to 03:00, which is 01:00 UTC.
  const expected = ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"];
  for (const words of ["every day at 2:30", "30 2 * * *"]) {
    assert.deepEqual(moments(words, BERLIN, "2026-03-27T12:00:00Z", 3), expected);
  }
  assert.deepEqual(moments("every day at 2:15, 2:30", BERLIN, "2026-03-28T12:00:00Z", 3), [
    ...["2026-03-29T01:00", "2026-03-30T00:15", "2026-03-30T00:30"],
  ]);
  assert.deepEqual(moments("15,30 2 * * *", BERLIN, "2026-03-28T12:00:00Z", 2), [
    "2026-03-29T01:00",
    "2026-03-30T00:15",
  ]);
});

test("a time that a change of clocks repeats comes once", () => {
  // On 25 October 2026 clocks go from 03:00 back to 02:00, which is 01:00 UTC.
  const expected = ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"];
  assert.deepEqual(moments("every day at 2:30", BERLIN, "2026-10-23T12:00:00Z", 3), expected);
  const hours = moments("hourly", BERLIN, "2026-10-24T23:30:00Z", 3);
  assert.deepEqual(hours, ["2026-10-25T00:00", "2026-10-25T01:00", "2026-10-25T02:00"]);
});

test("windows over midnight are as long as the clocks make them", () => {
  const calendar = openCalendar(parseSchedule("every day between 22:00 and 06:00"), BERLIN);
  const spring = calendar.after(Date.parse("2026-03-28T12:00:00Z"))!;
  assert.equal((spring.until! - spring.at) / 3_600_000, 7);
  const autumn = calendar.after(Date.parse("2026-10-24T12:00:00Z"))!;
  assert.equal((autumn.until! - autumn.at) / 3_600_000, 9);
  assert.ok(calendar.isWithin(spring.at) && calendar.isWithin(spring.until! - 1) && !calendar.isWithin(spring.until!));
});

test("the latest occurrence is the last of the chain, however long nobody looked", () => {
  const now = Date.parse("2026-11-20T10:07:30Z");
  for (const [words, expected] of [
    ["*/1 * * * *", "2026-11-20T10:07"],
    ["hourly", "2026-11-20T10:00"],
    ["every month on the last day at 3:00", "2026-10-31T02:00"],
    ["0 4 29 2 *", undefined],
  ] as const) {
    const found = openCalendar(parseSchedule(words), BERLIN).latest(Date.parse("2025-01-01T00:00:00Z"), now);
    assert.equal(found && new Date(found.at).toISOString().slice(0, 16), expected, words);
  }
});

test("each named time of day comes once for each local day", () => {
  const zones = fc.constantFrom(
    BERLIN,
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "America/Santiago",
    "UTC",
  );
  const minute = fc.integer({ min: 0, max: 1439 });
  const start = fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2032, 0) });
  fc.assert(
    fc.property(zones, minute, start, (timeZone, at, from) => {
      const calendar = openCalendar({ kind: "days", days: [0, 1, 2, 3, 4, 5, 6], times: [at] }, timeZone);
      const dayOf = new Intl.DateTimeFormat("en-CA", { timeZone, dateStyle: "short" });
      let next = calendar.after(from)!.at;
      for (let day = 0; day < 40; day++) {
        const later = calendar.after(next)!.at;
        assert.equal(daysBetween(dayOf.format(next), dayOf.format(later)), 1);
        assert.equal(calendar.latest(from, later - 1)!.at, next);
        next = later;
      }
    }),
    { numRuns: 40 },
  );
});

test("what is no cron pattern and no time zone is refused", () => {
  const refused = (words: string, timeZone: string, help: RegExp): void =>
    assert.throws(
      () => openCalendar(parseSchedule(words), timeZone),
      (error) => isAppError(error, "plan_invalid") && help.test(error.message),
    );
  refused("61 2 * * *", BERLIN, /five fields/);
  refused("daily", "Europe/Berlim", /time zone/);
});

function daysBetween(a: string, b: string): number {
  return (Date.parse(b) - Date.parse(a)) / 86_400_000;
}
