import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AppError } from "../../core/errors.ts";
import { type Circumstances, isOver, outcomeOf, type RunOrder, remembered, retryOfKilled } from "./after-run.ts";
import { type LastRun, newMemory } from "./plan-memory.ts";

const NOW = 1_800_000_000_000;
const RULES = { times: 3, firstWaitSeconds: 60, longestWaitSeconds: 200 };
const BASELINE = { coverage: 1, files: 2, shares: [] };
const ORDER: RunOrder = { moment: NOW - 5, trigger: "schedule", tries: 0 };

describe("after a run", () => {
  test("a good one leaves nothing to be done, and is remembered as the last good one", () => {
    for (const outcome of ["ok", "partial"] as const) {
      const after = outcomeOf(ended(outcome), ORDER, circumstances());
      assert.equal(after.retry, null);
      const running = { run: "r", startedAt: 1, moment: null, trigger: "asked" as const, tries: 0 };
      const memory = remembered({ ...newMemory("a".repeat(32), 1), running }, after);
      assert.deepEqual([memory.running, memory.lastGoodAt, memory.baseline], [null, NOW, BASELINE]);
    }
    const failed = remembered({ ...newMemory("a".repeat(32), 1), lastGoodAt: 7 }, after("vault_busy"));
    assert.deepEqual([failed.lastGoodAt, failed.last?.outcome], [7, "failed"]);
  });

  test("what may pass is tried again, later each time, until the plan's tries are used up", () => {
    const waits = [0, 1, 2, 3].map((tries) => after("vault_busy", { ...ORDER, tries }).retry);
    assert.deepEqual(
      waits.map((retry) => retry && [retry.at - NOW, retry.tries, retry.moment, retry.error]),
      [
        [60_000, 1, NOW - 5, "vault_busy"],
        [120_000, 2, NOW - 5, "vault_busy"],
        [200_000, 3, NOW - 5, "vault_busy"],
        null,
      ],
    );
    const late = after("vault_busy", ORDER, { random: { bytes: () => Uint8Array.of(255) } }).retry!.at - NOW;
    assert.ok(late > 70_000 && late < 75_000, `a quarter longer at most, not ${late}`);
  });

  test("a server that is away does not use tries up, unless the plan wants none", () => {
    const order = { ...ORDER, tries: 50 };
    assert.equal(after("server_unreachable", order).retry?.at, NOW + 200_000);
    assert.equal(after("server_unreachable", order, { rules: { ...RULES, times: 0 } }).retry, null);
  });

  test("what stays as it is, what a person watches and what has no plan any more is not tried again", () => {
    assert.equal(after("source_missing").retry, null);
    assert.equal(after("vault_busy", { ...ORDER, trigger: "manual" }).retry, null);
    assert.equal(after("vault_busy", ORDER, { rules: undefined }).retry, null);
    assert.equal(outcomeOf(ended("cancelled"), ORDER, circumstances()).retry, null);
  });

  test("one that the agent's own end cut short follows at once, and that was no try", () => {
    const cut = outcomeOf(ended("cancelled"), { ...ORDER, tries: 2 }, circumstances({ isStopping: true }));
    assert.equal(cut.last.outcome, "interrupted");
    assert.deepEqual(cut.retry, { at: NOW, tries: 2, moment: NOW - 5, error: "interrupted" });
  });

  test("one that was killed follows at once, the next time after a wait", () => {
    const running = { run: "r", startedAt: NOW, moment: 4, trigger: "schedule" as const, tries: 0 };
    const { random } = circumstances();
    assert.deepEqual(retryOfKilled(running, RULES, random), { at: 0, tries: 1, moment: 4 });
    const again = retryOfKilled({ ...running, tries: 1 }, RULES, random);
    assert.deepEqual(again, { at: NOW + 60_000, tries: 2, moment: 4 });
  });
});

test("what somebody else did meanwhile is over; what a person asks for never is", () => {
  const memory = { ...newMemory("a".repeat(32), 1), handled: 10 };
  const order = (trigger: RunOrder["trigger"], moment: number | null) => ({ trigger, moment, tries: 0 });
  assert.ok(isOver(memory, order("schedule", 10)) && isOver(memory, order("retry", null)));
  assert.ok(!isOver(memory, order("schedule", 11)) && !isOver(memory, order("asked", null)));
  const waiting = { ...memory, retry: { at: 1, tries: 1, moment: null, error: "vault_busy" } };
  assert.ok(!isOver(waiting, order("retry", null)));
});

function after(code: ConstructorParameters<typeof AppError>[0], order = ORDER, other: Partial<Circumstances> = {}) {
  return outcomeOf({ ...ended("failed"), error: new AppError(code) }, order, circumstances(other));
}

function circumstances(other: Partial<Circumstances> = {}): Circumstances {
  return { rules: RULES, isStopping: false, now: NOW, random: { bytes: () => Uint8Array.of(0) }, ...other };
}

function ended(outcome: LastRun["outcome"]) {
  return { last: lastRun(outcome), error: undefined, baseline: BASELINE };
}

function lastRun(outcome: LastRun["outcome"]): LastRun {
  const counts = { files: 2, changedFiles: 0, newFiles: 0, bytes: 0, addedBytes: 0, problems: 0 };
  const words = { snapshot: null, error: null, message: "", remarks: [], output: "" };
  return { run: "r", trigger: "schedule", startedAt: NOW - 1, endedAt: NOW, outcome, ...counts, ...words };
}
