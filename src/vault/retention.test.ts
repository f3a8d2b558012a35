import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../tests/fast-check.ts";
import type { DeviceId, NameToken, SnapshotId } from "../core/ids.ts";
import { isEmptyPolicy, planRetention, type RetentionCandidate, type RetentionPolicy } from "./retention.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2030, 5, 15, 12);
const TAG = "aa".repeat(16) as NameToken;

function snapshot(receivedAt: number, more: Partial<RetentionCandidate> = {}): RetentionCandidate {
  return {
    id: String(receivedAt) as SnapshotId,
    device: "d1" as DeviceId,
    plan: "p1" as NameToken,
    tags: [],
    receivedAt,
    seq: 1,
    pinnedUntil: undefined,
    ...more,
  };
}

function kept(snapshots: readonly RetentionCandidate[], policy: RetentionPolicy, timeZone?: string): number[] {
  return planRetention(snapshots, policy, NOW, timeZone)
    .filter(({ reasons }) => reasons.length > 0)
    .map(({ snapshot }) => snapshot.receivedAt);
}

const candidates = fc.array(
  fc.record({
    id: fc.integer().map((n) => String(n) as SnapshotId),
    device: fc.constantFrom("d1", "d2").map((d) => d as DeviceId),
    plan: fc.constantFrom("p1", "p2").map((p) => p as NameToken),
    tags: fc.constantFrom<NameToken[]>([], [TAG]),
    receivedAt: fc.integer({ min: NOW - 1000 * DAY, max: NOW }),
    seq: fc.integer({ min: 1, max: 1000 }),
    pinnedUntil: fc.constantFrom(undefined, undefined, undefined, 0, NOW - 1, NOW + 1),
  }),
  { maxLength: 60 },
);
const count = fc.integer({ min: 0, max: 5 });
const policies = fc.record({
  last: count,
  hourly: count,
  daily: count,
  weekly: count,
  monthly: count,
  yearly: count,
  withinMs: fc.integer({ min: 0, max: 100 * DAY }),
});

describe("retention", () => {
  test("keeps the newest of each day, for as many days as asked", () => {
    const times = [0, 1, 2, 3].flatMap((days) => [NOW - days * DAY, NOW - days * DAY - HOUR]);
    assert.deepEqual(
      kept(
        times.map((time) => snapshot(time)),
        { daily: 3 },
      ),
      [NOW, NOW - DAY, NOW - 2 * DAY],
    );
  });

  test("a week is that of ISO 8601: 2029-12-31 is a Monday of week 1 of 2030", () => {
    const sunday = Date.UTC(2029, 11, 30, 12);
    const monday = Date.UTC(2029, 11, 31, 12);
    const wednesday = Date.UTC(2030, 0, 2, 12);
    assert.deepEqual(
      kept(
        [sunday, monday, wednesday].map((time) => snapshot(time)),
        { weekly: 5 },
      ),
      [wednesday, sunday],
    );
    assert.deepEqual(
      kept(
        [sunday, monday, wednesday].map((time) => snapshot(time)),
        { yearly: 5 },
      ),
      [wednesday, monday],
    );
  });

  test("days begin at midnight of the time zone, and the hour that comes twice is two hours", () => {
    const lateEvening = Date.UTC(2030, 5, 10, 23, 30);
    const nextMorning = Date.UTC(2030, 5, 11, 5);
    const pair = [snapshot(lateEvening), snapshot(nextMorning)];
    assert.equal(kept(pair, { daily: 9 }, "UTC").length, 2);
    assert.equal(kept(pair, { daily: 9 }, "Europe/Berlin").length, 1);
    const twice = [Date.UTC(2029, 9, 28, 0, 30), Date.UTC(2029, 9, 28, 1, 30)].map((time) => snapshot(time));
    assert.equal(kept(twice, { hourly: 9 }, "Europe/Berlin").length, 2);
  });

  test("devices and plans are counted apart", () => {
    const others = [snapshot(NOW, { device: "d2" as DeviceId }), snapshot(NOW, { plan: "p2" as NameToken })];
    assert.equal(kept([snapshot(NOW - 1), ...others], { last: 1 }).length, 3);
  });

  test("a policy without rules is told from one with", () => {
    assert.ok(isEmptyPolicy({}));
    assert.ok(isEmptyPolicy({ last: 0, tags: [] }));
    assert.ok(!isEmptyPolicy({ weekly: 1 }));
    assert.ok(!isEmptyPolicy({ tags: [TAG] }));
  });

  test("every snapshot gets one verdict, newest first; pinned, tagged and recent ones stay", () => {
    fc.assert(
      fc.property(candidates, policies, (snapshots, policy) => {
        const plan = planRetention(snapshots, { ...policy, tags: [TAG] }, NOW);
        assert.deepEqual(new Set(plan.map(({ snapshot }) => snapshot)), new Set(snapshots));
        plan.forEach(({ snapshot, reasons }, i) => {
          if (i > 0) assert.ok(plan[i - 1]!.snapshot.receivedAt >= snapshot.receivedAt);
          const mustStay =
            snapshot.pinnedUntil === 0 ||
            (snapshot.pinnedUntil ?? 0) > NOW ||
            snapshot.tags.includes(TAG) ||
            (policy.withinMs > 0 && snapshot.receivedAt >= NOW - policy.withinMs);
          if (mustStay) assert.ok(reasons.length > 0);
        });
      }),
    );
  });

  test("each rule keeps as many as it says, or all there are; more of a rule never keeps less", () => {
    fc.assert(
      fc.property(candidates, policies, (snapshots, policy) => {
        const one = snapshots.map((candidate) => ({ ...candidate, device: "d1" as DeviceId, plan: "p1" as NameToken }));
        const plan = planRetention(one, policy, NOW);
        assert.equal(plan.filter(({ reasons }) => reasons.includes("last")).length, Math.min(policy.last, one.length));
        const days = new Set(one.map(({ receivedAt }) => Math.floor(receivedAt / DAY)));
        assert.equal(plan.filter(({ reasons }) => reasons.includes("daily")).length, Math.min(policy.daily, days.size));
        const more = planRetention(one, { ...policy, monthly: policy.monthly + 1 }, NOW);
        plan.forEach(({ reasons }, i) => {
          if (reasons.length > 0) assert.ok(more[i]!.reasons.length > 0);
        });
      }),
    );
  });

  test("new snapshots of a device, however many and whenever it says they were made, push out none of another", () => {
    fc.assert(
      fc.property(candidates, candidates, policies, (mine, flood, policy) => {
        const own = mine.map((candidate) => ({ ...candidate, device: "d1" as DeviceId }));
        const hostile = flood.map((candidate) => ({ ...candidate, device: "d2" as DeviceId }));
        const alone = planRetention(own, policy, NOW).filter(({ reasons }) => reasons.length > 0);
        const among = new Set(
          planRetention([...own, ...hostile], policy, NOW)
            .filter(({ reasons }) => reasons.length > 0)
            .map(({ snapshot }) => snapshot),
        );
        for (const { snapshot } of alone) assert.ok(among.has(snapshot));
      }),
    );
  });
});
