import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DeviceId, NameToken, SessionId, SnapshotId, VaultId } from "../../core/ids.ts";
import type { RunReport } from "../../wire/v4/api/run-routes.ts";
import { closed, committed, newRun, received, reported, silenced } from "./run-change.ts";
import type { StoredRun } from "./run-rows.ts";

const START = Date.UTC(2030, 0, 1);
const SNAPSHOT = "ab".repeat(32) as SnapshotId;

const begun = (): StoredRun =>
  newRun("0a".repeat(16) as VaultId, "0b".repeat(16) as DeviceId, "0c".repeat(16) as SessionId, START);

function report(n: number, change: Partial<RunReport> = {}): RunReport {
  return {
    n,
    kind: "backup",
    state: "running",
    phase: "scanning",
    plan: "0d".repeat(16) as NameToken,
    planId: null,
    trigger: "schedule",
    startedAt: START,
    elapsedMs: n * 1000,
    counts: { ...begun().run.counts, files: n },
    bytes: { done: n, read: n, new: n, added: n },
    expected: null,
    snapshot: null,
    error: null,
    details: null,
    ...change,
  };
}

describe("a run", () => {
  test("goes by the newest report, in whichever order they come", () => {
    const last = report(3, { state: "failed", error: "io", phase: "ended" });
    const reports = [report(1), report(2), last];
    const expected = reports.reduce((run, one) => reported(run, one, START + 5000), begun());
    assert.equal(expected.run.state, "failed");
    for (const order of [
      [2, 1, 0],
      [0, 2, 1],
      [2, 2, 0],
    ]) {
      const run = order.reduce((stored, i) => reported(stored, reports[i]!, START + 5000), begun());
      const { startedAt: _, ...rest } = run.run;
      const { startedAt: __, ...right } = expected.run;
      assert.deepEqual(rest, right);
    }
  });

  test("that was committed is done, whatever its device says before and after", () => {
    for (const state of ["failed", "interrupted", "cancelled", "done"] as const) {
      const run = reported(
        committed(reported(begun(), report(1), START), SNAPSHOT, START + 10),
        report(2, { state }),
        START + 20,
      );
      assert.deepEqual([run.run.state, run.run.snapshot, run.run.endedAt], ["done", SNAPSHOT, START + 10]);
      assert.equal(run.run.counts.files, 2);
    }
  });

  test("is no success without a snapshot", () => {
    assert.equal(reported(begun(), report(1, { state: "done" }), START).run.state, "failed");
    assert.equal(reported(begun(), report(1, { state: "done", kind: "verify" }), START).run.state, "done");
  });

  test("does not begin again once it has ended, except after mere silence", () => {
    const failed = reported(begun(), report(1, { state: "failed", error: "io" }), START);
    assert.equal(reported(failed, report(2), START + 1).run.state, "failed");
    const silent = silenced(reported(begun(), report(1), START), START + 600_000);
    assert.deepEqual([silent.run.state, silent.run.error], ["interrupted", "run_silent"]);
    const back = reported(silent, report(2), START + 700_000);
    assert.deepEqual([back.run.state, back.run.error, back.run.endedAt], ["running", null, null]);
  });

  test("counts what the server took in by itself, and began when its device says", () => {
    const run = received(received(begun(), 100, START + 1), 50, START + 2);
    assert.equal(reported(run, report(1, { elapsedMs: 30_000 }), START + 3).run.bytes.sent, 150);
    assert.equal(reported(begun(), report(1, { elapsedMs: 30_000 }), START).run.startedAt, START - 30_000);
    const aYear = reported(begun(), report(1, { elapsedMs: 365 * 86_400_000 }), START);
    assert.equal(aYear.run.startedAt, START - 30 * 86_400_000);
  });

  test("of a device that does not report has failed when its session is closed without a snapshot", () => {
    assert.equal(closed(begun(), START + 1).run.state, "failed");
    assert.equal(closed(reported(begun(), report(1), START), START + 1).run.state, "running");
    assert.equal(closed(committed(begun(), SNAPSHOT, START), START + 1).run.state, "done");
  });
});
