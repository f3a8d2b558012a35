// What somebody opens in the form and saves untouched must come back as it was.

import assert from "node:assert/strict";
import { test } from "node:test";
import { planIssues } from "../../../engine/plan-check.ts";
import { type PlanInput, readPlan } from "../../../wire/v4/plan-body.ts";
import { draftOf, planOf } from "./plan-draft.ts";
import { wordsByField } from "./plan-words.ts";

const FULL: PlanInput = {
  name: "documents",
  sources: ["/home/ann/Documents", "C:\\Users\\ann\\My files "],
  exclude: ["*.tmp", " leading"],
  iexclude: ["thumbs.db"],
  excludeFiles: ["/home/ann/.ignore"],
  excludeCaches: true,
  excludeLargerThanMiB: 4096,
  oneFileSystem: true,
  tags: ["home", "papers"],
  schedule: "every day between 22:00 and 06:00",
  timeZone: "Europe/Berlin",
  jitterMinutes: 30,
  catchUp: false,
  overdueAfterHours: 48,
  keep: { last: 3, daily: 14, withinDays: 2 },
  compression: "better",
  uploadLimits: [{ when: "weekdays between 08:00 and 18:00", kibps: 512 }],
  hooks: { before: { argv: ["/bin/sh", "-c", "echo", "", "x"], seconds: 20 }, onError: { argv: ["/bin/true"] } },
  retries: { times: 3, firstWaitSeconds: 30, longestWaitSeconds: 600 },
  onBattery: "wait",
  ping: true,
  enabled: false,
};

test("a plan goes through the form unchanged", () => {
  const { sources: _, ...rest } = FULL;
  const command = { argv: ["pg_dump", "--format=plain", "shop"], filename: "shop.sql" };
  for (const plan of [FULL, { ...rest, command }, { name: "small", sources: ["/d"] }]) {
    assert.deepEqual(readPlan(planOf(draftOf(readPlan(plan)))), readPlan(plan));
  }
});

test("each mistake is told beside its field, in words", () => {
  const bad = {
    ...draftOf(readPlan(FULL)),
    name: "No Spaces",
    sources: "/good\nrelative/path",
    schedule: "every dya",
    jitterMinutes: 721,
    excludeLargerThanMiB: "-",
    uploadLimits: [{ key: 0, when: "hourly", kibps: 0 }],
  };
  const words = wordsByField(planIssues(planOf(bad)));
  assert.deepEqual([...words.keys()].sort(), [
    ...["excludeLargerThanMiB", "jitterMinutes", "name", "schedule", "sources"],
    ...["uploadLimits.0.kibps", "uploadLimits.0.when"],
  ]);
  assert.equal(words.get("sources"), "Line 2 must be an absolute path.");
  assert.equal(words.get("jitterMinutes"), "Must be at most 720.");
  assert.match(words.get("schedule")!, /not understood/);
  const nowhere = planOf({ ...draftOf(readPlan(FULL)), timeZone: "Mars/Olympus" });
  assert.deepEqual([...wordsByField(planIssues(nowhere)).keys()], ["timeZone"]);
  const never = planOf({ ...draftOf(readPlan(FULL)), schedule: "99 99 * * *" });
  assert.deepEqual([...wordsByField(planIssues(never)).keys()], ["schedule"]);
});
