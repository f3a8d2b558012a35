// What every answer says to browsers, whatever it answers: that nothing of it may run, be framed, be guessed at or be kept.

import assert from "node:assert/strict";
import { test } from "node:test";
import { send } from "./device.ts";
import { addOwner, callerAt, machine, placeOf } from "./people-kit.ts";
import { startRig } from "./rig.ts";

const EXPECTED: Readonly<Record<string, RegExp>> = {
  "content-security-policy": /^default-src 'none'; frame-ancestors 'none'$/,
  "x-content-type-options": /^nosniff$/,
  "x-frame-options": /^DENY$/,
  "referrer-policy": /^no-referrer$/,
  "cross-origin-resource-policy": /^same-origin$/,
  "cache-control": /^no-(store|cache)$/,
  "x-request-id": /^[0-9a-f]{24}$/,
};

test("every answer keeps browsers from doing anything with it", async () => {
  await using rig = await startRig({ settings: { listen: { host: "127.0.0.1", port: 0 } } });
  await addOwner(rig);
  const anyone = callerAt(placeOf(rig));
  const answers = [
    await anyone.call("GET", "/health/live"),
    await anyone.call("GET", "/api/openapi.json"),
    await anyone.call("GET", "/api/v4/me"),
    await anyone.call("GET", "/nothing/here"),
    await anyone.call("POST", "/api/v4/setup", "{"),
    await anyone.call("DELETE", "/health/live"),
    await machine(rig).call("GET", "/api/v4/people"),
    await send({ port: rig.server.port!, isTls: true }, "GET", "/health/live", {}),
  ];
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 401, 404, 400, 405, 200, 200],
  );
  for (const { headers, status } of answers) {
    for (const [name, value] of Object.entries(EXPECTED))
      assert.match(String(headers[name]), value, `${name} of ${status}`);
  }
});

test("only answers over TLS ask for TLS from then on", async () => {
  await using rig = await startRig({ settings: { listen: { host: "127.0.0.1", port: 0 } } });
  const plain = await callerAt(placeOf(rig)).call("GET", "/health/live");
  const secure = { port: rig.server.port!, isTls: true };
  const named = await send(secure, "GET", "/health/live", { host: "nas.example" });
  // Browsers keep it for the name, whatever the port: the plain door of the machine's own browser must stay open.
  const own = await send(secure, "GET", "/health/live", { host: `localhost:${rig.server.port}` });
  assert.equal(plain.headers["strict-transport-security"], undefined);
  assert.equal(own.headers["strict-transport-security"], undefined);
  assert.equal(named.headers["strict-transport-security"], "max-age=31536000");
});

test("behind a proxy that does TLS, answers ask for TLS", async () => {
  await using rig = await startRig({ settings: { trustProxy: true } });
  const answer = await callerAt(placeOf(rig), { host: "backup.example" }).call("GET", "/health/live");
  assert.equal(answer.headers["strict-transport-security"], "max-age=31536000");
});
