// Moments of schedules by a clock that stands still: time zones, clocks that go forward and back, what was missed.

import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import type { VaultId } from "../../core/ids.ts";
import { Database } from "../../vault/database.ts";
import type { JobKind, Schedule } from "../../wire/v4/api/job-routes.ts";
import { JOB_MIGRATIONS, JobStore } from "./job-store.ts";
import { Scheduler } from "./schedules.ts";

const HOUR = 3_600_000;
const VAULT = "ab".repeat(16) as VaultId;
const BERLIN = "Europe/Berlin";

let now: number;
let createdAt: number;
let started: string[];
let store: JobStore;
let scheduler: Scheduler;

beforeEach(() => {
  const database = new Database(":memory:");
  for (const step of JOB_MIGRATIONS.steps) database.exec(step);
  store = new JobStore({ database });
  started = [];
  scheduler = new Scheduler({
    database,
    store,
    clock: { now: () => now, monotonic: () => now },
    timeZone: BERLIN,
    vaults: () => [{ id: VAULT, createdAt }],
    start: (kind, vault) => {
      started.push(kind);
      ran(kind, vault, "done");
    },
  });
});

function at(text: string): number {
  return Date.parse(text);
}

/** A job that began now. */
function ran(kind: JobKind, vault: VaultId | null, state: "done" | "failed", code?: string): void {
  const job = store.insert({
    kind,
    vault,
    options: {},
    dryRun: false,
    state: "waiting",
    progress: null,
    result: null,
    error: null,
    createdAt: now,
    startedAt: null,
    endedAt: null,
    startedBy: "schedule",
    version: 1,
  });
  const error = code === undefined ? null : { code, context: {} };
  store.update({ ...job, state, error, startedAt: now, endedAt: now });
}

function only(kind: JobKind, cron: string, timeZone = BERLIN): void {
  for (const { kind: other } of scheduler.list()) scheduler.set({ ...base(other), isEnabled: other === kind });
  scheduler.set({ ...base(kind), cron, timeZone });
}

function base(kind: JobKind): Schedule {
  return { kind, vault: null, cron: "0 2 * * *", timeZone: BERLIN, isEnabled: true };
}

describe("a schedule", () => {
  it("means the hour of its own time zone, summer and winter", () => {
    createdAt = now = at("2031-01-10T12:00:00Z");
    only("gc", "0 4 * * *");
    assert.equal(scheduler.tick(), at("2031-01-11T03:00:00Z"));
    now = at("2031-07-10T12:00:00Z");
    scheduler.tick();
    assert.deepEqual(started, ["gc"]);
    assert.equal(scheduler.tick(), at("2031-07-11T02:00:00Z"));
  });

  it("runs once in the night in which clocks go back, and also in the one that lacks its hour", () => {
    // 2031-10-26: 03:00 CEST becomes 02:00 CET. 2031-03-30: there is no 02:30.
    for (const from of ["2031-03-29T12:00:00Z", "2031-10-25T12:00:00Z"]) {
      started = [];
      createdAt = now = at(from);
      only("gc", "30 2 * * *");
      ran("gc", VAULT, "done");
      for (let hour = 0; hour < 24; hour++) {
        now += HOUR;
        scheduler.tick();
      }
      assert.deepEqual(started, ["gc"], from);
    }
  });

  it("makes up once for all that was missed", () => {
    createdAt = at("2031-01-01T00:00:00Z");
    now = at("2031-02-01T12:00:00Z");
    only("retention", "0 4 * * *");
    scheduler.tick();
    scheduler.tick();
    assert.deepEqual(started, ["retention"]);
  });

  it("is due again after the server stopped in the middle, and not after a failure of its own", () => {
    createdAt = at("2031-01-01T00:00:00Z");
    now = at("2031-01-05T12:00:00Z");
    only("scrub", "0 4 * * *");
    ran("scrub", VAULT, "failed", "io");
    scheduler.tick();
    assert.deepEqual(started, []);
    now += 24 * HOUR;
    ran("scrub", VAULT, "failed", "server_stopping");
    scheduler.tick();
    assert.deepEqual(started, ["scrub"]);
  });

  it("of one vault goes before that of all, and one that is off never runs", () => {
    createdAt = now = at("2031-01-10T12:00:00Z");
    only("gc", "0 4 * * *");
    scheduler.set({ ...base("gc"), vault: VAULT, cron: "0 9 * * *", timeZone: "UTC" });
    assert.equal(scheduler.tick(), at("2031-01-11T09:00:00Z"));
    scheduler.set({ ...base("gc"), vault: VAULT, isEnabled: false });
    assert.equal(scheduler.tick(), undefined);
  });
});
