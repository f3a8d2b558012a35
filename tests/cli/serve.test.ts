// `serve` as a process: it says where it is, answers, and stops when it is asked to.

import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import type { JsonDocument } from "../../src/cli/json-schema.ts";
import { firstLine } from "../child.ts";
import { ask } from "../server/rig.ts";
import { until } from "../until.ts";
import { cliError, documentsIn, ended, newPlace, start } from "./run-cli.ts";

type Started = Extract<JsonDocument, { type: "started"; command: "serve" }>;

/** The first line of a server's output. */
async function started(child: ChildProcess): Promise<Started> {
  return documentsIn(await firstLine(child), "serve")[0] as Started;
}

test("serve tells where it is, answers on its socket, and ends well at SIGTERM", async () => {
  const place = newPlace();
  const data = join(place.folder, "srv");
  const args = ["serve", "--data", data, "--listen", "127.0.0.1:0", "--no-web", "--json"];
  // A reserve that no disk has.
  const child = start(place, args, { env: { CYBERBACKUP_RESERVE_MIB: "1000000000" } });
  const end = ended(child);
  try {
    const said = await started(child);
    assert.match(said.fingerprint!, /^[0-9a-f]{64}$/);
    assert.match(said.setup!, /^https:\/\/127\.0\.0\.1:\d+\/#/);
    const at = { socketPath: said.socket };
    const { status, body } = await ask(at, "/health/ready");
    const { troubles } = JSON.parse(body.toString());
    assert.deepEqual([status, troubles.length, troubles[0].code], [200, 1, "server_full"]);
    await until("the alert is raised", async () => {
      const { alerts } = JSON.parse((await ask(at, "/api/v4/overview")).body.toString());
      return alerts.length > 0;
    });
    const second = await cliError(place, args.slice(0, -1), { exit: 11 });
    assert.match(second.message, new RegExp(`process ${child.pid} `));
  } finally {
    child.kill("SIGTERM");
  }
  const run = await end;
  assert.equal(run.exit, 0, run.stderr);
  assert.match(run.text, /"stopped":true/);
  const alert = documentsIn(run.text, "serve").find((line) => line.type === "event" && line.event === "alert-raised");
  assert.deepEqual(alert?.type === "event" && alert.detail, "disk-nearly-full");
  place.remove();
});

test("serve refuses plain HTTP to the world", async () => {
  const place = newPlace();
  const args = ["serve", "--data", join(place.folder, "srv"), "--listen-http", "0.0.0.0:0"];
  assert.equal((await cliError(place, args, { exit: 2 })).code, "config_invalid");
  place.remove();
});
