// Runs over the API, by real sessions and reports: what the server sees by itself, what devices tell, who may look, and what is left of a run when
// its device falls silent or the server starts again.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { isAppError } from "../../src/core/errors.ts";
import type { SessionId } from "../../src/core/ids.ts";
import { DEVICE_API } from "../../src/server/device-api/part.ts";
import { JOBS_PART } from "../../src/server/jobs/part.ts";
import type { ServerEvent } from "../../src/server/kit.ts";
import { PEOPLE_PART } from "../../src/server/people/people-part.ts";
import { makeRunsPart, RUNS_PART } from "../../src/server/runs/part.ts";
import { DEVICE_ROUTES } from "../../src/wire/v4/api/device-routes.ts";
import { JOB_ROUTES } from "../../src/wire/v4/api/job-routes.ts";
import { RUN_LIMITS, RUN_ROUTES, type Run, type RunReport } from "../../src/wire/v4/api/run-routes.ts";
import {
  backUp,
  makePack,
  makeRecord,
  PLAN,
  randomBlock,
  type TestClock,
  testClock,
  type World,
} from "../vault/kit.ts";
import {
  type At,
  call,
  callRaw,
  doorsOf,
  logIn,
  makeVault,
  newSessionId,
  openSession,
  type ServedWorld,
} from "./device.ts";
import { addOwner, addPerson, bodyOf, login, withKey } from "./people-kit.ts";
import { type Rig, startRig } from "./rig.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;

let rig: Rig;
let world: ServedWorld;
let other: ServedWorld;
let local: At;
let clock: TestClock;
let token: string;
let part: ReturnType<typeof makeRunsPart>;
const events: ServerEvent[] = [];

const RUNS = {
  ...RUNS_PART,
  make(kit: Parameters<typeof makeRunsPart>[0]) {
    part = makeRunsPart(kit);
    return part;
  },
};
const PARTS = [PEOPLE_PART, DEVICE_API, JOBS_PART, RUNS];

before(async () => {
  clock = testClock(Date.now());
  rig = await start();
  world = await makeVault(rig);
  other = await makeVault(rig, "other", 2);
  local = doorsOf(rig).local;
  await addOwner(rig);
  token = await logIn(world, world.device);
});
after(() => rig[Symbol.asyncDispose]());

function start(data?: string): Promise<Rig> {
  const onEvent = (event: ServerEvent) => void events.push(event);
  const settings = { listen: { host: "127.0.0.1", port: 0 } };
  return startRig({ settings, clock, parts: PARTS, onEvent, ...(data === undefined ? {} : { data }) });
}

const refused = (code: string) => (error: unknown) => isAppError(error) && error.code === code;
const asWorld = () => ({ ...world, clock }) as unknown as World;
const newRun = (): SessionId => newSessionId(world.random);

function report(n: number, change: Partial<RunReport> = {}): RunReport {
  const counts = { files: 10 * n, directories: 1, others: 0, newFiles: 10 * n, changedFiles: 0, unchangedFiles: 0 };
  return {
    n,
    kind: "backup",
    state: "running",
    phase: "scanning",
    plan: PLAN,
    planId: null,
    trigger: "schedule",
    startedAt: clock.now(),
    elapsedMs: 1000 * n,
    counts: { ...counts, problems: 0, changedWhileRead: 0 },
    bytes: { done: 1000 * n, read: 900 * n, new: 500 * n, added: 100 * n },
    expected: { files: 100, bytes: 10_000 },
    snapshot: null,
    error: null,
    details: null,
    ...change,
  };
}

const tell = (run: SessionId, body: RunReport, as = token) => {
  // The bucket of reports fills up again.
  clock.advance(1000);
  return call(world.at, RUN_ROUTES.reportRun, { params: { vault: world.name, run }, token: as, body });
};
const look = (run: SessionId): Promise<Run> => call(local, RUN_ROUTES.run, { params: { vault: world.name, run } });
const list = async (query: Record<string, string | number> = {}) =>
  (await call(local, RUN_ROUTES.runs, { query: { vault: world.name, ...query } })).items;

/** A session with one pack, committed. */
async function commit(session: SessionId): Promise<void> {
  const block = randomBlock(world.random);
  const params = { vault: world.name, session };
  const body = await makePack(asWorld(), session, [block]);
  const { blockNos } = await call(world.at, DEVICE_ROUTES.putPack, { params: { ...params, n: 0 }, token, body });
  const { vault } = rig.server.kit.vaults.byNameOrId(world.name)!;
  const { bytes: record } = await makeRecord(asWorld(), vault, session, blockNos);
  await call(world.at, DEVICE_ROUTES.commit, { params, token, body: record });
}

describe("what a device tells", () => {
  test("is seen at once, from its first words to its last", async () => {
    const session = await openSession(world, token);
    assert.deepEqual([(await look(session)).state, (await look(session)).isReported], ["running", false]);
    await tell(session, report(1));
    await tell(session, report(3));
    await tell(session, report(2));
    const going = await look(session);
    assert.deepEqual(
      [going.counts.files, going.phase, going.trigger, going.expected],
      [30, "scanning", "schedule", { files: 100, bytes: 10_000 }],
    );
    await commit(session);
    const details = world.random.bytes(100);
    await tell(session, report(4, { state: "done", phase: "ended", details }));
    const done = await look(session);
    assert.deepEqual([done.state, done.counts.files, done.wanted, done.hasDetails], ["done", 40, "run", true]);
    assert.ok(done.snapshot !== null && done.endedAt !== null && done.bytes.sent > 0);
    const params = { vault: world.name, run: session };
    assert.deepEqual(new Uint8Array(await call(local, RUN_ROUTES.runDetails, { params })), details);
    assert.deepEqual(new Uint8Array(await call(world.at, RUN_ROUTES.runDetails, { params, token })), details);
    const states = events.flatMap((event) =>
      event.type === "run" && event.run.run === session ? [event.run.state] : [],
    );
    assert.deepEqual([states[0], states.at(-1)], ["running", "done"]);
  });

  test("may be that it never began, without any session", async () => {
    const run = newRun();
    await tell(run, report(1, { state: "failed", phase: "ended", error: "source_missing" }));
    const failed = await look(run);
    assert.deepEqual([failed.state, failed.error, failed.snapshot], ["failed", "source_missing", null]);
    assert.equal((await list({ state: "failed" }))[0]!.run, run);
  });

  test("is of no use for the runs of others, nor too often, nor for too many at a time", async () => {
    const session = await openSession(world, token);
    const strange = await logIn(other, other.device);
    await assert.rejects(tell(session, report(1), strange), refused("forbidden"));
    const params = { vault: other.name, run: session };
    await call(other.at, RUN_ROUTES.reportRun, { params, token: strange, body: report(9, { state: "cancelled" }) });
    assert.equal((await look(session)).state, "running");
    const many = async (count: number) => {
      const body = report(1);
      for (let i = 0; i < count; i++) {
        const about = { params: { vault: world.name, run: newRun() }, token, body };
        const { status, headers } = await callRaw(world.at, RUN_ROUTES.reportRun, about);
        if (status === 429) return { at: i, wait: headers["retry-after"] };
      }
      return undefined;
    };
    clock.advance(MINUTE);
    assert.deepEqual(await many(30), { at: RUN_LIMITS.reportsAtOnce, wait: "1" });
    for (let i = 0; i < 5; i++) {
      clock.advance(MINUTE);
      await many(RUN_LIMITS.reportsAtOnce);
    }
    const open = (await list({ state: "running", limit: 200 })).length;
    assert.ok(open <= 64, `${open}`);
    clock.advance(11 * MINUTE);
    await part.tick();
    assert.equal((await list({ state: "running" })).length, 0);
    token = await logIn(world, world.device);
  });

  test("can be answered by what people want of the run", async () => {
    const session = await openSession(world, token);
    assert.deepEqual(await tell(session, report(1)), { wanted: "run" });
    const params = { vault: world.name, run: session };
    await call(local, RUN_ROUTES.wantOfRun, { params, body: { wanted: "cancel" } });
    assert.deepEqual(await tell(session, report(2)), { wanted: "cancel" });
    await tell(session, report(3, { state: "cancelled", phase: "ended" }));
    assert.equal((await look(session)).state, "cancelled");
  });
});

describe("what the server sees by itself", () => {
  test("is a run of a device that tells nothing, its end in silence too", async () => {
    const session = await openSession(world, token);
    await commit(session);
    const done = await look(session);
    assert.deepEqual([done.state, done.isReported, done.plan, done.bytes.sent > 0], ["done", false, PLAN, true]);
    const left = await openSession(world, token);
    clock.advance(9 * MINUTE);
    await part.tick();
    assert.equal((await look(left)).state, "running");
    clock.advance(2 * MINUTE);
    await part.tick();
    const silent = await look(left);
    assert.deepEqual([silent.state, silent.error], ["interrupted", "run_silent"]);
  });

  test("is that it refused a session, once however often it is tried", async () => {
    token = await logIn(world, world.device);
    const quota = (snapshots: number | null) =>
      call(local, JOB_ROUTES.changeVault, {
        params: { vault: world.name },
        body: { quota: { bytes: null, snapshots } },
      });
    await quota(0);
    for (let i = 0; i < 3; i++) await assert.rejects(openSession(world, token), refused("quota_full"));
    await quota(null);
    const found = await list({ state: "refused" });
    assert.deepEqual(
      found.map(({ error, plan }) => [error, plan]),
      [["quota_full", PLAN]],
    );
  });

  test("is a snapshot that came without it: by a program that works in the vault's folder", async () => {
    const { vault } = rig.server.kit.vaults.byNameOrId(world.name)!;
    const snapshot = await backUp(asWorld(), vault, [randomBlock(world.random)]);
    assert.ok(!(await list()).some((run) => run.snapshot === snapshot));
    await part.tick();
    const [run] = (await list()).filter((one) => one.snapshot === snapshot);
    assert.deepEqual([run!.state, run!.trigger, run!.device], ["done", "unknown", world.device.device]);
    const before = (await list({ limit: 200 })).length;
    await part.tick();
    assert.equal((await list({ limit: 200 })).length, before);
  });

  test("outlives the server", async () => {
    token = await logIn(world, world.device);
    const session = await openSession(world, token);
    await tell(session, report(1));
    await tell(session, report(2));
    await rig.server.stop();
    const { data } = rig;
    const again = await start(data);
    rig = { ...again, data, [Symbol.asyncDispose]: rig[Symbol.asyncDispose] };
    Object.assign(world, { at: doorsOf(rig).tls });
    local = doorsOf(rig).local;
    assert.deepEqual([(await look(session)).state, (await look(session)).counts.files], ["running", 20]);
    token = await logIn(world, world.device);
    await tell(session, report(3, { state: "interrupted", phase: "ended" }));
    assert.equal((await look(session)).state, "interrupted");
    await rig.server.stop();
    rig = await start(data);
    local = doorsOf(rig).local;
    Object.assign(world, { at: doorsOf(rig).tls });
    Object.assign(other, { at: doorsOf(rig).tls });
  });
});

describe("the history", () => {
  test("comes page by page, filtered, as a file, and only to who may look", async () => {
    const all = await list({ limit: 200 });
    assert.ok(all.length > 20);
    const pages: Run[] = [];
    for (let after: string | null = ""; after !== null; ) {
      const query = { vault: world.name, limit: 7, ...(after === "" ? {} : { after }) };
      const page: { items: Run[]; next: string | null } = await call(local, RUN_ROUTES.runs, { query });
      pages.push(...page.items);
      after = page.next;
    }
    assert.deepEqual(pages, all);
    assert.ok(all.every((run, i) => i === 0 || run.startedAt <= all[i - 1]!.startedAt));
    const from = all[3]!.startedAt;
    assert.ok((await list({ from, limit: 200 })).every(({ startedAt }) => startedAt >= from));
    assert.ok((await list({ trigger: "unknown" })).every(({ isReported }) => !isReported));

    const got = await callRaw(local, RUN_ROUTES.exportRuns, { query: { vault: world.name } });
    assert.match(String(got.headers["content-disposition"]), /^attachment; filename="cyberbackup-runs-[\d-]+\.json"$/);
    assert.deepEqual((JSON.parse(got.body.toString()) as { items: Run[] }).items, all);

    await addPerson(rig, "vera@example.org", { grants: [{ vault: other.vaultId, role: "viewer" }] });
    const vera = withKey(rig, await login(rig, "vera@example.org"));
    const seen = bodyOf<{ items: Run[] }>(await vera.call("GET", "/api/v4/runs?limit=200"));
    assert.ok(seen.items.length > 0 && seen.items.every(({ vault }) => vault === other.vaultId));
    assert.equal((await vera.call("GET", `/api/v4/runs?vault=${world.name}`)).status, 404);
    assert.equal((await vera.call("GET", `/api/v4/vaults/${world.name}/runs/${all[0]!.run}`)).status, 403);
    const days = bodyOf<{ items: { vault: string }[] }>(await vera.call("GET", "/api/v4/run-days"));
    assert.ok(days.items.every(({ vault }) => vault === other.vaultId));
  });

  test("is counted by day, in the days of whoever asks", async () => {
    const asked = { vault: world.name, days: 3, timeZone: "Pacific/Auckland" };
    const { days, items } = await call(local, RUN_ROUTES.runDays, { query: asked });
    const all = await list({ limit: 200 });
    const dayOf = new Intl.DateTimeFormat("sv-SE", { timeZone: "Pacific/Auckland" });
    assert.deepEqual(days.at(-1), dayOf.format(clock.now()));
    assert.equal(new Set(days).size, 3);
    const sum = (of: (item: (typeof items)[number]) => number) => items.reduce((total, item) => total + of(item), 0);
    const counted = all.filter(({ startedAt, kind }) => kind === "backup" && days.includes(dayOf.format(startedAt)));
    assert.equal(
      sum(({ done }) => done),
      counted.filter(({ state }) => state === "done").length,
    );
    assert.equal(
      sum(({ failed }) => failed),
      counted.filter(({ state }) => state === "failed" || state === "refused" || state === "interrupted").length,
    );
    assert.equal(
      sum(({ cancelled }) => cancelled),
      counted.filter(({ state }) => state === "cancelled").length,
    );
    const wrong = call(local, RUN_ROUTES.runDays, { query: { timeZone: "Mars/Olympus" } });
    await assert.rejects(wrong, refused("request_invalid"));
  });

  test("has days of 23 and 25 hours where clocks change", async () => {
    const { runDays } = await import("../../src/server/runs/run-days.ts");
    const { database } = rig.server.kit;
    for (const [now, expected] of [
      [Date.UTC(2030, 3, 2), ["2030-03-29", "2030-03-30", "2030-03-31", "2030-04-01", "2030-04-02"]],
      [Date.UTC(2030, 9, 29), ["2030-10-25", "2030-10-26", "2030-10-27", "2030-10-28", "2030-10-29"]],
    ] as const) {
      const { days } = runDays(database, [], { count: 5, timeZone: "Europe/Berlin", now });
      assert.deepEqual(days, expected);
    }
  });

  test("ends after its time", async () => {
    clock.advance(91 * DAY);
    await part.tick();
    assert.ok((await list({ limit: 200 })).every(({ hasDetails }) => !hasDetails));
    clock.advance(700 * DAY);
    await part.tick();
    assert.deepEqual(await list(), []);
  });
});
