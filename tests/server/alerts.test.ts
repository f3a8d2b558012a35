// Alerts by a clock that the test moves, over a real server: each is raised once, told, shown with what mends it, and cleared once.

import assert from "node:assert/strict";
import { renameSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { isAppError } from "../../src/core/errors.ts";
import type { NameToken, SessionId } from "../../src/core/ids.ts";
import { DEVICE_API } from "../../src/server/device-api/part.ts";
import { JOBS_PART } from "../../src/server/jobs/part.ts";
import type { ServerEvent } from "../../src/server/kit.ts";
import { PEOPLE_PART } from "../../src/server/people/people-part.ts";
import { makeRunsPart, RUNS_PART } from "../../src/server/runs/part.ts";
import { METRICS_ROUTES } from "../../src/wire/v4/api/job-routes.ts";
import { type AlertKind, OVERVIEW_ROUTES } from "../../src/wire/v4/api/overview-routes.ts";
import { PEOPLE_ROUTES } from "../../src/wire/v4/api/people-routes.ts";
import { PLAN_ROUTES } from "../../src/wire/v4/api/plan-routes.ts";
import { RUN_ROUTES, type Run, type RunReport } from "../../src/wire/v4/api/run-routes.ts";
import { VAULT_ROUTES } from "../../src/wire/v4/api/vault-routes.ts";
import { backUp, randomBlock, type TestClock, testClock, type World } from "../vault/kit.ts";
import { type At, call, doorsOf, logIn, makeVault, newSessionId, openSession, type ServedWorld } from "./device.ts";
import { addOwner, addPerson, bodyOf, login, withKey } from "./people-kit.ts";
import { type Rig, startRig } from "./rig.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const GIB = 2 ** 30;
const TOKEN = "70".repeat(16) as NameToken;

let rig: Rig;
let world: ServedWorld;
let local: At;
let clock: TestClock;
let part: ReturnType<typeof makeRunsPart>;
let disk: { totalBytes: number; freeBytes: number };
let events: ServerEvent[];

beforeEach(async () => {
  clock = testClock(Date.now());
  disk = { totalBytes: 1000 * GIB, freeBytes: 500 * GIB };
  events = [];
  const runs = {
    ...RUNS_PART,
    make(kit: Parameters<typeof makeRunsPart>[0]) {
      part = makeRunsPart(kit, { disk: async () => disk });
      return part;
    },
  };
  rig = await startRig({
    settings: { listen: { host: "127.0.0.1", port: 0 }, reserveBytes: GIB },
    clock,
    parts: [PEOPLE_PART, DEVICE_API, JOBS_PART, runs],
    onEvent: (event) => void events.push(event),
  });
  world = await makeVault(rig);
  local = doorsOf(rig).local;
});
afterEach(() => rig[Symbol.asyncDispose]());

const overview = () => call(local, OVERVIEW_ROUTES.overview);
const open = async (): Promise<AlertKind[]> => {
  await part.tick();
  return (await overview()).alerts.map(({ kind }) => kind);
};
const told = (kind: AlertKind) =>
  events.flatMap((event) =>
    (event.type === "alert-raised" || event.type === "alert-cleared") && event.alert.kind === kind ? [event.type] : [],
  );
const served = () => rig.server.kit.vaults.byNameOrId(world.name)!;
const save = () => backUp({ ...world, clock } as unknown as World, served().vault, [randomBlock(world.random)]);

/** A run as an agent would tell it, with a snapshot if it is to end well; counts as given. */
async function run(
  counts: Partial<RunReport["counts"]> = {},
  state: RunReport["state"] = "done",
  more: Partial<RunReport> = {},
): Promise<SessionId> {
  const token = await logIn(world, world.device);
  const session = newSessionId(world.random);
  if (state === "done") commit(session);
  const none = { files: 0, directories: 0, others: 0, newFiles: 0, changedFiles: 0, unchangedFiles: 0, problems: 0 };
  const body: RunReport = {
    ...({ n: 1, kind: "backup", state, phase: "ended", plan: TOKEN, planId: null, trigger: "schedule" } as const),
    ...{ startedAt: clock.now(), elapsedMs: 1000, expected: null, snapshot: null, error: null, details: null },
    counts: { ...none, changedWhileRead: 0, ...counts },
    bytes: { done: 1000, read: 1000, new: 500, added: 100 },
    ...more,
  };
  await call(world.at, RUN_ROUTES.reportRun, { params: { vault: world.name, run: session }, token, body });
  return session;
}

/** What the server would have seen of the session. */
function commit(session: SessionId): void {
  const { kit } = rig.server;
  const device = world.device.device as Run["device"];
  const snapshot = `${session}${session}` as NonNullable<Run["snapshot"]>;
  kit.emit({ type: "session-open", vault: world.vaultId, device, session, plan: TOKEN });
  kit.emit({ type: "commit", vault: world.vaultId, device, session, snapshot });
}

describe("alerts about devices", () => {
  test("a device that never backed up is a warning after a day, and none once it did", async () => {
    clock.advance(12 * HOUR);
    assert.deepEqual(await open(), []);
    clock.advance(13 * HOUR);
    assert.deepEqual(await open(), ["never-backed-up"]);
    const { state, alerts, devices, protectedDevices } = await overview();
    assert.deepEqual([state, devices, protectedDevices], ["attention", 1, 0]);
    assert.deepEqual([alerts[0]!.action, alerts[0]!.device], ["back-up", world.device.device]);
    await save();
    assert.deepEqual(await open(), []);
    assert.deepEqual(told("never-backed-up"), ["alert-raised", "alert-cleared"]);
    assert.equal((await overview()).state, "protected");
  });

  test("a device that is silent for a week, or backs up no more, is a danger", async () => {
    await save();
    clock.advance(6 * DAY);
    assert.deepEqual(await open(), []);
    clock.advance(DAY + HOUR);
    assert.deepEqual(await open(), ["device-silent"]);
    assert.deepEqual([(await overview()).state, (await overview()).protectedDevices], ["danger", 0]);
    await logIn(world, world.device);
    assert.deepEqual(await open(), ["plan-overdue"]);
    await save();
    assert.deepEqual(await open(), []);
    for (const kind of ["device-silent", "plan-overdue"] as const) {
      assert.deepEqual(told(kind), ["alert-raised", "alert-cleared"]);
    }
  });

  test("a plan is overdue when it did not run in its time, unless it is paused", async () => {
    await run({ files: 10 });
    const plan = newSessionId(world.random) as string;
    const token = await logIn(world, world.device);
    const params = { vault: world.name };
    const body = { base: 0, sealed: new Uint8Array(1), token: TOKEN, enabled: true, overdueAfterMs: HOUR, ping: false };
    await call(world.at, PLAN_ROUTES.putOwnPlan, { params: { ...params, plan }, token, body });
    const tell = async (nextDueAt: number, pausedUntil: number | null = null) => {
      const plans = [{ plan, version: 1, nextDueAt, pausedUntil, error: null }];
      const again = await logIn(world, world.device);
      await call(world.at, PLAN_ROUTES.planStatus, { params, token: again, body: { plans } });
    };
    await tell(clock.now() + HOUR);
    clock.advance(2 * HOUR - MINUTE);
    assert.deepEqual(await open(), []);
    clock.advance(2 * MINUTE);
    assert.deepEqual(await open(), ["plan-overdue"]);
    await tell(clock.now() - 2 * HOUR, clock.now() + DAY);
    assert.deepEqual(await open(), []);
    await tell(clock.now() - 2 * HOUR);
    assert.deepEqual(await open(), ["plan-overdue"]);
    await run({ files: 10 });
    assert.deepEqual(await open(), []);
  });

  test("are not raised by a server that was off, before devices have had time to call", async () => {
    await save();
    await part.tick();
    clock.advance(8 * DAY);
    const { data } = rig;
    await rig.server.stop();
    const settings = { listen: { host: "127.0.0.1", port: 0 }, reserveBytes: 0 };
    await using again = await startRig({ settings, clock, data });
    const look = async () =>
      (await call(doorsOf(again).local, OVERVIEW_ROUTES.overview)).alerts.map(({ kind }) => kind);
    assert.deepEqual(await look(), []);
  });
});

describe("alerts about runs", () => {
  test("the last one failed: until one ends well, or somebody has looked", async () => {
    const failed = await run({}, "failed", { error: "source_missing" });
    assert.deepEqual(await open(), ["run-failed"]);
    const [alert] = (await overview()).alerts;
    assert.deepEqual([alert!.run, alert!.values.code, alert!.action], [failed, "source_missing", "look-at-run"]);
    await run();
    assert.deepEqual(await open(), []);
    const second = await run({}, "failed", { error: "io" });
    await part.tick();
    const { id } = (await overview()).alerts[0]!;
    await call(local, OVERVIEW_ROUTES.dismissAlert, { params: { id } });
    assert.deepEqual(await open(), []);
    // It is another run that failed: that is news.
    const third = await run({}, "failed", { error: "io" });
    assert.notEqual(second, third);
    assert.deepEqual(await open(), ["run-failed"]);
    await run({}, "cancelled");
    assert.deepEqual(await open(), ["run-failed"]);
    await run();
    assert.deepEqual(await open(), []);
    assert.equal(told("run-failed").length, 6);
  });

  test("it was refused or fell silent, but not that its machine was shut down", async () => {
    await run({}, "interrupted", { error: "interrupted" });
    assert.deepEqual(await open(), []);
    const token = await logIn(world, world.device);
    await openSession(world, token);
    clock.advance(11 * MINUTE);
    assert.deepEqual(await open(), ["run-failed"]);
  });

  test("it found 90 % fewer files: until they are back", async () => {
    await run({ files: 1000, unchangedFiles: 1000 });
    await run({ files: 101, unchangedFiles: 101 });
    assert.deepEqual(await open(), []);
    await run({ files: 1000, unchangedFiles: 1000 });
    const empty = await run({ files: 100, unchangedFiles: 100 });
    assert.deepEqual(await open(), ["fewer-files"]);
    const [alert] = (await overview()).alerts;
    assert.deepEqual([alert!.run, alert!.values.before, alert!.values.files], [empty, 1000, 100]);
    clock.advance(HOUR);
    await run({ files: 90, unchangedFiles: 90 });
    assert.deepEqual(await open(), ["fewer-files"]);
    clock.advance(HOUR);
    await run({ files: 800, unchangedFiles: 800 });
    assert.deepEqual(await open(), []);
    assert.deepEqual(told("fewer-files"), ["alert-raised", "alert-cleared"]);
  });

  test("an abnormal share of its files changed, against what is usual", async () => {
    for (let n = 0; n < 4; n++) {
      clock.advance(HOUR);
      await run({ files: 2000, changedFiles: 20, unchangedFiles: 1980 });
    }
    assert.deepEqual(await open(), []);
    clock.advance(HOUR);
    await run({ files: 2000, changedFiles: 1200, unchangedFiles: 800 });
    assert.deepEqual(await open(), ["many-changed"]);
    clock.advance(HOUR);
    await run({ files: 2000, changedFiles: 20, unchangedFiles: 1980 });
    assert.deepEqual(await open(), ["many-changed"]);
    clock.advance(6 * DAY);
    await run({ files: 2000, changedFiles: 20, unchangedFiles: 1980 });
    clock.advance(2 * DAY);
    await run({ files: 2000, changedFiles: 20, unchangedFiles: 1980 });
    assert.deepEqual(await open(), []);
  });
});

describe("alerts about the server", () => {
  test("its disk fills up, is full, and has room again", async () => {
    disk = { totalBytes: 100 * GIB, freeBytes: 4 * GIB };
    assert.deepEqual(await open(), ["disk-nearly-full"]);
    assert.equal((await overview()).alerts[0]!.severity, "warning");
    disk = { ...disk, freeBytes: GIB / 2 };
    assert.deepEqual(await open(), ["disk-nearly-full"]);
    assert.equal((await overview()).alerts[0]!.severity, "danger");
    disk = { ...disk, freeBytes: 50 * GIB };
    assert.deepEqual(await open(), []);
    // That it has become grave is news.
    assert.deepEqual(told("disk-nearly-full"), ["alert-raised", "alert-raised", "alert-cleared"]);
  });

  test("its disk refused the log of an index: told everywhere, and over once the index was opened again", async () => {
    const log = join(rig.data, "vaults", world.vaultId, "index.db-wal");
    const metric = async () =>
      /^cyberbackup_vault_takes_backups\{vault="\w+"\} (\d)$/m.exec(
        String(await call(local, METRICS_ROUTES.metrics)),
      )?.[1];
    assert.deepEqual(await call(local, PEOPLE_ROUTES.ready), { status: "ready", troubles: [] });
    renameSync(log, `${log}.away`);
    await assert.rejects(save(), (error) => isAppError(error, "index_refused"));
    renameSync(`${log}.away`, log);
    // The disk is well again, and yet nobody can say what became of what it refused.
    await assert.rejects(save(), (error) => isAppError(error, "index_refused"));
    const { status, troubles } = await call(local, PEOPLE_ROUTES.ready);
    assert.deepEqual([status, troubles[0]!.vault, troubles[0]!.code], ["degraded", world.name, "index_refused"]);
    const toStrangers = await call(world.at, PEOPLE_ROUTES.ready);
    assert.deepEqual([toStrangers.status, toStrangers.troubles[0]!.vault], ["degraded", null]);
    const [told] = (await call(local, PEOPLE_ROUTES.status)).troubles;
    assert.equal(told!.message.includes(rig.data), false);
    assert.deepEqual((await call(local, VAULT_ROUTES.vaults)).vaults[0]!.trouble?.code, "index_refused");
    assert.equal(await metric(), "0");
    const refused = served().vault;
    assert.deepEqual(await open(), ["index-refused"]);
    assert.notEqual(served().vault, refused);
    await save();
    assert.deepEqual(await open(), []);
    assert.equal((await call(local, PEOPLE_ROUTES.ready)).status, "ready");
    assert.equal(await metric(), "1");
  });

  test("blocks have rotted", async () => {
    await save();
    const { database } = served().vault.context;
    database.run("UPDATE blocks SET state = 1 WHERE blockNo = 1");
    assert.deepEqual(await open(), ["damage"]);
    database.run("UPDATE blocks SET state = 0 WHERE blockNo = 1");
    assert.deepEqual(await open(), []);
  });

  test("its certificate ends soon", async () => {
    await save();
    // Nothing renews it here: the clock of the renewal is not the test's.
    clock.advance(380 * DAY + 18 * DAY);
    await logIn(world, world.device).catch(() => undefined);
    await save();
    const alerts = await open();
    assert.ok(alerts.includes("certificate-ending"), String(alerts));
  });

  test("are shown to whoever may look at all of it, and a vault's to whoever may look at that", async () => {
    await addOwner(rig);
    await addPerson(rig, "vera@example.org", { grants: [{ vault: world.vaultId, role: "viewer" }] });
    const vera = withKey(rig, await login(rig, "vera@example.org"));
    disk = { totalBytes: 100 * GIB, freeBytes: GIB / 2 };
    await run({}, "failed", { error: "io" });
    assert.deepEqual((await open()).sort(), ["disk-nearly-full", "run-failed"]);
    type Shown = { items: { id: string; kind: string }[] };
    const { items } = bodyOf<Shown>(await vera.call("GET", "/api/v4/alerts"));
    assert.deepEqual(
      items.map(({ kind }) => kind),
      ["run-failed"],
    );
    assert.equal((await vera.call("POST", `/api/v4/alerts/${items[0]!.id}/dismiss`)).status, 403);
    const all = await call(local, OVERVIEW_ROUTES.alerts, { query: { open: "false", limit: 1 } });
    assert.ok(all.items.length === 1 && all.next !== null);
  });
});

describe("sizes over time", () => {
  test("are sampled each hour, kept by the hour for two weeks and by the day for years", async () => {
    await run({ files: 10 });
    await part.tick();
    for (let hour = 0; hour < 20 * 24; hour++) {
      clock.advance(HOUR);
      disk = { ...disk, freeBytes: disk.freeBytes - GIB };
      await part.tick();
    }
    const params = { vault: world.name };
    const of = async (step: string) => (await call(local, OVERVIEW_ROUTES.history, { params, query: { step } })).items;
    const [hours, days] = [await of("hour"), await of("day")];
    assert.ok(hours.length >= 14 * 24 && hours.length <= 14 * 24 + 1, `${hours.length}`);
    assert.ok(days.length >= 20 && days.length <= 22, `${days.length}`);
    assert.equal(hours.at(-1)!.protectedBytes, 1000);
    const { disk: trend, items } = await call(local, OVERVIEW_ROUTES.diskHistory, { query: { step: "hour" } });
    assert.equal(items.length, hours.length);
    assert.ok(Math.abs(trend.bytesPerDay! - 24 * GIB) < GIB / 1000);
    assert.equal(trend.daysUntilFull, Math.floor((disk.freeBytes - GIB) / (24 * GIB)));
  });

  test("say nothing about a disk that is not filling", async () => {
    await part.tick();
    assert.deepEqual([(await overview()).disk.bytesPerDay, (await overview()).disk.daysUntilFull], [null, null]);
    for (let day = 0; day < 3; day++) {
      clock.advance(DAY);
      disk = { ...disk, freeBytes: disk.freeBytes + GIB };
      await part.tick();
    }
    assert.ok((await overview()).disk.bytesPerDay! < 0);
    assert.equal((await overview()).disk.daysUntilFull, null);
  });
});

describe("the server's log", () => {
  test("is an owner's, newest first, page by page and by level", async () => {
    const { logger } = rig.server.kit;
    for (let n = 0; n < 5; n++) logger.info("a line", { count: n, path: "/never/shown" });
    logger.warn("something is odd");
    logger.debug("not kept");
    const { items, next } = await call(local, OVERVIEW_ROUTES.serverLog, { query: { limit: 3 } });
    assert.deepEqual(
      items.map(({ message }) => message),
      ["something is odd", "a line", "a line"],
    );
    assert.deepEqual(items[1]!.fields, { count: 4 });
    const more = await call(local, OVERVIEW_ROUTES.serverLog, { query: { limit: 2, after: Number(next) } });
    assert.deepEqual(
      more.items.map(({ fields }) => fields.count),
      [2, 1],
    );
    const warnings = await call(local, OVERVIEW_ROUTES.serverLog, { query: { level: "warn" } });
    assert.deepEqual(
      warnings.items.map(({ message }) => message),
      ["something is odd"],
    );
    assert.ok(events.some((event) => event.type === "log" && event.line.message === "something is odd"));
  });
});
