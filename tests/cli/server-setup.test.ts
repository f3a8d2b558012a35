// `server setup` against a real server: by its socket, and from afar by the link that it printed.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
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
