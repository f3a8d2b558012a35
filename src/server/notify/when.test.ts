import assert from "node:assert/strict";
import { test } from "node:test";
import { dueAt, type Patience } from "./when.ts";

const at = (text: string): number => Date.parse(text);
const patience = (change: Partial<Patience> = {}): Patience => ({
  ...{ digest: "none", digestHour: 8, quiet: null, timeZone: "Europe/Berlin" },
  ...change,
});

test("without a wish all goes at once, and danger always does", () => {
  const now = at("2026-11-23T03:10:00Z");
  assert.equal(dueAt(now, "warning", patience()), now);
  const quiet = { from: "00:00", to: "23:59" };
  assert.equal(dueAt(now, "danger", patience({ digest: "daily", quiet })), now);
});

test("digests go out on the hour, or at an hour of the day in the time zone", () => {
  const now = at("2026-11-23T03:10:00Z");
  assert.equal(dueAt(now, "warning", patience({ digest: "hourly" })), at("2026-11-23T04:00:00Z"));
  assert.equal(dueAt(now, "warning", patience({ digest: "daily" })), at("2026-11-23T07:00:00Z"));
  assert.equal(dueAt(at("2026-11-23T07:00:00Z"), "warning", patience({ digest: "daily" })), at("2026-11-24T07:00:00Z"));
});

test("the daily digest keeps its hour when the clocks change", () => {
  const now = at("2027-03-27T20:00:00Z");
  assert.equal(dueAt(now, "warning", patience({ digest: "daily" })), at("2027-03-28T06:00:00Z"));
});

test("quiet hours end where they say, over midnight too", () => {
  const quiet = { from: "22:00", to: "07:30" };
  assert.equal(dueAt(at("2026-11-23T03:10:00Z"), "warning", patience({ quiet })), at("2026-11-23T06:30:00Z"));
  assert.equal(dueAt(at("2026-11-23T21:00:00Z"), "warning", patience({ quiet })), at("2026-11-24T06:30:00Z"));
  const noon = at("2026-11-23T12:00:00Z");
  assert.equal(dueAt(noon, "warning", patience({ quiet })), noon);
  // The digest would fall into them.
  const both = patience({ quiet, digest: "hourly" });
  assert.equal(dueAt(at("2026-11-23T20:30:00Z"), "warning", both), at("2026-11-24T06:30:00Z"));
});
