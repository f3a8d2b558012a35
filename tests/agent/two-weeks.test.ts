// Two weeks of a device, with clocks that change, sleep, power cuts, a server that is away, logins that expire and a full quota. Every due run
// must have happened, once, as soon as it could; which moments were due is counted here minute by minute, without the code under test.

import assert from "node:assert/strict";
import test from "node:test";
import { toRemove } from "../../src/cli/agent-keep.ts";
import type { ErrorCode } from "../../src/core/errors.ts";
import type { DeviceId, NameToken, VaultId } from "../../src/core/ids.ts";
import type { SnapshotRow } from "../../src/wire/v4/vault-port.ts";
import { type Attempt, SimDevice } from "./sim-device.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MINUTE = 60_000;
const ZONE = "Europe/Berlin";
const SERVER = "11".repeat(16) as VaultId;
const DISK = "22".repeat(16) as VaultId;
/** An agent looks at the clock at least so often. */
const SLICE = 30_000;

type Span = readonly [from: number, to: number];

/** Hours after the start. */
type Story = {
  readonly asleep: readonly Span[];
  readonly off: readonly Span[];
  readonly serverAway: readonly Span[];
  readonly quotaFull: readonly Span[];
};

const STORY: Story = {
  // A nap, a night, a weekend.
  asleep: [
    [20.5, 21.2],
    [37, 45.5],
    [170.1, 199],
    [262.7, 263.4],
  ],
  off: [
    [86.99, 89],
    [230.01, 230.6],
    [300.3, 312],
  ],
  serverAway: [
    [60, 61.2],
    [108, 127],
    [205.9, 206.02],
  ],
  quotaFull: [[240, 262]],
};

for (const [name, start] of [
  ["spring", "2026-03-22T11:07:00Z"],
  ["autumn", "2026-10-18T11:07:00Z"],
] as const) {
  test(`two weeks in ${name}: every due run happened once, as soon as it could`, async () => {
    const startAt = Date.parse(start);
    const kept: SnapshotRow[] = [];
    const device = await live(startAt, STORY, kept);
    const end = startAt + 14 * DAY;
    const local = localMinutes(startAt, end);

    check(device, "documents", timesOfDay(local, ["02:30"]), end);
    check(device, "mail", timesOfDay(local, ["00:00", "06:00", "12:00", "18:00"]), end);
    check(
      device,
      "ledger",
      local.filter(({ at }) => at % HOUR === 0).map(({ at }) => at),
      end,
    );
    check(
      device,
      "archive",
      timesOfDay(
        local.filter(({ day }) => day === "Sun"),
        ["02:30"],
      ),
      end,
    );
    checkWindow(device, "photos", local);

    checkKept(device, kept, local);
    checkTriesGoOn(device, end);

    const onChange = name === "spring" ? "2026-03-29" : "2026-10-25";
    const changeDay = local.filter(({ date }) => date === onChange).map(({ at }) => at);
    const isThatDay = ({ moment }: Attempt): boolean => moment !== null && changeDay.includes(moment);
    assert.equal(good(device, "documents").filter(isThatDay).length, 1);
    assert.equal(good(device, "archive").filter(isThatDay).length, 1);
    // What the test leans on did happen.
    const codes = new Set(device.attempts.map(({ outcome }) => outcome));
    for (const code of ["ok", "killed", "server_unreachable", "token_expired", "quota_full"])
      assert.ok(codes.has(code as ErrorCode), code);
    for (const trigger of ["schedule", "catch-up", "retry"])
      assert.ok(
        device.attempts.some((each) => each.trigger === trigger),
        trigger,
      );
  });
}

const KEEP = { last: 3, daily: 5 };

/** `kept` is what the vault on the disk holds of the plan that has a retention. */
async function live(startAt: number, story: Story, kept: SnapshotRow[]): Promise<SimDevice> {
  const within = (spans: readonly Span[], now: number): boolean =>
    spans.some(([from, to]) => now >= startAt + from * HOUR && now < startAt + to * HOUR);
  let tokenAt = startAt;
  const device = new SimDevice({
    startAt,
    timeZone: ZONE,
    seed: 7,
    lastsMs: (plan) => (plan === "photos" ? 95 * MINUTE : plan === "ledger" ? 40_000 : 7 * MINUTE),
    trouble: (vault, now) => {
      if (vault === DISK) return undefined;
      if (within(story.serverAway, now)) return "server_unreachable";
      if (within(story.quotaFull, now)) return "quota_full";
      // The first call after so long has to log in anew.
      if (now - tokenAt < 31 * HOUR) return undefined;
      tokenAt = now;
      return "token_expired";
    },
    onSnapshot: (vault, plan, now) => {
      if (vault !== DISK) return;
      const id = device.snapshots.get(vault)!.at(-1)!.id;
      const named = {
        id,
        plan: plan as NameToken,
        device: "d" as DeviceId,
        tags: [],
        receivedAt: now,
        seq: kept.length,
      };
      kept.push({ ...named, state: "live", trashedAt: undefined, pinnedUntil: undefined, addedBytes: 0 });
      const gone = new Set(toRemove(kept, KEEP, now, ZONE));
      kept.splice(0, kept.length, ...kept.filter((row) => !gone.has(row)));
    },
  });
  device.stores.addVault(SERVER);
  device.stores.addVault(DISK);
  device.stores.addPlan(SERVER, { name: "documents", sources: ["/d"], schedule: "every day at 2:30" });
  device.stores.addPlan(SERVER, { name: "mail", sources: ["/m"], schedule: "every 6 hours" });
  device.stores.addPlan(SERVER, { name: "photos", sources: ["/p"], schedule: "weekdays between 22:00 and 06:00" });
  device.stores.addPlan(SERVER, { name: "archive", sources: ["/a"], schedule: "30 2 * * 0" });
  device.stores.addPlan(DISK, { name: "ledger", sources: ["/l"], schedule: "hourly" });
  const turns = [
    ...story.asleep.map(([from, to]) => ({ from, to, isOff: false })),
    ...story.off.map(([from, to]) => ({ from, to, isOff: true })),
  ].sort((a, b) => a.from - b.from);
  await device.start();
  for (const { from, to, isOff } of turns) {
    await device.timers.advanceTo(startAt + from * HOUR);
    if (isOff) device.kill();
    device.sleepUntil(startAt + to * HOUR);
    if (isOff) await device.start();
  }
  await device.timers.advanceTo(startAt + 14 * DAY);
  await device.stop();
  return device;
}

/** Holds each moment against what happened. */
function check(device: SimDevice, plan: string, moments: readonly number[], end: number): void {
  const attempts = device.attempts.filter((each) => each.plan === plan);
  const done = good(device, plan).map(({ moment }) => moment);
  assert.equal(new Set(done).size, done.length, `${plan}: no moment was run for twice`);
  for (const { moment, startedAt, trigger } of attempts) {
    const latest = moments.filter((at) => at <= startedAt).at(-1);
    if (trigger !== "retry") assert.equal(moment, latest, `${plan}: a run is for the latest moment`);
    assert.ok(moment !== null && moments.includes(moment), `${plan}: a run was due`);
  }
  for (const moment of moments) {
    if (moment > end - 3 * HOUR) continue;
    const first = attempts.find((each) => each.startedAt >= moment && each.moment! >= moment);
    assert.ok(first, `${plan}: the moment ${shown(moment)} was run for`);
    // All that could keep it waiting is sleep, and other runs of the vault.
    const busy = device.attempts
      .filter((each) => each.vault === first.vault)
      .map((each) => [each.startedAt, each.endedAt] as const);
    const free =
      first.startedAt -
      moment -
      covered(moment, first.startedAt, [...busy, ...device.away.map(({ from, to }) => [from, to] as const)]);
    assert.ok(free <= SLICE, `${plan}: ${shown(moment)} waited ${free} ms for nothing`);
    checkTries(
      plan,
      attempts.filter((each) => each.moment === moment),
    );
  }
  assert.equal(attempts.filter(({ startedAt }) => startedAt < end - 3 * HOUR).at(-1)?.outcome, "ok");
}

/** After what may pass another try follows, until it went well or the next moment took over; after what does not pass, none. */
function checkTries(plan: string, tries: readonly Attempt[]): void {
  tries.forEach(({ outcome }, i) => {
    const next = tries[i + 1];
    if (outcome === "ok" || outcome === "quota_full")
      assert.equal(next, undefined, `${plan}: ${outcome} ends the tries`);
    if (next) assert.equal(next.trigger, "retry");
  });
}

function checkWindow(device: SimDevice, plan: string, local: readonly Minute[]): void {
  const attempts = device.attempts.filter((each) => each.plan === plan);
  const starts = timesOfDay(
    local.filter(({ day }) => day !== "Sat" && day !== "Sun"),
    ["22:00"],
  );
  const done = good(device, plan).map(({ moment }) => moment);
  assert.equal(new Set(done).size, done.length);
  for (const { moment, trigger, startedAt } of attempts) {
    assert.ok(starts.includes(moment!), "each belongs to a window");
    const time = local.find(({ at }) => at === Math.floor(startedAt / MINUTE) * MINUTE)!.time;
    if (trigger === "schedule") assert.ok(time >= "22:00" || time < "06:00", `${time} is in the window`);
  }
  // Each window but those that ended in sleep, with the server away or with the quota full.
  assert.ok(done.length >= 6, `${done.length} windows`);
}

/** What was cut short begins again at once, and what may pass is tried again within the longest wait. */
function checkTriesGoOn(device: SimDevice, end: number): void {
  for (const failed of device.attempts) {
    const { plan, vault, outcome, endedAt } = failed;
    if (outcome === "ok" || outcome === "quota_full" || endedAt > end - 3 * HOUR) continue;
    const next = device.attempts.find((each) => each.plan === plan && each.startedAt >= endedAt && each !== failed);
    assert.ok(next, `${plan}: ${outcome} is followed by another try`);
    const busy = device.attempts
      .filter((each) => each.vault === vault)
      .map((each) => [each.startedAt, each.endedAt] as const);
    const away = device.away.map(({ from, to }) => [from, to] as const);
    const waited = next.startedAt - endedAt - covered(endedAt, next.startedAt, [...busy, ...away]);
    const longest = outcome === "killed" ? 0 : 1.25 * HOUR;
    assert.ok(waited <= longest + SLICE, `${plan}: ${outcome} was tried again after ${waited} ms`);
  }
}

/** The last three, and the last one of each of the last five days on which there was any: counted over all that there ever was. */
function checkKept(device: SimDevice, kept: readonly SnapshotRow[], local: readonly Minute[]): void {
  const all = device.snapshots.get(DISK)!;
  const dates = new Map(local.map(({ at, date }) => [at, date]));
  const lastOfDay = new Map(all.map((row) => [dates.get(Math.floor(row.receivedAt / MINUTE) * MINUTE), row.id]));
  const days = [...lastOfDay.values()].slice(-KEEP.daily);
  const expected = new Set([...days, ...all.slice(-KEEP.last).map(({ id }) => id)]);
  assert.deepEqual(new Set(kept.map(({ id }) => id)), expected);
  assert.ok(expected.size >= KEEP.daily + KEEP.last - 1 && all.length > 200);
}

function good(device: SimDevice, plan: string): Attempt[] {
  return device.attempts.filter((each) => each.plan === plan && each.outcome === "ok");
}

type Minute = { readonly at: number; readonly date: string; readonly day: string; readonly time: string };

function localMinutes(from: number, to: number): Minute[] {
  const format = new Intl.DateTimeFormat("en-CA", {
    ...{ timeZone: ZONE, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", weekday: "short" },
    ...{ hour: "2-digit", minute: "2-digit" },
  } as Intl.DateTimeFormatOptions);
  const minutes: Minute[] = [];
  for (let at = Math.ceil(from / MINUTE) * MINUTE; at < to; at += MINUTE) {
    const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
    const { year, month, day, weekday = "", hour, minute } = parts;
    minutes.push({ at, date: `${year}-${month}-${day}`, day: weekday.replace(".", ""), time: `${hour}:${minute}` });
  }
  return minutes;
}

/** For each local day the first minute at or after each time: a time that does not exist is the next that does, one that repeats is one. */
function timesOfDay(local: readonly Minute[], times: readonly string[]): number[] {
  const [first] = local;
  const found = new Set<number>();
  for (const date of new Set(local.map((each) => each.date))) {
    const ofDay = local.filter((each) => each.date === date);
    for (const time of times) {
      const at = ofDay.find((each) => each.time >= time)?.at;
      // On the first day only what came after the start.
      if (at !== undefined && !(date === first!.date && at === ofDay[0]!.at && ofDay[0]!.time > time)) found.add(at);
    }
  }
  return [...found].sort((a, b) => a - b);
}

/** How much of a span the given spans cover together. */
function covered(from: number, to: number, spans: readonly Span[]): number {
  let sum = 0;
  let at = from;
  for (const [begin, end] of spans.toSorted((a, b) => a[0] - b[0])) {
    const [left, right] = [Math.max(begin, at), Math.min(end, to)];
    if (right > left) {
      sum += right - left;
      at = right;
    }
  }
  return sum;
}

function shown(time: number): string {
  return new Date(time).toISOString();
}
