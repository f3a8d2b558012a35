// Notifications end to end: alerts become messages at real receivers (HTTP, SMTP with TLS), for whom they are meant, when they are due,
// once; what fails is tried again, also by a server that has been started anew; nothing secret is read back or written in the clear.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import type { DeviceId, SessionId, VaultId } from "../../src/core/ids.ts";
import { silentLogger } from "../../src/core/log.ts";
import { DEVICE_API } from "../../src/server/device-api/part.ts";
import type { PartModule, ServerEvent } from "../../src/server/kit.ts";
import { makeNotifyPart, NOTIFY_PART, type NotifyPart } from "../../src/server/notify/part.ts";
import { post } from "../../src/server/notify/post.ts";
import { PEOPLE_PART } from "../../src/server/people/people-part.ts";
import { makeAuthority, makeLeaf } from "../../src/server/tls/certificates.ts";
import type { ChannelAnswer } from "../../src/wire/v4/api/notify-routes.ts";
import type { Alert } from "../../src/wire/v4/api/overview-routes.ts";
import type { Run } from "../../src/wire/v4/api/run-routes.ts";
import { type TestClock, testClock } from "../vault/kit.ts";
import { makeVault, type ServedWorld } from "./device.ts";
import { addOwner, addPerson, bodyOf, type Caller, login, machine, OWNER, refused, withKey } from "./people-kit.ts";
import { HttpReceiver, MailReceiver } from "./receivers.ts";
import { type Rig, startRig } from "./rig.ts";

const CHANNELS = "/api/v4/notification-channels";
const SECRET_PATH = "/hooks/kanarienvogel-token";
const HOUR_MS = 3_600_000;

const folder = mkdtempSync(join(tmpdir(), "cb-notify-"));
let receiver: HttpReceiver;
let mails: MailReceiver;
const caFile = join(folder, "ca.pem");

before(async () => {
  const authority = await makeAuthority(Date.now());
  const { cert, key } = await makeLeaf(authority, ["127.0.0.1"], Date.now());
  writeFileSync(caFile, authority.cert);
  mails = await MailReceiver.start({ cert, key, authMethods: ["PLAIN"] });
});
after(async () => {
  await mails[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

type World = {
  readonly rig: Rig;
  readonly part: NotifyPart;
  readonly clock: TestClock;
  readonly home: ServedWorld;
  readonly owner: Caller;
  readonly said: string[];
  readonly events: ServerEvent[];
};

/** Without the parts that raise alerts and run jobs: what is told here is told by the test. */
async function startWorld(data?: string, start: number = Date.now()): Promise<World> {
  const clock = testClock(start);
  const said: string[] = [];
  const write = (message: string, fields?: object) => void said.push(`${message} ${JSON.stringify(fields)}`);
  let part: NotifyPart | undefined;
  const watched: PartModule = {
    ...NOTIFY_PART,
    async make(kit) {
      part = await makeNotifyPart(kit);
      return part;
    },
  };
  const events: ServerEvent[] = [];
  const rig = await startRig({
    parts: [PEOPLE_PART, DEVICE_API, watched],
    ...{ clock, logger: { ...silentLogger, warn: write, error: write, info: write } },
    onEvent: (event) => events.push(event),
    settings: {
      listen: { host: "127.0.0.1", port: 0 },
      publicUrl: "https://backup.example.org",
      mail: {
        ...{ url: `smtp://robot@127.0.0.1:${mails.port}`, password: "open sesame", caFile },
        from: "CyberBackup <backup@example.org>",
      },
    },
    ...(data === undefined ? {} : { data }),
  });
  const isNew = data === undefined || rig.server.kit.vaults.list().length === 0;
  const home = isNew ? await makeVault(rig, "home", 1) : (undefined as unknown as ServedWorld);
  if (isNew) await addOwner(rig);
  const owner = withKey(rig, await login(rig, OWNER));
  return { rig, part: part!, clock, home, owner, said, events };
}

let world: World;
let count = 0;

function alert(change: Partial<Alert> = {}): Alert {
  return {
    ...{ id: String(++count), kind: "run-failed", severity: "danger", action: "look-at-run" },
    ...{ vault: world.home.vaultId, device: world.home.device.device, plan: null, run: null, job: null },
    ...{ since: world.clock.now(), clearedAt: null, values: { error: "disk_full" } },
    ...change,
  };
}

const raise = (raised: Alert): void => tell("alert-raised", raised);
const clear = (cleared: Alert): void => tell("alert-cleared", { ...cleared, clearedAt: world.clock.now() });

function tell(type: "alert-raised" | "alert-cleared", told: Alert): void {
  world.rig.server.kit.emit({ type, vault: told.vault ?? undefined, alert: told });
}

async function addChannel(
  wish: object,
  as: Caller = world.owner,
): Promise<{ channel: ChannelAnswer; secret: string | null }> {
  return bodyOf(await as.call("POST", CHANNELS, { name: "mine", ...wish }), 201);
}

describe("notifications", { timeout: 120_000 }, () => {
  before(async () => {
    receiver = await HttpReceiver.start();
    world = await startWorld();
  });
  after(async () => {
    await world.rig[Symbol.asyncDispose]();
    await receiver[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    await world.part.sender.run();
    world.rig.server.kit.database.exec(
      "DELETE FROM notify_channel; DELETE FROM notify_ping; DELETE FROM person WHERE email <> 'olga@example.org'",
    );
    for (const kept of [receiver.got, receiver.answers, mails.mails, world.events, world.said]) kept.length = 0;
  });

  test("a webhook gets what happened, signed, once, and what is over later", async () => {
    const { secret, channel } = await addChannel({ kind: "webhook", url: receiver.origin + SECRET_PATH });
    assert.match(secret!, /^[\w-]{43}$/);
    assert.equal(channel.target, new URL(receiver.origin).host);
    const failed = alert();
    raise(failed);
    raise(failed);
    await receiver.until(1);
    await world.part.sender.run();
    clear(failed);
    await receiver.until(2);
    await world.part.sender.run();
    assert.equal(receiver.got.length, 2);
    const [first, second] = receiver.got;
    assert.deepEqual([first!.method, first!.path], ["POST", SECRET_PATH]);
    const [, seconds, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(first!.headers["x-cyberbackup-signature"]))!;
    assert.equal(mac, createHmac("sha256", secret!).update(`${seconds}.${first!.body}`).digest("hex"));
    const body = JSON.parse(first!.body);
    assert.equal(body.id, first!.headers["x-cyberbackup-delivery"]);
    const { notices, ...rest } = body;
    assert.deepEqual(rest, { type: "cyberbackup.notices", version: 1, id: body.id, sentAt: world.clock.now() });
    assert.equal(notices.length, 1);
    assert.deepEqual(
      [notices[0].event, notices[0].kind, notices[0].vaultName, notices[0].deviceName, notices[0].server],
      ["raised", "run-failed", "home", "first", "https://backup.example.org"],
    );
    assert.equal(JSON.parse(second!.body).notices[0].event, "cleared");
    assert.deepEqual(
      world.events.filter(({ type }) => type === "notification"),
      [
        { type: "notification", kind: "webhook", outcome: "sent" },
        { type: "notification", kind: "webhook", outcome: "sent" },
      ],
    );
  });

  test("ntfy, Slack and Discord get it in their own form", async () => {
    await addChannel({ kind: "ntfy", url: `${receiver.origin}/base/backups`, token: "tk_secret" });
    await addChannel({ kind: "slack", url: `${receiver.origin}/slack` });
    await addChannel({ kind: "discord", url: `${receiver.origin}/discord` });
    raise(alert({ kind: "many-changed", values: { changedFiles: 900 } }));
    await receiver.until(3);
    await world.part.sender.run();
    const at = (path: string) => receiver.got.find((got) => got.path === path)!;
    const ntfy = at("/base/");
    assert.equal(ntfy.headers.authorization, "Bearer tk_secret");
    const { topic, title, message, priority } = JSON.parse(ntfy.body);
    assert.deepEqual([topic, title, priority], ["backups", "first found unusually many changed files", 5]);
    assert.match(message, /ransomware[\s\S]*Device: first\nVault: home[\s\S]*changedFiles: 900/);
    assert.match(JSON.parse(at("/slack").body).text, /^\*first found/);
    const discord = JSON.parse(at("/discord").body);
    assert.match(discord.content, /^\*\*first found/);
    assert.deepEqual(discord.allowed_mentions, { parse: [] });
  });

  test("e-mail goes to one's own address, encrypted, by the user of the mail server", async () => {
    await addPerson(world.rig, "vera@example.org", { role: "viewer" });
    const vera = withKey(world.rig, await login(world.rig, "vera@example.org"));
    const { channel } = await addChannel({ kind: "email" }, vera);
    assert.equal(channel.target, "vera@example.org");
    bodyOf(await vera.call("POST", `${CHANNELS}/${channel.id}/test`), 204);
    raise(alert());
    while (mails.mails.length < 2) await world.part.sender.run();
    const [test, mail] = mails.mails;
    assert.match(test!.text, /^Subject: CyberBackup: This is a test/m);
    assert.deepEqual(
      { ...mail, text: "" },
      { user: "robot", from: "backup@example.org", to: ["vera@example.org"], isEncrypted: true, text: "" },
    );
    assert.match(mail!.text, /^Subject: CyberBackup: first had a backup that failed/m);
    assert.match(mail!.text, /^Importance: high/m);
    assert.match(mail!.text, /error: disk_full/);
    assert.ok(!/^(Received|X-Mailer):/m.test(mail!.text));
  });

  test("nobody is told of what they may not see, or did not ask for", async () => {
    const { rig, home } = world;
    await addPerson(rig, "stranger@example.org", { grants: [] });
    const other = "ab".repeat(16) as VaultId;
    await addChannel({ kind: "webhook", url: `${receiver.origin}/all` });
    await addChannel({ kind: "webhook", url: `${receiver.origin}/danger`, severity: "danger" });
    await addChannel({ kind: "webhook", url: `${receiver.origin}/other`, vaults: [other] });
    await addChannel({ kind: "webhook", url: `${receiver.origin}/off`, isEnabled: false });
    const gone = await addPerson(rig, "gone@example.org", { role: "owner" });
    const key = withKey(rig, await login(rig, "gone@example.org"));
    await addChannel({ kind: "webhook", url: `${receiver.origin}/demoted` }, key);
    bodyOf(await machine(rig).call("PATCH", `/api/v4/people/${gone.id}`, { role: null }));
    raise(alert({ severity: "warning", kind: "job-failed", device: null }));
    await receiver.until(1);
    raise(alert());
    await receiver.until(3);
    await world.part.sender.run();
    assert.deepEqual(receiver.got.map(({ path }) => path).sort(), ["/all", "/all", "/danger"]);
    assert.ok(home.vaultId !== other);
  });

  test("a digest collects warnings until the hour; danger does not wait; what is over by then is not told", async () => {
    await addChannel({ kind: "webhook", url: receiver.origin, digest: "hourly" });
    const [first, second, third] = ["warning", "warning", "warning"].map(() =>
      alert({ severity: "warning", kind: "job-failed" }),
    );
    raise(first!);
    raise(second!);
    raise(third!);
    clear(second!);
    await world.part.sender.run();
    assert.equal(receiver.got.length, 0);
    raise(alert());
    await receiver.until(1);
    await world.part.sender.run();
    world.clock.advance(HOUR_MS);
    await world.part.sender.run();
    assert.equal(receiver.got.length, 2);
    const told = JSON.parse(receiver.got[1]!.body).notices.map((notice: { alert: string }) => notice.alert);
    assert.deepEqual(told, [first!.id, third!.id]);
  });

  test("one that grows worse is told again", async () => {
    await addChannel({ kind: "webhook", url: receiver.origin });
    const disk = alert({ severity: "warning", kind: "disk-nearly-full", vault: null, device: null });
    raise(disk);
    await receiver.until(1);
    await world.part.sender.run();
    raise({ ...disk, severity: "danger" });
    await receiver.until(2);
    assert.match(receiver.got[1]!.body, /"severity":"danger"/);
  });

  test("what fails is tried again later each time, as the other side asks, and once it is sent no more", async () => {
    const { channel } = await addChannel({ kind: "webhook", url: receiver.origin });
    const refusing = (status: number, headers = {}) =>
      receiver.answers.push((_, response) => void response.writeHead(status, headers).end());
    refusing(503);
    refusing(429, { "retry-after": "600" });
    raise(alert());
    await receiver.until(1);
    await world.part.sender.run();
    world.clock.advance(59_000);
    await world.part.sender.run();
    assert.equal(receiver.got.length, 1, "it was tried again too early");
    world.clock.advance(1000);
    await world.part.sender.run();
    assert.equal(receiver.got.length, 2);
    world.clock.advance(599_000);
    await world.part.sender.run();
    assert.equal(receiver.got.length, 2, "the other side asked for ten minutes");
    world.clock.advance(1000);
    await world.part.sender.run();
    assert.equal(receiver.got.length, 3);
    assert.equal(new Set(receiver.got.map(({ headers }) => headers["x-cyberbackup-delivery"])).size, 1);
    world.clock.advance(86_400_000);
    await world.part.sender.run();
    assert.equal(receiver.got.length, 3);
    const { channels } = bodyOf<{ channels: ChannelAnswer[] }>(await world.owner.call("GET", CHANNELS));
    assert.deepEqual([channels[0]!.id, channels[0]!.lastError, channels[0]!.waiting], [channel.id, null, 0]);
  });

  test("what is refused for good is given up, and a channel's trouble is shown without its address", async () => {
    const url = receiver.origin + SECRET_PATH;
    await addChannel({ kind: "webhook", url });
    receiver.answers.push((_, response) => void response.writeHead(410).end("kanarienvogel"));
    raise(alert());
    await receiver.until(1);
    await world.part.sender.run();
    world.clock.advance(HOUR_MS);
    await world.part.sender.run();
    assert.equal(receiver.got.length, 1);
    const shown = bodyOf<{ channels: ChannelAnswer[] }>(await world.owner.call("GET", CHANNELS));
    assert.equal(shown.channels[0]!.lastError, "it answered with status 410");
    const { deliveries } = bodyOf<{ deliveries: { state: string; attempts: number }[] }>(
      await world.owner.call("GET", "/api/v4/notification-deliveries"),
    );
    assert.deepEqual(
      deliveries.map(({ state, attempts }) => [state, attempts]),
      [["given-up", 1]],
    );
    // Neither what is answered, nor the log, nor the database tells the address or the secret.
    const files = readdirSync(world.rig.data).filter((name) => name.startsWith("server.db"));
    const stored = files.map((name) => readFileSync(join(world.rig.data, name), "latin1")).join("");
    for (const text of [JSON.stringify([shown, deliveries]), world.said.join("\n"), stored]) {
      assert.ok(!text.includes("kanarienvogel"), "an address is told");
    }
    assert.ok(world.said.some((line) => line.startsWith("a notification could not be sent")));
  });

  test("a server that starts anew sends what waited, and nothing twice", async () => {
    const data = mkdtempSync(join(folder, "again-"));
    const before = world;
    world = await startWorld(data);
    const { home } = world;
    await addChannel({ kind: "webhook", url: receiver.origin });
    raise(alert());
    await receiver.until(1);
    await world.part.sender.run();
    receiver.answers.push((_, response) => void response.writeHead(500).end());
    raise(alert());
    await receiver.until(2);
    await world.part.sender.run();
    await world.rig.server.stop();
    const later = world.clock.now() + HOUR_MS;
    world = { ...(await startWorld(data, later)), home };
    await receiver.until(3);
    await world.part.sender.run();
    assert.equal(receiver.got.length, 3);
    const ids = receiver.got.map(({ headers }) => headers["x-cyberbackup-delivery"]);
    assert.deepEqual([ids[1] === ids[2], ids[0] === ids[1]], [true, false]);
    await world.rig[Symbol.asyncDispose]();
    world = before;
  });

  test("only owners set addresses; channels of others are not there for anybody", async () => {
    const { rig, owner } = world;
    await addPerson(rig, "vera@example.org", { role: "operator" });
    const vera = withKey(rig, await login(rig, "vera@example.org"));
    const wish = { kind: "webhook", name: "x", url: receiver.origin };
    refused(await vera.call("POST", CHANNELS, wish), 403, "forbidden");
    refused(
      await vera.call("POST", CHANNELS, { kind: "email", name: "x", url: receiver.origin }),
      400,
      "request_invalid",
    );
    const { channel } = await addChannel(wish);
    for (const [method, path, body] of [
      ["PATCH", "", { name: "y" }],
      ["DELETE", "", undefined],
      ["POST", "/test", undefined],
    ] as const) {
      refused(await vera.call(method, `${CHANNELS}/${channel.id}${path}`, body), 404, "not_found");
    }
    const own = (await addChannel({ kind: "email" }, vera)).channel;
    refused(await vera.call("PATCH", `${CHANNELS}/${own.id}`, { url: receiver.origin }), 403, "forbidden");
    refused(await owner.call("DELETE", `${CHANNELS}/${own.id}`), 404, "not_found");
    for (const url of ["ftp://x/", "http://user:pw@x/", "file:///etc/passwd", "http://"]) {
      refused(await owner.call("POST", CHANNELS, { ...wish, url }), 400, "request_invalid");
    }
    refused(await owner.call("POST", CHANNELS, { ...wish, timeZone: "Moon/Base" }), 400, "request_invalid");
    refused(await owner.call("POST", CHANNELS, { ...wish, kind: "ntfy" }), 400, "request_invalid");
    receiver.answers.push((_, response) => void response.writeHead(404).end());
    refused(await owner.call("POST", `${CHANNELS}/${channel.id}/test`), 502, "notification_failed");
    bodyOf(await owner.call("DELETE", `${CHANNELS}/${channel.id}`), 204);
    assert.equal(bodyOf<{ channels: unknown[] }>(await owner.call("GET", CHANNELS)).channels.length, 0);
  });

  test("a dead man's ping says start, success and fail, for the plan that it is for", async () => {
    const { owner, home, rig } = world;
    const plan = "cd".repeat(16);
    const path = "/api/v4/vaults/home/pings";
    const made = bodyOf<{ id: string; target: string }>(
      await owner.call("POST", path, { url: `${receiver.origin}/ping/uuid`, plan }),
      201,
    );
    assert.equal(made.target, new URL(receiver.origin).host);
    const run = (id: string, state: Run["state"], planId: string | null): void => {
      const told = {
        run: id as SessionId,
        vault: home.vaultId,
        device: home.device.device as DeviceId,
        kind: "backup",
      };
      rig.server.kit.emit({ type: "run", vault: home.vaultId, run: { ...told, state, planId } as Run });
    };
    run("01".repeat(16), "running", plan);
    run("01".repeat(16), "running", plan);
    run("02".repeat(16), "running", "ef".repeat(16));
    await receiver.until(1);
    run("01".repeat(16), "done", plan);
    await receiver.until(2);
    run("03".repeat(16), "failed", plan);
    await receiver.until(3);
    await world.part.sender.run();
    assert.deepEqual(
      receiver.got.map(({ method, path: called }) => `${method} ${called}`),
      ["GET /ping/uuid/start", "GET /ping/uuid", "GET /ping/uuid/fail"],
    );
    bodyOf(await owner.call("POST", `${path}/${made.id}/test`), 204);
    bodyOf(await owner.call("DELETE", `${path}/${made.id}`), 204);
    refused(await owner.call("DELETE", `${path}/${made.id}`), 404, "not_found");
  });
});

describe("what a server calls", () => {
  test("follows no redirect, reads little, waits for nobody, and never calls what clouds keep for machines", async () => {
    await using target = await HttpReceiver.start();
    target.answers.push((_, response) => void response.writeHead(302, { location: `${target.origin}/inner` }).end());
    const moved = await post({ url: target.origin });
    assert.deepEqual([moved.isSent, !moved.isSent && moved.isFinal, target.got.length], [false, true, 1]);

    target.answers.push((_, response) => void response.writeHead(200).flushHeaders());
    assert.deepEqual(await post({ url: target.origin }), { isSent: true }, "the body of an answer is not waited for");
    target.answers.push(() => undefined);
    const slow = await post({ url: target.origin, timeoutMs: 20 });
    assert.deepEqual(slow, { isSent: false, isFinal: false, why: "it did not answer in time" });

    for (const host of [
      "169.254.169.254",
      "[::ffff:169.254.169.254]",
      "0.0.0.0",
      "[fe80::1]",
      "[fd00:ec2::254]",
      "[::]",
    ]) {
      const refusal = await post({ url: `http://${host}/latest/meta-data` });
      assert.deepEqual(refusal, { isSent: false, isFinal: true, why: "its address is one that is never called" }, host);
    }
    assert.deepEqual(await post({ url: "no address" }), { isSent: false, isFinal: true, why: "its address is none" });
  });
});
