// Plans and commands over the API: versions that nobody overwrites unseen, bodies that nobody reads, and commands that reach a device once they are
// asked, again after its connection was lost, and not after their time.

import assert from "node:assert/strict";
import { request as tlsRequest } from "node:https";
import { after, before, beforeEach, describe, test } from "node:test";
import { isAppError } from "../../src/core/errors.ts";
import type { DeviceId } from "../../src/core/ids.ts";
import type { ServerEvent } from "../../src/server/kit.ts";
import { OVERVIEW_ROUTES } from "../../src/wire/v4/api/overview-routes.ts";
import { PLAN_LIMITS, PLAN_ROUTES, type PlanChange } from "../../src/wire/v4/api/plan-routes.ts";
import { pathOf } from "../../src/wire/v4/api/route.ts";
import { RUN_ROUTES } from "../../src/wire/v4/api/run-routes.ts";
import { VAULT_ROUTES } from "../../src/wire/v4/api/vault-routes.ts";
import { until } from "../until.ts";
import { deviceAdd, newDevice, PLAN, signed, type TestClock, testClock } from "../vault/kit.ts";
import { type At, call, doorsOf, logIn, makeVault, newSessionId, type ServedWorld, toWire } from "./device.ts";
import { type Rig, startRig } from "./rig.ts";

const HOUR = 3_600_000;

let rig: Rig;
let world: ServedWorld;
let local: At;
let clock: TestClock;
let token: string;
const events: ServerEvent[] = [];

before(async () => {
  clock = testClock(Date.now());
  const settings = { listen: { host: "127.0.0.1", port: 0 } };
  rig = await startRig({ settings, clock, onEvent: (event) => void events.push(event) });
  world = await makeVault(rig);
  local = doorsOf(rig).local;
});
after(() => rig[Symbol.asyncDispose]());
beforeEach(async () => {
  token = await logIn(world, world.device);
});

const refused = (code: string) => (error: unknown) => isAppError(error) && error.code === code;
const device = () => world.device.device as DeviceId;
const params = (more: object = {}) => ({ vault: world.name, ...more });
const newPlanId = () => newSessionId(world.random) as string;
const change = (base: number, body = "a plan"): PlanChange => ({
  base,
  sealed: new TextEncoder().encode(body),
  token: PLAN,
  enabled: true,
  overdueAfterMs: HOUR,
  ping: false,
});
const put = (plan: string, body: PlanChange) =>
  call(world.at, PLAN_ROUTES.putOwnPlan, { params: params({ plan }), token, body });
const putAsPerson = (plan: string, body: PlanChange) =>
  call(local, PLAN_ROUTES.putDevicePlan, { params: params({ device: device(), plan }), body });
const own = async () => (await call(world.at, PLAN_ROUTES.ownPlans, { params: params(), token })).plans;

describe("a plan", () => {
  test("is changed by whoever knows its version, on the device or by a person, and by nobody else", async () => {
    const plan = newPlanId();
    assert.equal((await put(plan, change(0))).version, 1);
    // The same again, because its answer was lost, is the same.
    assert.equal((await put(plan, change(0))).version, 1);
    await assert.rejects(put(plan, change(0, "another")), refused("plan_conflict"));
    const edited = await putAsPerson(plan, change(1, "edited"));
    assert.deepEqual([edited.version, edited.changedBy, edited.seenVersion], [2, "person", 0]);
    await assert.rejects(put(plan, change(1, "late")), refused("plan_conflict"));
    await assert.rejects(putAsPerson(plan, change(1, "late")), refused("plan_conflict"));
    const [found] = (await own()).filter((one) => one.plan === plan);
    assert.equal(new TextDecoder().decode(found!.sealed), "edited");
    const told = events.filter((event) => event.type === "plan" && event.plan === plan);
    assert.equal(told.length, 2);
  });

  test("tells people when it is due and what the device goes by", async () => {
    const plan = newPlanId();
    await put(plan, change(0));
    const nextDueAt = clock.now() + HOUR;
    const status = { plan, version: 1, nextDueAt, pausedUntil: null, error: null };
    // A version that never was is not believed.
    const lie = { ...status, version: 9, nextDueAt: 1 };
    for (const plans of [[status], [lie]]) {
      await call(world.at, PLAN_ROUTES.planStatus, { params: params(), token, body: { plans } });
    }
    const { plans } = await call(local, PLAN_ROUTES.devicePlans, { params: params({ device: device() }) });
    const found = plans.find((one) => one.plan === plan)!;
    assert.deepEqual([found.seenVersion, found.nextDueAt], [1, nextDueAt]);
    const { items } = await call(local, OVERVIEW_ROUTES.deviceStates, { query: {} });
    assert.equal(items[0]!.nextDueAt, nextDueAt);
  });

  test("that was deleted is remembered as such, so that nobody brings it back unseen", async () => {
    const plan = newPlanId();
    await put(plan, change(0));
    const dropping = { params: params({ device: device(), plan }), query: { base: 1 } };
    const gone = await call(local, PLAN_ROUTES.dropDevicePlan, dropping);
    assert.deepEqual([gone.deleted, gone.version, gone.sealed.length], [true, 2, 0]);
    assert.equal((await call(local, PLAN_ROUTES.dropDevicePlan, dropping)).version, 2);
    await assert.rejects(put(plan, change(0)), refused("plan_conflict"));
    await assert.rejects(put(plan, change(1)), refused("plan_conflict"));
    assert.ok((await own()).some((one) => one.plan === plan && one.deleted));
    assert.equal((await put(plan, change(2))).deleted, false);
    const never = call(world.at, PLAN_ROUTES.dropOwnPlan, {
      params: params({ plan: newPlanId() }),
      token,
      query: { base: 1 },
    });
    await assert.rejects(never, refused("not_found"));
  });

  test("is one of so many, and of a device that is there", async () => {
    for (let n = (await own()).length; n < PLAN_LIMITS.plansPerDevice; n++) await put(newPlanId(), change(0));
    await assert.rejects(put(newPlanId(), change(0)), refused("limit"));
    const stranger = { params: params({ device: "0".repeat(32), plan: newPlanId() }), body: change(0) };
    await assert.rejects(call(local, PLAN_ROUTES.putDevicePlan, stranger), refused("not_found"));
  });
});

type Heard = { readonly id: string | undefined; readonly event: string; readonly data: Record<string, unknown> };

/** An agent's connection: what it has heard, and how to wait for more. */
function listen(as = token) {
  const heard: Heard[] = [];
  let wake = (): void => undefined;
  let isOver = false;
  const { port } = world.at as { port: number };
  const path = pathOf(PLAN_ROUTES.deviceEvents, { vault: world.name });
  const headers = { authorization: `Bearer ${as}`, accept: "text/event-stream" };
  const sent = tlsRequest({ host: "127.0.0.1", port, path, headers, rejectUnauthorized: false, agent: false });
  const end = (): void => {
    isOver = true;
    wake();
  };
  sent.on("error", end);
  sent.on("response", (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (slice: string) => {
      text += slice;
      for (let at = text.indexOf("\n\n"); at >= 0; at = text.indexOf("\n\n")) {
        const fields = new Map(
          text
            .slice(0, at)
            .split("\n")
            .map((line) => line.split(/: (.*)/s) as [string, string]),
        );
        text = text.slice(at + 2);
        const event = fields.get("event");
        if (event !== undefined) heard.push({ id: fields.get("id"), event, data: JSON.parse(fields.get("data")!) });
      }
      wake();
    });
    response.on("error", end).on("close", end);
  });
  sent.end();
  const until = async (isThere: () => boolean): Promise<void> => {
    while (!isThere()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const commands = () => heard.filter(({ event }) => event === "command").map(({ data }) => data);
  return {
    heard,
    commands,
    begun: () => until(() => heard.some(({ event }) => event === "plans")),
    got: (count: number) => until(() => commands().length >= count),
    over: () => until(() => isOver),
    until,
    end: () => sent.destroy(),
  };
}

const ask = (body: { kind: "backup" | "cancel" | "pause" | "resume"; run?: never; plan?: string }) =>
  call(local, PLAN_ROUTES.command, {
    params: params({ device: device() }),
    body: { plan: null, run: null, untilMs: null, ...body },
  });
const outcome = (id: string, said: "taken" | "done" | "refused", error: string | null = null) =>
  call(world.at, PLAN_ROUTES.commandOutcome, { params: params({ id }), token, body: { outcome: said, error } });
const stateOf = async (id: string) =>
  (await call(local, PLAN_ROUTES.commands, { params: params({ device: device() }) })).items.find(
    (one) => one.id === id,
  )!.state;
const isConnected = async () => (await call(local, OVERVIEW_ROUTES.deviceStates, { query: {} })).items[0]!.isConnected;
const presence = () =>
  events.flatMap(({ type }) => (type === "device-connected" || type === "device-disconnected" ? [type] : []));

describe("commands", () => {
  test("reach a device that listens, and one that listens later", async () => {
    const early = await ask({ kind: "backup" });
    assert.equal(early.state, "waiting");
    const agent = listen();
    await agent.got(1);
    assert.equal(agent.heard[0]!.event, "hello");
    assert.equal(await stateOf(early.id), "delivered");
    const later = await ask({ kind: "pause", plan: newPlanId() });
    await agent.got(2);
    assert.deepEqual(
      agent.commands().map(({ id }) => id),
      [early.id, later.id],
    );
    await outcome(early.id, "taken");
    await outcome(early.id, "done");
    await outcome(later.id, "refused", "plan_invalid");
    assert.deepEqual([await stateOf(early.id), await stateOf(later.id)], ["done", "refused"]);
    agent.end();
  });

  test("that were not acknowledged come again on the next connection, and the others do not", async () => {
    const first = listen();
    const [one, two] = [await ask({ kind: "backup" }), await ask({ kind: "resume" })];
    assert.equal((await ask({ kind: "backup" })).id, one.id);
    await first.got(2);
    await outcome(one.id, "taken");
    first.end();
    const second = listen();
    await second.got(1);
    assert.deepEqual(
      second.commands().map(({ id }) => id),
      [two.id],
    );
    await outcome(two.id, "done");
    second.end();
  });

  test("end after their time, and are not delivered then", async () => {
    const { id } = await ask({ kind: "resume" });
    clock.advance(2 * HOUR);
    token = await logIn(world, world.device);
    const agent = listen();
    await agent.begun();
    const { id: next } = await ask({ kind: "pause" });
    await agent.got(1);
    assert.deepEqual(
      agent.commands().map((command) => command.id),
      [next],
    );
    assert.notEqual(await stateOf(id), "delivered");
    agent.end();
  });

  test("of another device cannot be acknowledged", async () => {
    const { id } = await ask({ kind: "backup", plan: newPlanId() });
    const other = await newDevice();
    const statement = toWire(await signed(world.vaultId, world.device, deviceAdd(other, "second")));
    await call(local, VAULT_ROUTES.statement, { params: params(), body: { statement, keyslotFile: null } });
    const theirs = await logIn(world, other);
    const wrong = call(world.at, PLAN_ROUTES.commandOutcome, {
      params: params({ id }),
      token: theirs,
      body: { outcome: "done", error: null },
    });
    await assert.rejects(wrong, refused("not_found"));
    assert.equal(await stateOf(id), "waiting");
  });

  test("to cancel a run reach it with its next report, whether or not an agent listens", async () => {
    const run = newSessionId(world.random);
    const report = {
      ...({
        n: 1,
        kind: "backup",
        state: "running",
        phase: "scanning",
        plan: PLAN,
        planId: null,
        trigger: "manual",
      } as const),
      ...{ startedAt: 1, elapsedMs: 1, expected: null, snapshot: null, error: null, details: null },
      counts: {
        ...{ files: 1, directories: 1, others: 0, newFiles: 1, changedFiles: 0, unchangedFiles: 0, problems: 0 },
        changedWhileRead: 0,
      },
      bytes: { done: 1, read: 1, new: 1, added: 1 },
    } as const;
    const tell = (n: number, state: "running" | "cancelled" = "running") =>
      call(world.at, RUN_ROUTES.reportRun, { params: params({ run }), token, body: { ...report, n, state } });
    assert.equal((await tell(1)).wanted, "run");
    const { id } = await ask({ kind: "cancel", run: run as never });
    assert.equal((await tell(2)).wanted, "cancel");
    await tell(3, "cancelled");
    assert.equal(await stateOf(id), "done");
  });
});

describe("a device's stream", () => {
  test("shows that it is connected, gives way to a newer one, and hears of changed plans", async () => {
    assert.equal(await isConnected(), false);
    events.length = 0;
    const first = listen();
    await first.begun();
    assert.equal(await isConnected(), true);
    const second = listen();
    await Promise.all([second.begun(), first.over()]);
    assert.equal(await isConnected(), true);
    assert.deepEqual(presence(), ["device-connected"]);
    const plans = () => second.heard.filter(({ event }) => event === "plans").length;
    const [known] = (await own()).filter(({ deleted }) => !deleted);
    await putAsPerson(known!.plan, change(known!.version, "new words"));
    await second.until(() => plans() === 2);
    second.end();
    await until("it is told to be gone", () => presence().length >= 2);
    assert.deepEqual(presence(), ["device-connected", "device-disconnected"]);
  });

  test("is cut at once when the device is revoked", async () => {
    const lost = await newDevice();
    const apply = async (statement: Parameters<typeof signed>[2]) => {
      const body = { statement: toWire(await signed(world.vaultId, world.device, statement)), keyslotFile: null };
      await call(local, VAULT_ROUTES.statement, { params: params(), body });
    };
    await apply(deviceAdd(lost, "lost laptop"));
    const stream = listen(await logIn(world, lost));
    await stream.begun();
    await apply({ type: "device-revoke", body: { device: lost.device } });
    await stream.over();
    const gone = { params: params({ device: lost.device }), body: { kind: "backup" } as never };
    await assert.rejects(call(local, PLAN_ROUTES.command, gone), refused("device_revoked"));
  });
});
