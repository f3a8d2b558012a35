// A plan that somebody edited by hand must be understood or refused with the name of the field and what was probably meant.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isAppError } from "../../core/errors.ts";
import { coverageOf, type PlanInput, programsOf, readPlan } from "./plan-body.ts";

const SMALL: PlanInput = { name: "documents", sources: ["/home/ann"] };

test("what is left out has its default, and a plan that was read reads the same again", () => {
  const plan = readPlan(SMALL);
  assert.equal(plan.schedule, "manual");
  assert.deepEqual(plan.retries, { times: 10, firstWaitSeconds: 60, longestWaitSeconds: 3600 });
  assert.equal(readPlan({ ...SMALL, hooks: { before: { argv: ["sync"] } } }).hooks.before?.seconds, 300);
  assert.deepEqual(readPlan(JSON.parse(JSON.stringify(plan))), plan);
  for (const path of ["C:\\Users", "d:/x", "\\\\server\\share"]) readPlan({ ...SMALL, sources: [path] });
});

test("what is wrong is named, with what was probably meant", () => {
  const refused: readonly (readonly [change: Record<string, unknown>, help: RegExp])[] = [
    [{ exclud: [] }, /no field "exclud".*"exclude"/],
    [{ hooks: { befor: { argv: ["x"] } } }, /hooks has no field "befor".*"before"/],
    [
      { uploadLimits: [{ when: "every day between 1:00 and 2:00", kbps: 3 }] },
      /uploadLimits\.0 has no field "kbps".*"kibps"/,
    ],
    [{ keep: { dayly: 3 } }, /keep has no field "dayly".*"daily"/],
    [{ sources: ["home/ann"] }, /sources\.0: must be an absolute path/],
    [{ sources: [] }, /sources: give either/],
    [{ command: { argv: ["x"], filename: "y" } }, /sources: give either/],
    [{ name: "My Plan" }, /name: must be lower-case/],
    [{ name: "nul" }, /name: cannot be used/],
    [{ schedule: "every mnday at 12:30" }, /schedule: .*"monday"/],
    [{ uploadLimits: [{ when: "daily", kibps: 3 }] }, /uploadLimits\.0\.when: it must be a window/],
    [{ jitterMinutes: -1 }, /jitterMinutes: /],
  ];
  for (const [change, help] of refused) {
    assert.throws(
      () => readPlan({ ...SMALL, ...change }),
      (error) => isAppError(error, "plan_invalid") && help.test(error.message),
      JSON.stringify(change),
    );
  }
  assert.throws(
    () => readPlan("x"),
    (error) => isAppError(error, "plan_invalid"),
  );
});

test("programs and coverage change with what they stand for, and with nothing else", () => {
  const plan = readPlan(SMALL);
  const moved = readPlan({ ...SMALL, schedule: "hourly", tags: ["x"] });
  assert.equal(programsOf(moved), programsOf(plan));
  assert.equal(coverageOf(moved), coverageOf(plan));
  assert.notEqual(programsOf(readPlan({ ...SMALL, hooks: { onError: { argv: ["x"] } } })), programsOf(plan));
  assert.notEqual(coverageOf(readPlan({ ...SMALL, exclude: ["*.o"] })), coverageOf(plan));
});
