// Self-care over the API, on real vaults with real damage: every kind of job, its dry run, cancelling, stops of the server, schedules by a clock that
// the test moves, quotas, events and metrics.

import assert from "node:assert/strict";
import { closeSync, openSync, readdirSync, readSync, statSync, writeSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { isAppError } from "../../src/core/errors.ts";
import type { SnapshotId } from "../../src/core/ids.ts";
import { startServer } from "../../src/server/app.ts";
import { DEVICE_API } from "../../src/server/device-api/part.ts";
import { JOB_MIGRATIONS } from "../../src/server/jobs/job-store.ts";
import { makeJobsPart } from "../../src/server/jobs/part.ts";
import type { ServedVault } from "../../src/server/vaults.ts";
import { Database } from "../../src/vault/database.ts";
import { DEVICE_ROUTES } from "../../src/wire/v4/api/device-routes.ts";
import { JOB_ROUTES, type Job, METRICS_ROUTES } from "../../src/wire/v4/api/job-routes.ts";
import {
  backUp,
  hashesOf,
  makePack,
  makeRecord,
  PLAN,
  randomBlock,
  readBack,
  signed,
  type TestBlock,
  type TestClock,
  testClock,
  type World,
} from "../vault/kit.ts";
import { type At, call, doorsOf, logIn, makeVault, openSession, type ServedWorld } from "./device.ts";
import { CHEAP_HASHING, type Rig, startRig, testSettings } from "./rig.ts";

const DAY = 86_400_000;

let rig: Rig;
let world: ServedWorld;
let clock: TestClock;
let jobs: ReturnType<typeof makeJobsPart>;
let local: At;

const JOBS = {
  migrations: JOB_MIGRATIONS,
  make(kit: Parameters<typeof makeJobsPart>[0]) {
    jobs = makeJobsPart(kit);
    return jobs;
  },
};
const PARTS = [DEVICE_API, JOBS];

beforeEach(async () => {
  clock = testClock(lastTuesdayNoon());
  rig = await startRig({ settings: { listen: { host: "127.0.0.1", port: 0 } }, clock, parts: PARTS });
  world = await makeVault(rig);
  local = doorsOf(rig).local;
});

afterEach(() => rig[Symbol.asyncDispose]());

/** Not long ago, so that files are as old as the clock says; on a day after which no weekly job is due soon. */
function lastTuesdayNoon(): number {
  const today = Math.floor(Date.now() / DAY);
  // Day 0 was a Thursday; noon before the last Wednesday.
  return (today - ((today + 1) % 7)) * DAY - DAY / 2;
}

const served = (): ServedVault => rig.server.kit.vaults.byNameOrId(world.name)!;
const asWorld = () => ({ ...world, clock }) as unknown as World;
const someBlocks = (count: number): TestBlock[] => Array.from({ length: count }, () => randomBlock(world.random));
const refused = (code: string) => (error: unknown) => isAppError(error) && error.code === code;

async function save(blocks: TestBlock[]): Promise<SnapshotId> {
  return backUp(asWorld(), served().vault, blocks);
}

async function remove(snapshot: SnapshotId): Promise<void> {
  await served().admin.apply(await signed(world.vaultId, world.device, { type: "remove", body: { snapshot } }));
}

function start(kind: Job["kind"], options: Job["options"] = {}, dryRun = false): Promise<Job> {
  const vault = kind === "database-backup" ? null : world.name;
  return call(local, JOB_ROUTES.startJob, { body: { kind, vault, options, dryRun } });
}

/** Watches the job as a page does. */
async function ended(job: Job): Promise<Job> {
  let now = job;
  while (now.endedAt === null) {
    now = await call(local, JOB_ROUTES.job, { params: { id: job.id }, query: { wait: 30, after: now.version } });
  }
  return now;
}

async function run(kind: Job["kind"], options: Job["options"] = {}, dryRun = false): Promise<Record<string, never>> {
  const job = await ended(await start(kind, options, dryRun));
  assert.deepEqual([job.state, job.error], ["done", null]);
  return job.result as Record<string, never>;
}

function packFiles(): string[] {
  const packs = join(served().folder, "packs");
  return readdirSync(packs, { recursive: true, encoding: "utf8" })
    .map((name) => join(packs, name))
    .filter((path) => statSync(path).isFile());
}

/** Flips a bit of a stored block. */
async function damage(block: TestBlock): Promise<number> {
  const [at] = await served().vault.locateChunks(block.chunkIds);
  const path = packFiles().find((file) => file.endsWith(at!.pack))!;
  // In the file itself: the vault may have it open.
  const file = openSync(path, "r+");
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at!.offset + 7);
  byte[0]! ^= 1;
  writeSync(file, byte, 0, 1, at!.offset + 7);
  closeSync(file);
  return at!.blockNo;
}

describe("jobs", () => {
  it("scrub finds what has rotted, and the next backup heals it", async () => {
    const blocks = someBlocks(3);
    await save(blocks);
    const bad = await damage(blocks[1]!);
    assert.equal((await run("scrub", {}, true)).packs, 1);
    assert.deepEqual(await readBack(served().vault, [blocks[0]!]), hashesOf([blocks[0]!]));
    const report = await run("scrub");
    assert.deepEqual([report.quarantined, report.blocks], [[bad], 3]);
    assert.deepEqual((await run("scrub")).quarantined, []);
    const again = { ...randomBlock(world.random), chunkIds: blocks[1]!.chunkIds };
    await save([again]);
    assert.deepEqual(await readBack(served().vault, [again]), hashesOf([again]));
  });

  it("check names damage and changes nothing", async () => {
    const blocks = someBlocks(2);
    await save(blocks);
    assert.deepEqual((await run("check", { readData: true })).problems, []);
    await damage(blocks[0]!);
    const { problems } = (await run("check", { readData: true })) as unknown as { problems: { code: string }[] };
    assert.deepEqual(
      problems.map(({ code }) => code),
      ["block_corrupt"],
    );
    assert.deepEqual((await run("check", {}, true)).problems, []);
  });

  it("retention moves to the trash what it does not keep; trash and gc take it from there", async () => {
    const ids: SnapshotId[] = [];
    for (let day = 0; day < 4; day++) {
      ids.push(await save(someBlocks(1)));
      clock.advance(DAY);
    }
    const policy = { byDefault: { last: 2 }, byPlan: {}, timeZone: "UTC" };
    const params = { vault: world.name };
    assert.deepEqual((await run("retention")).removed, []);
    await call(local, JOB_ROUTES.changeVault, { params, body: { retention: policy } });
    const preview = await call(local, JOB_ROUTES.previewRetention, { params, body: {} });
    assert.deepEqual(
      preview.items.map(({ snapshot, reasons }) => [snapshot, reasons]),
      [
        [ids[3], ["last"]],
        [ids[2], ["last"]],
        [ids[1], []],
        [ids[0], []],
      ],
    );
    assert.deepEqual((await run("retention", {}, true)).removed, [ids[1], ids[0]]);
    assert.deepEqual((await run("retention")).removed, [ids[1], ids[0]]);
    const [last] = await served().vault.logAfter((await served().vault.head()).seq - 1, 1);
    assert.ok(last !== undefined);

    assert.deepEqual((await run("gc")).purgedSnapshots, []);
    assert.deepEqual((await run("gc", { trashMs: 0 }, true)).purge, [ids[0], ids[1]]);
    assert.deepEqual((await run("trash", { olderThanMs: DAY })).purgedSnapshots, []);
    assert.deepEqual((await run("trash", {}, true)).purgedSnapshots, [ids[0], ids[1]]);
    assert.deepEqual((await run("trash")).purgedSnapshots, [ids[0], ids[1]]);
    const freed = await run("gc");
    assert.ok(freed.freedBytes! > 0);
    assert.equal(packFiles().length, 2);
  });

  it("gc waits for the days that the vault's trash has", async () => {
    const id = await save(someBlocks(1));
    await remove(id);
    const params = { vault: world.name };
    await call(local, JOB_ROUTES.changeVault, { params, body: { trashDays: 3 } });
    clock.advance(2 * DAY);
    assert.deepEqual((await run("gc")).purgedSnapshots, []);
    clock.advance(DAY);
    assert.deepEqual((await run("gc")).purgedSnapshots, [id]);
  });

  it("rebuild makes a lost index anew while the vault is away, and gives it back", async () => {
    const blocks = someBlocks(2);
    await save(blocks);
    served().vault.context.database.run("DELETE FROM chunks");
    assert.deepEqual(await readBack(served().vault, blocks), [undefined, undefined]);
    assert.notDeepEqual((await run("rebuild", {}, true)).problems, []);
    assert.deepEqual((await run("rebuild")).problems, []);
    assert.deepEqual(await readBack(served().vault, blocks), hashesOf(blocks));
  });

  it("database-backup writes copies that open, and keeps the last seven sets", async () => {
    await save(someBlocks(2));
    assert.equal((await run("database-backup", {}, true)).files, 2);
    for (let i = 0; i < 9; i++) {
      await run("database-backup");
      clock.advance(DAY);
    }
    const folder = join(rig.data, "backups");
    const sets = readdirSync(folder).sort();
    assert.equal(sets.length, 7);
    assert.deepEqual(readdirSync(join(folder, sets[5]!)), ["server.db"]);
    assert.deepEqual(readdirSync(join(folder, sets[6]!)).sort(), [`${world.vaultId}.db`, "server.db"]);
    const copy = new Database(join(folder, sets[6]!, `${world.vaultId}.db`));
    assert.equal(copy.get("SELECT count(*) AS count FROM snapshots")!.count, 1);
    copy.close();
    assert.equal(statSync(join(folder, sets[6]!, "server.db")).mode & 0o777, 0o600);
  });

  it("runs one of a kind at a time, and ends where it is told to", async () => {
    for (let i = 0; i < 3; i++) await save(someBlocks(1));
    const slow = await start("scrub", { bytesPerSecond: 1 });
    assert.equal((await start("scrub", { bytesPerSecond: 1 })).id, slow.id);
    const waiting = await start("rebuild");
    assert.equal(waiting.state, "waiting");
    const moved = await call(local, JOB_ROUTES.job, { params: { id: slow.id }, query: { wait: 30, after: 2 } });
    assert.ok(moved.progress!.done > 0 && moved.progress!.done < moved.progress!.total);
    await call(local, JOB_ROUTES.cancelJob, { params: { id: slow.id } });
    assert.equal((await ended(slow)).state, "cancelled");
    assert.equal((await ended(waiting)).state, "done");
    const listed = await call(local, JOB_ROUTES.jobs, { query: { kind: "scrub" } });
    assert.deepEqual(
      listed.items.map(({ id, state }) => [id, state]),
      [[slow.id, "cancelled"]],
    );
    // What it had read is not read first again.
    const database = served().vault.context.database;
    assert.equal(database.get("SELECT count(*) AS count FROM blocks WHERE verifiedAt > 0")!.count, 3);
  });

  it("says what went wrong without saying where", async () => {
    await save(someBlocks(1));
    await openSession(world, await logIn(world, world.device));
    const failed = await ended(await start("rebuild"));
    assert.deepEqual([failed.state, failed.error?.code], ["failed", "vault_busy"]);
    assert.equal((await start("check")).kind, "check");
    await assert.rejects(start("gc", { sample: 1 }), refused("request_invalid"));
    await assert.rejects(call(local, JOB_ROUTES.job, { params: { id: "99" } }), refused("not_found"));
    const ofNobody = { kind: "gc", vault: null, options: {}, dryRun: false } as const;
    await assert.rejects(call(local, JOB_ROUTES.startJob, { body: ofNobody }), refused("request_invalid"));
    await assert.rejects(call(world.at, JOB_ROUTES.jobs), refused("login_failed"));
    const token = await logIn(world, world.device);
    await assert.rejects(call(world.at, JOB_ROUTES.jobs, { token }), refused("forbidden"));
  });

  it("marks what a stop cut short, and it is due again", async () => {
    for (let i = 0; i < 3; i++) await save(someBlocks(1));
    const settings = testSettings(rig.data);
    jobs.scheduler.tick();
    await jobs.runner.idle();
    clock.advance(2 * DAY);
    const slow = jobs.runner.start({
      kind: "scrub",
      vault: world.vaultId,
      options: { bytesPerSecond: 1 },
      dryRun: false,
      startedBy: "schedule",
    });
    await jobs.runner.changed(slow.id, 2, AbortSignal.timeout(30_000));
    await rig.server.stop();
    const killed = new Database(join(rig.data, "server.db"));
    assert.match(String(killed.get("SELECT error FROM jobs WHERE job = ?", Number(slow.id))!.error), /server_stopping/);
    killed.run("UPDATE jobs SET state = 1, error = NULL, endedAt = NULL WHERE job = ?", Number(slow.id));
    killed.close();

    const next = await startServer({ settings, clock, parts: PARTS, passwordHashing: CHEAP_HASHING });
    const before = jobs.runner.get(slow.id)!;
    assert.deepEqual([before.state, before.error?.code], ["failed", "server_stopping"]);
    jobs.scheduler.tick();
    await jobs.runner.idle();
    const [newest] = (await call({ socketPath: next.socketPath }, JOB_ROUTES.jobs, { query: { kind: "scrub" } })).items;
    assert.notEqual(newest!.id, slow.id);
    assert.deepEqual([newest!.state, newest!.startedBy], ["done", "schedule"]);
    await next.stop();
  });

  it("collects garbage while a backup runs over the API", async () => {
    const old = someBlocks(3);
    await remove(await save(old));
    const token = await logIn(world, world.device);
    const session = await openSession(world, token);
    const params = (n: number) => ({ vault: world.name, session, n });
    const blocks = someBlocks(4);
    const found = await call(world.at, DEVICE_ROUTES.findChunks, {
      params: { vault: world.name, session },
      token,
      body: { ids: old[0]!.chunkIds[0]! },
    });
    assert.equal(found.have[0], 1);
    const refs: number[] = [1];
    for (let n = 0; n < 4; n++) {
      const pack = await makePack(asWorld(), session, [blocks[n]!], { firstCounter: n });
      const gc = await start("gc", { trashMs: 0, maxDeadShare: 0.01 });
      const { blockNos } = await call(world.at, DEVICE_ROUTES.putPack, { params: params(n), token, body: pack });
      refs.push(...blockNos);
      assert.equal((await ended(gc)).state, "done");
    }
    const record = await makeRecord(asWorld(), served().vault, session, refs);
    await call(world.at, DEVICE_ROUTES.commit, { params: { vault: world.name, session }, token, body: record.bytes });
    assert.deepEqual(await readBack(served().vault, [old[0]!, ...blocks]), hashesOf([old[0]!, ...blocks]));
    assert.deepEqual(await readBack(served().vault, [old[1]!]), [undefined]);
    assert.deepEqual((await run("check", { readData: true })).problems, []);
  });
});

describe("schedules", () => {
  const ran = async () => {
    await jobs.runner.idle();
    const { items } = await call(local, JOB_ROUTES.jobs, { query: { limit: 200 } });
    return items
      .filter(({ startedBy }) => startedBy === "schedule")
      .map(({ kind }) => kind)
      .sort();
  };

  it("look after everything each night without being set", async () => {
    await save(someBlocks(1));
    jobs.scheduler.tick();
    assert.deepEqual(await ran(), ["database-backup"]);
    clock.advance(DAY);
    jobs.scheduler.tick();
    assert.deepEqual(await ran(), ["database-backup", "database-backup", "gc", "retention", "scrub"]);
    const next = jobs.scheduler.tick()!;
    assert.ok(next > clock.now() && next <= clock.now() + DAY);
    assert.equal((await ran()).length, 5);
    // However long the server was off, it is made up for once.
    clock.advance(10 * DAY);
    jobs.scheduler.tick();
    assert.equal((await ran()).filter((kind) => kind === "gc").length, 2);
    assert.equal((await ran()).filter((kind) => kind === "check").length, 1);
  });

  it("can be set for all vaults and for one", async () => {
    const schedule = {
      kind: "gc",
      vault: null,
      cron: "0 18 * * *",
      timeZone: "UTC",
      isEnabled: true,
    } as const;
    const set = await call(local, JOB_ROUTES.setSchedule, { body: schedule });
    assert.deepEqual([set.isDefault, set.nextAt], [false, clock.now() + DAY / 4]);
    const own = await call(local, JOB_ROUTES.setSchedule, {
      body: { ...schedule, vault: world.vaultId, isEnabled: false },
    });
    assert.equal(own.nextAt, null);
    const { items } = await call(local, JOB_ROUTES.schedules);
    assert.deepEqual(
      items.filter(({ kind }) => kind === "gc").map(({ vault, nextAt }) => [vault, nextAt]),
      [
        [null, null],
        [world.vaultId, null],
      ],
    );
    clock.advance(3 * DAY);
    jobs.scheduler.tick();
    assert.ok(!(await ran()).includes("gc"));
    for (const [cron, timeZone] of [
      ["* * *", "UTC"],
      ["0 25 * * *", "UTC"],
      ["0 1 * * *", "Mars/Olympus"],
    ] as const) {
      const wrong = call(local, JOB_ROUTES.setSchedule, { body: { ...schedule, cron, timeZone } });
      await assert.rejects(wrong, refused("request_invalid"));
    }
  });
});

describe("quotas", () => {
  const setQuota = (bytes: number | null, snapshots: number | null = null) =>
    call(local, JOB_ROUTES.changeVault, { params: { vault: world.name }, body: { quota: { bytes, snapshots } } });

  it("refuse new sessions of a full vault or device, and packs beyond, and leave what is stored alone", async () => {
    const blocks = someBlocks(3);
    await save(blocks);
    const { usage } = await setQuota(null);
    assert.deepEqual(usage, { bytes: 600, snapshots: 1 });
    const token = await logIn(world, world.device);
    await setQuota(2000);
    const session = await openSession(world, token);
    const send = async (n: number, count: number) => {
      const pack = await makePack(asWorld(), session, someBlocks(count), { firstCounter: n * 20 });
      return call(world.at, DEVICE_ROUTES.putPack, { params: { vault: world.name, session, n }, token, body: pack });
    };
    await assert.rejects(send(0, 8), refused("quota_full"));
    await send(0, 1);
    await setQuota(700);
    await assert.rejects(send(1, 1), refused("quota_full"));
    await assert.rejects(openSession(world, token), refused("quota_full"));
    await setQuota(null, 1);
    await assert.rejects(openSession(world, token), refused("quota_full"));
    await setQuota(null, null);
    await openSession(world, token);

    const params = { vault: world.name, device: world.device.device };
    const use = await call(local, JOB_ROUTES.setDeviceQuota, { params, body: { bytes: 100, snapshots: null } });
    assert.ok(use.usage.bytes > 600);
    await assert.rejects(openSession(world, token), refused("quota_full"));
    assert.deepEqual(await readBack(served().vault, blocks), hashesOf(blocks));
  });

  it("count a pack that is sent twice once, and what a collection frees not at all", async () => {
    const first = await save(someBlocks(2));
    const usage = async () => (await call(local, JOB_ROUTES.vaultSettings, { params: { vault: world.name } })).usage;
    assert.deepEqual(await usage(), { bytes: 400, snapshots: 1 });
    const token = await logIn(world, world.device);
    const session = await openSession(world, token);
    const pack = await makePack(asWorld(), session, someBlocks(1));
    const params = { vault: world.name, session, n: 0 };
    for (let i = 0; i < 3; i++) await call(world.at, DEVICE_ROUTES.putPack, { params, token, body: pack });
    assert.equal((await usage()).bytes, 400 + pack.length);
    await remove(first);
    await run("gc", { trashMs: 0 });
    assert.deepEqual(await usage(), { bytes: 200, snapshots: 0 });
  });

  it("keep a reserve on the disk, which running sessions may use", async () => {
    const token = await logIn(world, world.device);
    const session = await openSession(world, token);
    await rig.server.stop();
    const reserve = 2 ** 50;
    const next = await startServer({
      settings: testSettings(rig.data, { listen: { host: "127.0.0.1", port: 0 }, reserveBytes: reserve }),
      clock,
      parts: PARTS,
    });
    const moved = { ...world, at: { port: next.port!, isTls: true } };
    const again = await logIn(moved, world.device);
    await assert.rejects(openSession(moved, again), refused("server_full"));
    const pack = await makePack(asWorld(), session, someBlocks(1));
    const params = { vault: world.name, session, n: 0 };
    await call(moved.at, DEVICE_ROUTES.putPack, { params, token: again, body: pack });
    await next.stop();
  });
});

describe("events and metrics", () => {
  it("are told as they happen, and again to whoever was away", async () => {
    const read = (lastEventId?: string) => {
      const events: { id: string; event: string; data: Record<string, unknown> }[] = [];
      let wake = (): void => undefined;
      const sent = request({
        ...(local as { socketPath: string }),
        path: "/api/v4/events",
        headers: lastEventId === undefined ? {} : { "last-event-id": lastEventId },
      });
      sent.on("error", () => undefined);
      sent.on("response", (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (slice: string) => {
          text += slice;
          for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
            const fields = Object.fromEntries(
              text
                .slice(0, end)
                .split("\n")
                .map((line) => line.split(/: (.*)/s)),
            );
            text = text.slice(end + 2);
            if (fields.event !== undefined && fields.event !== "log")
              events.push({ id: fields.id!, event: fields.event, data: JSON.parse(fields.data!) });
          }
          wake();
        });
        response.on("error", () => undefined);
      });
      sent.end();
      const until = async (isThere: (events: { event: string; data: Record<string, unknown> }[]) => boolean) => {
        while (!isThere(events)) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        return events;
      };
      return { until, end: () => sent.destroy() };
    };
    const first = read();
    await first.until((events) => events.length > 0);
    await run("check");
    const done = (events: { event: string; data: Record<string, unknown> }[]) =>
      events.some(({ event, data }) => event === "job" && data.state === "done");
    const heard = await first.until(done);
    assert.deepEqual(
      heard.map(({ event, data }) => [event, data.state]),
      [
        ["hello", undefined],
        ["job", "waiting"],
        ["job", "running"],
        ["job", "done"],
      ],
    );
    first.end();
    const second = read(heard[1]!.id);
    const later = await second.until(done);
    assert.deepEqual(
      later.map(({ data }) => data.state),
      [undefined, "running", "done"],
    );
    second.end();
    const stranger = read("zzz-5");
    assert.equal((await stranger.until((events) => events.length > 1))[1]!.event, "missed");
    stranger.end();
  });

  it("count what is stored, by device and plan", async () => {
    const blocks = someBlocks(2);
    await save(blocks);
    await damage(blocks[0]!);
    await run("scrub");
    await openSession(world, await logIn(world, world.device));
    const text = String(await call(local, METRICS_ROUTES.metrics));
    const value = (name: string, labels: Record<string, string>) => {
      const line = text
        .split("\n")
        .find(
          (row) =>
            row.startsWith(`cyberbackup_${name}{`) &&
            Object.entries(labels).every(([key, is]) => row.includes(`${key}="${is}"`)),
        );
      return line === undefined ? undefined : Number(line.split(" ").at(-1));
    };
    const device = world.device.device;
    assert.equal(value("stored_bytes", { vault: "home", device }), 400);
    assert.equal(value("damaged_blocks", { vault: "home" }), 1);
    assert.equal(value("jobs_total", { kind: "scrub", state: "done" }), 1);
    assert.equal(value("open_sessions", { vault: "home" }), 1);
    assert.equal(value("last_snapshot_timestamp_seconds", { device, plan: PLAN }), clock.now() / 1000);
    assert.equal(value("job_last_success_timestamp_seconds", { kind: "scrub" }), clock.now() / 1000);
    assert.equal(value("http_requests_total", { route: "openSession", status: "200" }), 1);
    assert.equal(value("snapshots", { vault: "home", state: "live" }), 1);
    assert.ok(Number(/^cyberbackup_disk_free_bytes (\d+)$/m.exec(text)![1]) > 0);
  });
});
