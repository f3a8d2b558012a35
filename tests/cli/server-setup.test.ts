// `server setup` against a real server: by its socket, and from afar by the link that it printed.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeVault } from "../server/device.ts";
import { bodyOf, callerAt, placeOf } from "../server/people-kit.ts";
import { startRig } from "../server/rig.ts";
import { cli, cliError, cliResult, newPlace } from "./run-cli.ts";

const PASSWORD = "a password of some length";
const env = { CYBERBACKUP_ACCOUNT_PASSWORD: PASSWORD };

test("on the server's machine its socket is enough, once", async () => {
  await using rig = await startRig();
  const place = newPlace();
  const args = ["--data", rig.data, "--email", "Olga@Example.org"];
  const made = await cliResult(place, "server setup", args, { env });
  assert.deepEqual([made.email, made.role], ["olga@example.org", "owner"]);
  assert.equal((await cliError(place, ["server", "setup", ...args], { env, exit: 16 })).code, "setup_invalid");
  const login = { email: "olga@example.org", password: PASSWORD, name: "pc" };
  bodyOf(await callerAt(placeOf(rig)).call("POST", "/api/v4/login/person", login), 201);
  place.remove();
});

test("from afar the link and the fingerprint are", async () => {
  await using rig = await startRig({ settings: { listen: { host: "127.0.0.1", port: 0 } } });
  const place = newPlace();
  const file = join(place.folder, "password");
  writeFileSync(file, `${PASSWORD}\n`);
  const link = `https://127.0.0.1:${rig.server.port}${rig.server.setupPath()}`;
  const { pin } = rig.server.kit.identity();
  const args = ["server", "setup", "--email", "o@example.org", "--password-file", file, "--link", link];
  await cliError(place, [...args, "--fingerprint", "0".repeat(64)], { exit: 14 });
  await cliError(place, [...args, "--fingerprint", "zz"], { exit: 2 });
  await cliError(place, [...args.slice(0, -1), `https://127.0.0.1:${rig.server.port}/`], { exit: 2 });
  const { text } = await cli(place, [...args, "--fingerprint", pin!]);
  assert.match(text, /o@example\.org can sign in now, as owner/);
  place.remove();
});

test("a password that is too short is told before anything is made", async () => {
  await using rig = await startRig();
  const place = newPlace();
  const args = ["server", "setup", "--data", rig.data, "--email", "o@example.org"];
  const failure = await cliError(place, args, { env: { CYBERBACKUP_ACCOUNT_PASSWORD: "short" }, exit: 2 });
  assert.equal(failure.code, "password_unfit");
  assert.equal(rig.server.setupPath() !== undefined, true);
  place.remove();
});

test("without a terminal a password is asked for by its own name, and a server that does not run is told at once", async () => {
  const place = newPlace();
  const local = ["--data", join(place.folder, "none")];
  for (const args of [["status"], ["vaults"], ["setup", "--email", "o@example.org"]]) {
    const { code, hint } = await cliError(place, ["server", ...args, ...local], { exit: 10 });
    assert.equal(code, "server_not_running");
    assert.match(hint, /cyberbackup up/);
  }
  await using rig = await startRig({ settings: { listen: { host: "127.0.0.1", port: 0 } } });
  const missing = await cliError(place, ["server", "setup", "--data", rig.data, "--email", "o@example.org"], {
    exit: 2,
  });
  assert.equal(missing.code, "password_missing");
  const origin = `https://127.0.0.1:${rig.server.port}`;
  const unknown = await cliError(place, ["login", origin, "--email", "o@example.org"], { exit: 14 });
  assert.equal(unknown.code, "server_unknown");
  const pin = rig.server.kit.identity().pin!;
  assert.ok(unknown.message.includes(pin));
  const asked = await cliError(place, ["login", origin, "--email", "o@example.org", "--server-pin", pin], { exit: 2 });
  assert.equal(asked.code, "password_missing");
  place.remove();
});

test("a server that has nothing yet says what comes first, and jobs say in words what they did", async () => {
  await using rig = await startRig();
  const place = newPlace();
  const local = ["--data", rig.data];
  assert.match((await cli(place, ["server", "vaults", ...local])).text, /No vaults yet; `cyberbackup init/);
  assert.match((await cli(place, ["server", "devices", ...local])).text, /No devices yet; `cyberbackup device invite/);
  const none = await cliError(place, ["server", "run", "gc", ...local], { exit: 2 });
  assert.match(none.message, /no vault yet/);
  await makeVault(rig);
  const { text } = await cli(place, ["server", "run", "gc", "--dry-run", ...local]);
  assert.match(text, /^kept packs: 0\nfreed: 0 B\n/m);
  assert.match(text, /Nothing was changed: this was a dry run\./);
  await makeVault(rig, "second", 2);
  const several = await cliError(place, ["server", "run", "gc", ...local], { exit: 2 });
  assert.match(several.message, /several vaults: say which with --name \(home, second\)/);
  place.remove();
});
