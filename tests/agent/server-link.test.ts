// What a server asks must be done as it comes, not when some timer looks; once, however often it comes; and the connection must come back after
// anything. Plans that change on both sides must end as docs/agent.md says.

import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { AgentEvent } from "../../src/client/agent/agent-event.ts";
import { FOREVER } from "../../src/client/agent/pauses.ts";
import { ServerLink } from "../../src/client/agent/server-link.ts";
import type { ErrorCode } from "../../src/core/errors.ts";
import type { VaultId } from "../../src/core/ids.ts";
import type { StoredPlan } from "../../src/wire/v4/api/plan-routes.ts";
import { type PlanInput, readPlan } from "../../src/wire/v4/plan-body.ts";
import { pseudoRandomBytes } from "../pseudo-random.ts";
import { SimDevice } from "./sim-device.ts";
import { ANY_REPORT, clearCodec, MemoryReports, SimServer, sealedAs } from "./sim-server.ts";
import { settled } from "./sim-timers.ts";

const VAULT = "44".repeat(16) as VaultId;
const START = Date.parse("2026-05-04T08:00:00Z");
const MINUTE = 60_000;
const DOCUMENTS: PlanInput = { name: "documents", sources: ["/d"], schedule: "every day at 12:00" };

let server: SimServer;
let device: SimDevice;
let reports: MemoryReports;
let away: ErrorCode | undefined;

beforeEach(async () => {
  server = new SimServer();
  reports = new MemoryReports();
  away = undefined;
  server.trouble = () => away;
  let count = 0;
  device = new SimDevice({
    startAt: START,
    timeZone: "UTC",
    seed: 11,
    lastsMs: () => 5 * MINUTE,
    trouble: () => away,
    openLink: async (agent, options) =>
      new ServerLink({
        agent,
        server,
        reports,
        sync: { plans: device.stores.plans, memories: options.memories, codec: clearCodec },
        reportRun: async (current) => {
          await current.ended;
          return away ? { run: current.run, report: ANY_REPORT } : undefined;
        },
        timers: options.timers,
        random: { bytes: (length) => pseudoRandomBytes(count++, length) },
        onEvent: options.onEvent,
      }),
  });
  device.stores.addVault(VAULT, "https://sim/home");
  device.stores.addPlan(VAULT, DOCUMENTS);
  await device.start();
  await settled();
});

const told = (type: AgentEvent["type"]): AgentEvent[] => device.events.filter((event) => event.type === type);
const stored = (name = "documents"): StoredPlan => {
  const id = device.stores.memories.get(`${VAULT}/${name}`)!.id;
  return server.plans.get(id)!;
};
const file = (name = "documents") => device.stores.files.get(`${VAULT}/${name}`);

async function byPerson(id: string, base: number, plan: PlanInput): Promise<StoredPlan> {
  const sealed = await sealedAs(readPlan(plan), id, base + 1);
  const done = server.put(
    id,
    { base, sealed, token: null, enabled: true, overdueAfterMs: null, ping: false },
    "person",
  );
  await settled();
  return done;
}

describe("commands", () => {
  test("are begun without a moment's passing, acknowledged, and done once", async () => {
    const before = device.now;
    server.ask({ id: "1", kind: "backup", plan: stored().plan });
    server.ask({ id: "1", kind: "backup", plan: stored().plan });
    await settled();
    assert.equal(device.now, before);
    assert.equal(device.attempts.length, 1);
    assert.deepEqual(new Set(server.outcomesOf("1")), new Set(["taken"]));
    await device.timers.advanceTo(before + 6 * MINUTE);
    assert.equal(server.outcomesOf("1").at(-1), "done");
    assert.equal(device.attempts.length, 1);
    assert.equal(device.attempts[0]!.trigger, "asked");
  });

  test("cancel what runs, in no time", async () => {
    server.ask({ id: "1", kind: "backup" });
    await settled();
    server.ask({ id: "2", kind: "cancel" });
    await settled();
    assert.equal(device.attempts[0]!.outcome, "interrupted");
    assert.deepEqual([server.outcomesOf("2"), server.outcomes.at(-1)!.error], [["done"], "interrupted"]);
    server.ask({ id: "3", kind: "cancel" });
    await settled();
    assert.deepEqual(server.outcomesOf("3"), ["refused"]);
    // Nobody wants it again.
    await device.timers.advanceTo(device.now + 60 * MINUTE);
    assert.equal(device.attempts.length, 1);
  });

  test("pause holds a run and keeps others from beginning, until it is taken back", async () => {
    server.ask({ id: "1", kind: "backup" });
    await settled();
    server.ask({ id: "2", kind: "pause" });
    await device.timers.advanceTo(START + 6 * 60 * MINUTE);
    assert.equal(device.attempts.length, 1);
    assert.equal(device.attempts[0]!.endedAt, 0);
    assert.equal(server.status[0]!.pausedUntil, FOREVER);
    server.ask({ id: "3", kind: "resume" });
    await settled();
    assert.equal(device.attempts[0]!.outcome, "ok");
    assert.ok(device.attempts[0]!.endedAt > 0);
    // What was due at noon is made up for.
    await device.timers.advanceTo(device.now + 10 * MINUTE);
    assert.deepEqual(
      device.attempts.map(({ trigger }) => trigger),
      ["asked", "catch-up"],
    );
  });

  test("that make no sense are refused", async () => {
    server.ask({ id: "1", kind: "backup", plan: "ff".repeat(16) });
    server.ask({ id: "2", kind: "dance" });
    await settled();
    assert.deepEqual(
      server.outcomes.map(({ id, error }) => [id, error]),
      [
        ["1", "plan_unknown"],
        ["2", "unsupported"],
      ],
    );
  });
});

describe("the connection", () => {
  test("comes back after an outage, an expired login and sleep, and what failed meanwhile is tried at once", async () => {
    away = "server_unreachable";
    server.cut("server_unreachable");
    await device.timers.advanceTo(Date.parse("2026-05-04T12:30:00Z"));
    assert.ok(device.attempts.length >= 3 && device.attempts.every(({ outcome }) => outcome === "server_unreachable"));
    assert.ok(reports.kept.length >= 3);
    away = undefined;
    const tries = device.attempts.length;
    await device.timers.advanceTo(Date.parse("2026-05-04T12:36:00Z"));
    assert.equal(device.attempts.length, tries + 1);
    assert.ok(server.isConnected);
    assert.equal(reports.kept.length, 0);
    assert.equal(new Set(server.reports).size, server.reports.length);

    server.cut("token_expired");
    await device.timers.advanceTo(device.now + 2 * MINUTE);
    assert.ok(server.isConnected);

    const { connections } = server;
    device.sleepUntil(device.now + 60 * MINUTE);
    await device.timers.advanceTo(device.now + MINUTE);
    assert.equal(server.connections, connections + 1);
  });

  test("is tried ever less often while nobody answers, and never given up", async () => {
    away = "server_unreachable";
    server.cut("server_unreachable");
    await device.timers.advanceTo(START + 24 * 60 * MINUTE);
    const waits = told("disconnected").map((event) => (event as { waitMs: number }).waitMs);
    assert.ok(waits.length >= 24 * 12 && waits.length < 24 * 12 * 5, `${waits.length} tries in a day`);
    assert.ok(Math.max(...waits) <= 5 * MINUTE);
  });

  test("a command that came while nobody was connected is done when somebody is", async () => {
    server.cut("server_unreachable");
    server.ask({ id: "9", kind: "backup" });
    await device.timers.advanceTo(device.now + MINUTE);
    assert.equal(device.attempts.length, 1);
    assert.equal(server.outcomesOf("9")[0], "taken");
  });
});

describe("plans", () => {
  test("of the device are put to the server, with when they are due", () => {
    assert.equal(stored().version, 1);
    assert.deepEqual(server.status, [
      {
        plan: stored().plan,
        version: 1,
        nextDueAt: Date.parse("2026-05-04T12:00:00Z"),
        pausedUntil: null,
        error: null,
      },
    ]);
  });

  test("that people change are taken over, and run by their new schedule", async () => {
    await byPerson(stored().plan, 1, { ...DOCUMENTS, schedule: "every day at 9:00" });
    assert.equal(file()!.schedule, "every day at 9:00");
    assert.equal(server.status[0]!.version, 2);
    await device.timers.advanceTo(Date.parse("2026-05-04T13:00:00Z"));
    assert.deepEqual(
      device.attempts.map(({ moment }) => moment),
      [Date.parse("2026-05-04T09:00:00Z")],
    );
  });

  test("that people make begin here, and what they delete ends here", async () => {
    const id = "ab".repeat(16);
    await byPerson(id, 0, { name: "mail", sources: ["/m"], schedule: "hourly" });
    assert.equal(file("mail")!.schedule, "hourly");
    await device.timers.advanceTo(Date.parse("2026-05-04T09:30:00Z"));
    assert.equal(device.attempts.length, 1);
    server.drop(id, 1);
    await settled();
    assert.equal(file("mail"), undefined);
    await device.timers.advanceTo(Date.parse("2026-05-04T11:30:00Z"));
    assert.equal(device.attempts.length, 1);
  });

  test("changed on both sides: the server's version runs, the device's is kept", async () => {
    device.stores.addPlan(VAULT, { ...DOCUMENTS, schedule: "hourly" });
    await byPerson(stored().plan, 1, { ...DOCUMENTS, schedule: "every day at 9:00" });
    assert.equal(file()!.schedule, "every day at 9:00");
    assert.match(device.stores.conflicts.join(), /hourly/);
    assert.equal(stored().version, 2);
  });

  test("bring no program from a server unless the device was told to take it", async () => {
    const hooked = { ...DOCUMENTS, hooks: { before: { argv: ["/bin/evil"] } } };
    await byPerson(stored().plan, 1, hooked);
    assert.deepEqual(file()!.hooks, {});
    assert.equal(server.status[0]!.error, "plan_programs_refused");
    assert.equal(told("plan-refused").length, 1);
    await byPerson("cd".repeat(16), 0, { name: "new", command: { argv: ["evil"], filename: "x" } });
    assert.equal(file("new"), undefined);
    assert.deepEqual(
      server.status.map(({ plan, version, error }) => [plan, version, error]),
      [
        [stored().plan, 1, "plan_programs_refused"],
        ["cd".repeat(16), 0, "plan_programs_refused"],
      ],
    );
    device.stores.places.set(VAULT, { vault: "https://sim/home", remotePrograms: "allow" });
    await byPerson(stored().plan, 2, hooked);
    assert.deepEqual(file()!.hooks.before?.argv, ["/bin/evil"]);
    assert.equal(server.status[0]!.error, null);
  });

  test("a body that belongs elsewhere, or an older version, changes nothing", async () => {
    const { plan } = stored();
    await byPerson(plan, 1, { ...DOCUMENTS, schedule: "every day at 9:00" });
    const newest = stored();
    server.plans.set(plan, { ...newest, version: 5 });
    server.cut("server_unreachable");
    await device.timers.advanceTo(device.now + MINUTE);
    assert.equal(server.status[0]!.error, "record_corrupt");
    server.plans.set(plan, { ...newest, version: 1, sealed: await sealedAs(readPlan(DOCUMENTS), plan, 1) });
    server.cut("server_unreachable");
    await device.timers.advanceTo(device.now + MINUTE);
    assert.equal(file()!.schedule, "every day at 9:00");
  });

  test("deleted on the device are deleted at the server, unless people changed them meanwhile", async () => {
    const { plan } = stored();
    device.stores.files.delete(`${VAULT}/documents`);
    server.cut("server_unreachable");
    await device.timers.advanceTo(device.now + MINUTE);
    assert.equal(server.plans.get(plan)!.deleted, true);
    assert.equal(device.stores.memories.has(`${VAULT}/documents`), false);
  });
});
