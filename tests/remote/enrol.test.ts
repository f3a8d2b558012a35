// From nothing to a machine that backs up, and what the machines around it may do: each with a home of its own.

import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { enrol } from "../../src/client/enrol.ts";
import { openHome } from "../../src/client/home.ts";
import { httpsTransport } from "../../src/client/http/node-transport.ts";
import { systemClock, systemRandom } from "../../src/core/clock.ts";
import { AppError } from "../../src/core/errors.ts";
import { ApiClient } from "../../src/engine/remote/api-client.ts";
import { nobody } from "../../src/engine/remote/credentials.ts";
import { Retrier } from "../../src/engine/remote/retrier.ts";
import { decodeInviteCode, encodeInviteCode } from "../../src/wire/v4/invite-code.ts";
import { cli, cliError, cliResult, newPlace, type Place } from "../cli/run-cli.ts";
import { CliServer, logIn } from "./cli-server.ts";

const first = newPlace();
const server = new CliServer(first.folder);
const data = join(first.folder, "data");
const NOTHING = { CYBERBACKUP_PASSPHRASE: undefined };
let admin: Place;
let identity: string;

before(async () => {
  await server.start();
  await server.addOwner();
  admin = { ...first, vault: `${server.origin}/home` };
  await logIn(admin, server);
  const { recoveryKey } = await cliResult(admin, "init", ["--device-name", "desk"]);
  identity = join(first.folder, "recovery.txt");
  writeFileSync(identity, `${recoveryKey}\n`);
  mkdirSync(data);
  writeFileSync(join(data, "a.txt"), "one\n");
  await cliResult(admin, "backup", [data], { env: NOTHING });
});

after(async () => {
  await server.stop();
  first.remove();
});

const machine = (name: string): Place => ({ ...admin, home: join(first.folder, name) });
const invite = async (...args: string[]): Promise<string> => (await cliResult(admin, "device invite", args)).code;

describe("an enrolment code", () => {
  test("makes a machine that backs up and asks for nothing, once", async () => {
    const code = await invite("--name", "unnamed");
    const laptop = machine("laptop");
    const enrolled = await cliResult(laptop, "enroll", [code, "--name", "Ann's laptop"], { env: NOTHING });
    assert.equal(enrolled.address, admin.vault);
    await cliResult(laptop, "backup", [data], { env: NOTHING });
    await cliError(laptop, ["enroll", code], { exit: 2 });
    const late = await cliError(machine("late"), ["enroll", code], { exit: 16 });
    assert.equal(late.code, "invite_invalid");
    for (const folder of ["devices", "servers"]) {
      for (const file of readdirSync(join(laptop.home, folder))) {
        assert.equal(statSync(join(laptop.home, folder, file)).mode & 0o777, 0o600);
      }
    }
    assert.deepEqual(readdirSync(join(laptop.home, "enrolling")), []);
    const { devices } = await cliResult(admin, "device list");
    assert.deepEqual(devices.map(({ name }) => name).toSorted(), ["Ann's laptop", "desk"]);
  });

  test("is worth nothing with characters changed, at another server, or for a server that is not the one it names", async () => {
    const code = await invite();
    await cliError(machine("x"), ["enroll", `${code.slice(0, -3)}AAA`], { exit: 2 });
    const parts = decodeInviteCode(code);
    const other = encodeInviteCode({ ...parts, pin: new Uint8Array(32).fill(1) });
    assert.equal((await cliError(machine("x"), ["enroll", other], { exit: 14 })).code, "server_untrusted");
    const unpinned = encodeInviteCode({ ...parts, pin: undefined });
    assert.equal((await cliError(machine("x"), ["enroll", unpinned], { exit: 14 })).code, "server_untrusted");
    await cliResult(machine("x"), "enroll", [code]);
  });

  test("is not lost with an answer that is: the same machine asks again", async () => {
    const code = decodeInviteCode(await invite());
    const home = openHome(join(first.folder, "cut-off"));
    const transport = httpsTransport({ origin: server.origin, pin: code.pin });
    const retrier = new Retrier({ clock: systemClock, random: systemRandom });
    const losing = {
      ...transport,
      async send(request: Parameters<typeof transport.send>[0]): ReturnType<typeof transport.send> {
        for await (const _ of (await transport.send(request)).body) void 0;
        throw new AppError("interrupted");
      },
    };
    const api = new ApiClient({ transport: losing, credentials: nobody, retrier });
    await assert.rejects(enrol({ api, home, code, name: "cut off" }), { code: "interrupted" });
    const again = new ApiClient({ transport, credentials: nobody, retrier });
    const { device } = await enrol({ api: again, home, code, name: "cut off" });
    await home.saveDevice(device);
    await transport.close();
    const { devices } = await cliResult(
      machine("cut-off"),
      "device list",
      ["--vault", `${server.origin}/${code.vault}`],
      {
        env: { ...NOTHING, CYBERBACKUP_SERVER_PIN: server.pin },
      },
    );
    assert.equal(devices.filter(({ name }) => name === "cut off").length, 1);
  });
});

describe("a machine that is not enrolled", () => {
  test("reads and restores with an API key and what opens the vault", async () => {
    const reader = machine("reader");
    const env = { ...NOTHING, CYBERBACKUP_API_KEY: apiKey(), CYBERBACKUP_SERVER_PIN: server.pin };
    const target = join(first.folder, "back");
    await cliResult(reader, "restore", ["latest", "--target", target, "--identity-file", identity], { env });
    assert.equal(readFileSync(join(target, data, "a.txt"), "utf8"), "one\n");
    assert.equal((await cliResult(reader, "verify", ["--identity-file", identity], { env })).ok, true);
    assert.equal((await cliError(reader, ["backup", data], { env, exit: 16 })).code, "not_enrolled");
  });

  test("and nothing without one", async () => {
    const env = { ...NOTHING, CYBERBACKUP_SERVER_PIN: server.pin };
    assert.equal((await cliError(machine("nobody"), ["snapshots"], { env, exit: 16 })).code, "not_logged_in");
    const wrong = { ...env, CYBERBACKUP_API_KEY: `cb_${"x".repeat(64)}` };
    assert.equal((await cliError(machine("nobody"), ["snapshots"], { env: wrong, exit: 16 })).code, "login_failed");
  });
});

describe("a device", () => {
  test("adds, and removes nothing: that is for people", async () => {
    const code = await invite();
    const device = machine("device");
    await cliResult(device, "enroll", [code], { env: NOTHING });
    const { snapshot } = await cliResult(device, "backup", [data], { env: NOTHING });
    for (const args of [["forget", snapshot!], ["prune"], ["scrub"], ["pin", snapshot!], ["device", "invite"]]) {
      assert.equal((await cliError(device, args, { env: NOTHING, exit: 16 })).code, "not_logged_in", args.join(" "));
    }
    const { text } = await cli(device, ["verify", "--identity-file", identity], { env: NOTHING });
    assert.match(text, /Everything is whole/);
  });

  test("has the name that people give it, until it is revoked", async () => {
    const code = await invite();
    const device = machine("renamed");
    const { id } = await cliResult(device, "enroll", [code, "--name", "plain"], { env: NOTHING });
    await cliResult(admin, "device rename", [id.slice(0, 10), "In the attic"]);
    const { devices } = await cliResult(admin, "device list");
    assert.ok(devices.some((row) => row.id === id && row.name === "In the attic"));
    await cliResult(admin, "device revoke", [id.slice(0, 10)]);
    assert.equal((await cliError(device, ["backup", data], { env: NOTHING, exit: 16 })).code, "device_revoked");
    await cliResult(device, "enroll", [await invite()], { env: NOTHING });
    await cliResult(device, "backup", [data], { env: NOTHING });
  });
});

test("the server's own commands answer by its socket and by account", async () => {
  const local = ["--data", server.data];
  assert.equal((await cliResult(admin, "server status", local)).vaults, 1);
  const { vaults } = await cliResult(admin, "server vaults");
  assert.deepEqual(
    vaults.map(({ name, snapshots }) => [name, snapshots! > 2]),
    [["home", true]],
  );
  const { devices } = await cliResult(admin, "server devices", local);
  assert.ok(devices.some(({ name, lastSnapshot }) => name === "desk" && lastSnapshot));
  const run = await cliResult(admin, "server run", ["check", ...local]);
  assert.deepEqual([run.state, (run.result.problems as unknown[]).length], ["done", 0]);
  // The one vault that there is is not the one that was named.
  const other = await cliError(admin, ["server", "run", "check", "--vault", "other", ...local], { exit: 1 });
  assert.equal(other.code, "not_found");
  await cliResult(admin, "server run", ["database-backup", ...local]);
  const { jobs } = await cliResult(admin, "server jobs");
  assert.deepEqual(
    jobs.slice(0, 2).map(({ kind, state }) => [kind, state]),
    [
      ["database-backup", "done"],
      ["check", "done"],
    ],
  );
});

test("logging out ends the key on the server too", async () => {
  const key = apiKey();
  assert.equal((await cliResult(admin, "logout")).wasLoggedIn, true);
  assert.equal((await cliResult(admin, "logout")).wasLoggedIn, false);
  assert.equal((await cliError(admin, ["device", "invite"], { exit: 16 })).code, "not_logged_in");
  const env = { CYBERBACKUP_API_KEY: key, CYBERBACKUP_SERVER_PIN: server.pin };
  assert.equal((await cliError(machine("thief"), ["snapshots"], { env, exit: 16 })).code, "login_failed");
});

function apiKey(): string {
  const [file] = readdirSync(join(admin.home, "servers"));
  return (JSON.parse(readFileSync(join(admin.home, "servers", file!), "utf8")) as { login: { key: string } }).login.key;
}
