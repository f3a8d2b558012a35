// A server, an agent and a person, each in a process of its own or behind a socket: what people ask reaches the device over the stream that it
// opened, and what a killed agent left behind is made good by the next.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { planCodec } from "../../src/cli/agent-link.ts";
import { compareTrees } from "../../src/cli/compare-trees.ts";
import { openHome } from "../../src/client/home.ts";
import { socketTransport } from "../../src/client/http/node-transport.ts";
import { systemClock, systemRandom } from "../../src/core/clock.ts";
import type { VaultId } from "../../src/core/ids.ts";
import type { DeviceFile } from "../../src/crypto/device-file.ts";
import { ApiClient } from "../../src/engine/remote/api-client.ts";
import { nobody } from "../../src/engine/remote/credentials.ts";
import { Retrier } from "../../src/engine/remote/retrier.ts";
import { openRunDetails } from "../../src/engine/run-details.ts";
import { PEOPLE_ROUTES } from "../../src/wire/v4/api/people-routes.ts";
import { type Command, PLAN_ROUTES, type StoredPlan } from "../../src/wire/v4/api/plan-routes.ts";
import { RUN_ROUTES } from "../../src/wire/v4/api/run-routes.ts";
import { type PlanInput, readPlan } from "../../src/wire/v4/plan-body.ts";
import { cli, cliResult, newPlace, type Place } from "../cli/run-cli.ts";
import { OWNER, OWNER_PASSWORD } from "../remote/cli-server.ts";
import { ServerProcess } from "../server/server-process.ts";
import { until } from "../until.ts";
import { AgentProcess } from "./agent-process.ts";

const folder = newPlace();
const server = new ServerProcess(folder);
const place: Place = {
  ...folder,
  get vault() {
    return `https://127.0.0.1:${server.said.port}/home`;
  },
};
const agent = new AgentProcess(place);
const source = join(folder.folder, "source");
const fifo = join(folder.folder, "fifo");
let people: ApiClient;
let device: DeviceFile;
let vault: VaultId;

before(async () => {
  const { socket } = await server.start();
  people = new ApiClient({
    transport: socketTransport(socket),
    credentials: nobody,
    retrier: new Retrier({ clock: systemClock, random: systemRandom }),
  });
  await people.call(PEOPLE_ROUTES.setup, { body: { email: OWNER, name: "Olga", password: OWNER_PASSWORD } });
  const passwordFile = join(folder.folder, "password");
  writeFileSync(passwordFile, OWNER_PASSWORD);
  const { fingerprint = "" } = server.said;
  await cliResult(place, "login", [
    ...[server.said.address.replace("localhost", "127.0.0.1"), "--server-pin", fingerprint],
    ...["--email", OWNER, "--password-file", passwordFile],
  ]);
  vault = (await cliResult(place, "init")).vault as VaultId;
  device = await openHome(place.home).requireDevice(vault);
  mkdirSync(join(source, "letters"), { recursive: true });
  for (let n = 0; n < 30; n++) writeFileSync(join(source, "letters", `${n}.txt`), `letter ${n}\n`.repeat(n));
  const schedule = ["--schedule", "every day at 3:00", "--overdue-after", "48"];
  const added = await cli(place, ["plan", "add", "papers", source, ...schedule, "--keep-daily", "7"]);
  // It says where that is decided, in place of taking it in silence.
  assert.match(added.stderr, /do not count at a server.*\/#\/vaults\/[0-9a-f]{32}\/retention/s);
  await cli(place, ["plan", "remove", "papers"]);
  const { retentionBy } = await cliResult(place, "plan add", ["papers", source, ...schedule]);
  assert.equal(retentionBy, "server");
  const rules = ["papers", "--keep-last", "2", "--keep-within-days", "30"];
  const tried = await cliResult(place, "plan keep", [...rules, "--dry-run"]);
  assert.deepEqual([tried.isSet, tried.own], [false, { last: 2, withinDays: 30 }]);
  assert.equal((await cliResult(place, "plan keep", ["papers"])).own, null);
  assert.equal((await cliResult(place, "plan keep", rules)).isSet, true);
  const set = await cli(place, ["plan", "keep", "papers"]);
  assert.match(set.text, /keeps of papers: the last 2, all of the last 30 days\./);
  assert.equal((await cliResult(place, "plan keep", ["papers", "--as-vault"])).own, null);
  await cli(place, ["plan", "keep", "papers", "--all", "--as-vault"], { exit: 2 });
  spawnSync("mkfifo", [fifo]);
  await cli(place, ["plan", "add", "stream", "--from-command", "--stdin-filename", "dump.sql", "--", "cat", fifo]);
  agent.start();
  await agent.until(({ event }) => event === "connected");
});

after(async () => {
  await agent.end("SIGKILL");
  await people?.transport.close();
  await server.end("SIGKILL");
  folder.remove();
});

async function ask(kind: Command["kind"], plan: string | null = null, run: string | null = null): Promise<Command> {
  const params = { vault, device: device.device };
  return people.call(PLAN_ROUTES.command, { params, body: { kind, plan, run: run as never } });
}

async function plans(): Promise<StoredPlan[]> {
  return (await people.call(PLAN_ROUTES.devicePlans, { params: { vault, device: device.device } })).plans;
}

/** The plan at the server, once the device goes by its newest version. */
async function taken(name: string): Promise<StoredPlan> {
  const codec = planCodec(device, systemRandom);
  return until(`${name} is taken`, async () => {
    for (const stored of await plans()) {
      if (stored.deleted || stored.seenVersion !== stored.version) continue;
      if ((await codec.open(stored.sealed, stored.plan, stored.version)).name === name) return stored;
    }
    return undefined;
  }) as Promise<StoredPlan>;
}

async function commandDone(id: string): Promise<Command> {
  return until("the command is done", async () => {
    const { items } = await people.call(PLAN_ROUTES.commands, { params: { vault, device: device.device } });
    const command = items.find((each) => each.id === id)!;
    return command.state === "done" || command.state === "refused" ? command : undefined;
  }) as Promise<Command>;
}

async function change(stored: StoredPlan, plan: PlanInput): Promise<StoredPlan> {
  const codec = planCodec(device, systemRandom);
  const { plan: id, version, token, overdueAfterMs } = stored;
  const sealed = await codec.seal(readPlan(plan), id, version + 1);
  const params = { vault, device: device.device, plan: id };
  const body = { base: version, sealed, token, overdueAfterMs, enabled: true, ping: false };
  return people.call(PLAN_ROUTES.putDevicePlan, { params, body });
}

/** As an editor that is careful: whoever looks meanwhile sees one version or the other. */
function putPlanFile(text: string): void {
  const draft = join(folder.folder, "papers.json");
  writeFileSync(draft, text);
  renameSync(draft, join(place.home, "plans", vault, "papers.json"));
}

const planFile = (name: string): string => readFileSync(join(place.home, "plans", vault, `${name}.json`), "utf8");

test("plans are at the server, sealed, with what it may know of them", async () => {
  const stored = await taken("papers");
  assert.equal(stored.overdueAfterMs, 48 * 3_600_000);
  assert.equal(new Date(stored.nextDueAt!).toISOString().slice(11, 16), "03:00");
  assert.ok(!Buffer.from(stored.sealed).includes("papers") && !Buffer.from(stored.sealed).includes("source"));
});

test("“back up now” reaches the device, is acknowledged, told live, and can be restored", async () => {
  const from = agent.events.length;
  const { plan } = await taken("papers");
  const command = await ask("backup", plan);
  const ended = await agent.until(({ event, plan: name }) => event === "run-ended" && name === "papers", from);
  assert.deepEqual([ended.outcome, ended.trigger, ended.files], ["ok", "asked", 30], agent.errors);
  assert.equal((await commandDone(command.id)).error, null);
  const { items } = await people.call(RUN_ROUTES.runs, { query: { vault: "home" } });
  const run = items.find((each) => each.run === ended.run)!;
  assert.deepEqual([run.state, run.trigger, run.planId, run.snapshot], ["done", "asked", plan, ended.snapshot]);
  const sealed = await people.call(RUN_ROUTES.runDetails, { params: { vault, run: run.run } });
  assert.equal((await openRunDetails(device.writer.metaKey, run, sealed)).plan, "papers");
  const target = join(folder.folder, "back");
  await cliResult(place, "restore", [ended.snapshot!, "--target", target]);
  assert.deepEqual(await compareTrees(source, join(target, source)), []);
});

test("a plan that people change is taken over; one that brings a program is not", async () => {
  let from = agent.events.length;
  const later = { name: "papers", sources: [source], schedule: "every day at 4:00" };
  await change(await taken("papers"), later);
  await agent.until(({ event }) => event === "plan-taken", from);
  assert.match(planFile("papers"), /every day at 4:00/);
  const stored = await taken("papers");
  assert.equal(new Date(stored.nextDueAt!).toISOString().slice(11, 16), "04:00");

  from = agent.events.length;
  const hooked = { ...later, schedule: "every day at 5:00", hooks: { before: { argv: ["/bin/evil"] } } };
  const bad = await change(stored, hooked);
  const refused = await agent.until(({ event }) => event === "plan-refused", from);
  assert.equal(refused.error, "plan_programs_refused");
  assert.ok(!planFile("papers").includes("evil") && !planFile("papers").includes("5:00"));
  await until("the server has heard of it", async () => {
    const now = (await plans()).find(({ plan }) => plan === stored.plan)!;
    assert.equal(now.seenVersion < bad.version, true);
    return now.error === "plan_programs_refused";
  });

  // An edit on the device that was made without knowing of a newer version loses against it, and is kept.
  from = agent.events.length;
  await change({ ...stored, version: bad.version }, { ...later, schedule: "every day at 6:00" });
  await agent.until(({ event }) => event === "plan-taken", from);
  assert.match(planFile("papers"), /6:00/);
});

test("a plan that was changed by hand is put to the server, and a mistake in it is told", async () => {
  const before = await taken("papers");
  await cliResult(place, "plan edit", ["papers", "--schedule", "hourly"]);
  await until("the server has the new version", async () => (await taken("papers")).version > before.version);
  const from = agent.events.length;
  putPlanFile(planFile("papers").replace('"schedule"', '"shedule"'));
  const problem = await agent.until(({ event }) => event === "plan-problem", from);
  assert.match(problem.message!, /no field "shedule".*"schedule"/);
  await cli(place, ["plan", "edit", "papers", "--schedule", "hourly"], { exit: 2 });
  putPlanFile(JSON.stringify({ name: "papers", sources: [source] }));
});

test("a pause and its end are told at once, and a run can be ended from afar", async () => {
  const { plan } = await taken("stream");
  assert.equal((await commandDone((await ask("pause", plan)).id)).state, "done");
  const { plans: paused } = await cliResult(place, "plan list");
  assert.equal(paused.find(({ name }) => name === "stream")!.paused, true);
  await commandDone((await ask("resume", plan)).id);

  const from = agent.events.length;
  const command = await ask("backup", plan);
  // The run has come to its source.
  const pipe = await open(fifo, "w");
  const { run } = await agent.until(({ event, plan: name }) => event === "run-started" && name === "stream", from);
  await ask("cancel", null, run!);
  const ended = await agent.until(({ event, plan: name }) => event === "run-ended" && name === "stream", from);
  await pipe.close();
  assert.equal(ended.outcome, "cancelled");
  assert.equal((await commandDone(command.id)).error, "interrupted");
});

test("an agent that is killed in the middle leaves a run that the next agent makes good, once", async () => {
  const from = agent.events.length;
  const { plan } = await taken("stream");
  await ask("backup", plan);
  const pipe = await open(fifo, "w");
  await pipe.write("half a dump");
  await agent.until(({ event, plan: name }) => event === "run-started" && name === "stream", from);
  assert.equal(await agent.end("SIGKILL"), null);
  await pipe.close();

  const again = agent.events.length;
  agent.start();
  const whole = await open(fifo, "w");
  await whole.write("a whole dump");
  await whole.close();
  const ended = await agent.until(({ event, plan: name }) => event === "run-ended" && name === "stream", again);
  assert.deepEqual([ended.outcome, ended.trigger], ["ok", "retry"], agent.errors);
  const { snapshots } = await cliResult(place, "snapshots");
  const streams = snapshots.filter((each) => each.plan === "stream");
  assert.deepEqual(
    streams.map(({ id }) => id),
    [ended.snapshot],
  );
  assert.equal((await cli(place, ["cat", ended.snapshot!, "/dump.sql"])).text, "a whole dump");
});

test("one agent runs at a time, and it ends where nothing is lost", async () => {
  await cli(place, ["agent", "run"], { exit: 11 });
  assert.equal((await cliResult(place, "agent status")).running, true);
  assert.equal(await agent.end("SIGTERM"), 0);
  assert.equal(agent.errors.includes("canary"), false);
});
