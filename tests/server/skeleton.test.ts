// What every route gets from the server around it: its caller judged, its body checked and bounded, its answer encoded, its errors told.

import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { test } from "node:test";
import { z } from "zod";
import { isAppError } from "../../src/core/errors.ts";
import { startServer } from "../../src/server/app.ts";
import { mount } from "../../src/server/http/call.ts";
import type { PartModule } from "../../src/server/kit.ts";
import { MEDIA } from "../../src/wire/v4/api/media.ts";
import { errorOfProblem } from "../../src/wire/v4/api/problem.ts";
import { routes } from "../../src/wire/v4/api/route.ts";
import { ask, type Rig, startRig, testSettings } from "./rig.ts";

const TABLE = routes({
  echo: {
    method: "POST",
    path: "/api/v4/echo/{n}",
    who: ["anyone"],
    summary: "Says it again.",
    query: z.strictObject({ times: z.coerce.number().int().min(1).default(1) }),
    body: { kind: "json", schema: z.strictObject({ text: z.string().max(100) }), maxBytes: 200 },
    answer: { kind: "json", schema: z.strictObject({ said: z.string() }) },
  },
  owned: {
    method: "GET",
    path: "/api/v4/owned",
    who: ["owner"],
    summary: "For owners.",
    answer: { kind: "json", schema: z.strictObject({ ok: z.boolean() }) },
  },
  broken: { method: "GET", path: "/api/v4/broken", who: ["anyone"], summary: "Fails.", answer: { kind: "empty" } },
});

const ECHO: PartModule = {
  make: () => ({
    routes: mount(TABLE, {
      echo: ({ params, query, body }) => ({ said: `${params.n} ${body.text.repeat(query.times)}` }),
      owned: () => ({ ok: true }),
      broken: () => {
        throw new Error("a path like /secret/place");
      },
    }),
  }),
};

const portOf = (rig: Rig) => ({ port: rig.server.httpPort! });
const JSON_HEADERS = { "content-type": MEDIA.json };

test("a route is decoded, handled and encoded", async () => {
  await using rig = await startRig({ parts: [ECHO] });
  const reply = await ask(portOf(rig), "/api/v4/echo/7?times=2", {
    method: "POST",
    headers: JSON_HEADERS,
    body: '{"text":"hi"}',
  });
  assert.equal(reply.status, 200);
  assert.equal(reply.headers["content-type"], MEDIA.json);
  assert.match(String(reply.headers["x-request-id"]), /^[0-9a-f]{24}$/);
  assert.deepEqual(JSON.parse(reply.body.toString()), { said: "7 hihi" });
});

const refusals: readonly [
  what: string,
  path: string,
  options: Parameters<typeof ask>[2],
  status: number,
  code: string,
][] = [
  ["an unknown address", "/api/v4/nothing", {}, 404, "not_found"],
  ["another method", "/api/v4/echo/7", {}, 405, "request_invalid"],
  ["a path that does not decode", "/api/v4/echo/%ff", { method: "POST" }, 404, "not_found"],
  [
    "a parameter of the wrong shape",
    "/api/v4/echo/07",
    { method: "POST", headers: JSON_HEADERS, body: "{}" },
    400,
    "request_invalid",
  ],
  [
    "a query of the wrong shape",
    "/api/v4/echo/7?times=0",
    { method: "POST", headers: JSON_HEADERS, body: "{}" },
    400,
    "request_invalid",
  ],
  [
    "a parameter given twice",
    "/api/v4/echo/7?times=1&times=2",
    { method: "POST", headers: JSON_HEADERS, body: "{}" },
    400,
    "request_invalid",
  ],
  [
    "a body that is no JSON",
    "/api/v4/echo/7",
    { method: "POST", headers: JSON_HEADERS, body: "{" },
    400,
    "request_invalid",
  ],
  [
    "a field too many",
    "/api/v4/echo/7",
    { method: "POST", headers: JSON_HEADERS, body: '{"text":"","x":1}' },
    400,
    "request_invalid",
  ],
  [
    "a body over its limit",
    "/api/v4/echo/7",
    { method: "POST", headers: JSON_HEADERS, body: "x".repeat(201) },
    413,
    "limit",
  ],
  [
    "a body over its limit without a length",
    "/api/v4/echo/7",
    { method: "POST", headers: { ...JSON_HEADERS, "transfer-encoding": "chunked" }, body: "x".repeat(201) },
    413,
    "limit",
  ],
  [
    "a body of another type",
    "/api/v4/echo/7",
    { method: "POST", headers: { "content-type": "application/vnd.cyberbackup.v9" }, body: "{}" },
    415,
    "media_unknown",
  ],
  [
    "a caller who reads other types",
    "/api/v4/owned",
    { headers: { accept: "application/vnd.cyberbackup.v9" } },
    406,
    "media_unknown",
  ],
  ["nobody where an owner is asked for", "/api/v4/owned", {}, 401, "login_failed"],
  ["a handler that fails", "/api/v4/broken", {}, 500, "internal"],
];

for (const [what, path, options, status, code] of refusals) {
  test(`${what} gets ${status} and ${code}`, async () => {
    await using rig = await startRig({ parts: [ECHO] });
    const reply = await ask(portOf(rig), path, options);
    assert.equal(reply.status, status, reply.body.toString());
    assert.equal(reply.headers["content-type"], MEDIA.problem);
    const problem = JSON.parse(reply.body.toString());
    assert.equal(problem.status, status);
    assert.equal(errorOfProblem(problem)?.code, code);
    assert.doesNotMatch(reply.body.toString(), /secret/);
  });
}

test("this machine's socket is an owner's, and only its owner can open it", async () => {
  await using rig = await startRig({ parts: [ECHO] });
  const { socketPath } = rig.server;
  assert.equal((await ask({ socketPath }, "/api/v4/owned")).status, 200);
  assert.equal(statSync(socketPath).mode & 0o777, 0o600);
  assert.equal(statSync(rig.data).mode & 0o777, 0o700);
});

test("a second server in the same folder is told who holds it, and the first goes on", async () => {
  await using rig = await startRig({ parts: [ECHO] });
  await assert.rejects(startServer({ settings: testSettings(rig.data) }), (error) => {
    return isAppError(error, "vault_busy") && error.message.includes(String(process.pid));
  });
  assert.equal((await ask({ socketPath: rig.server.socketPath }, "/api/v4/owned")).status, 200);
});

test("a server that has stopped leaves its folder to the next one", async () => {
  const rig = await startRig({ parts: [ECHO] });
  await rig.server.stop();
  assert.equal(existsSync(rig.server.socketPath), false);
  const next = await startServer({ settings: testSettings(rig.data), parts: [ECHO] });
  assert.equal(
    (
      await ask({ port: next.httpPort! }, "/api/v4/echo/1", {
        method: "POST",
        headers: JSON_HEADERS,
        body: '{"text":"x"}',
      })
    ).status,
    200,
  );
  await next.stop();
  await rig[Symbol.asyncDispose]();
});
