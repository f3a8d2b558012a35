// `serve` as a process: it says where it is, answers, and stops when it is asked to.

import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { request } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import type { JsonDocument } from "../../src/cli/json-schema.ts";
import { cliError, documentsIn, ended, newPlace, start } from "./run-cli.ts";

type Started = Extract<JsonDocument, { type: "started"; command: "serve" }>;

/** The first line of a server's output. */
async function started(child: ChildProcess): Promise<Started> {
  let text = "";
  for await (const slice of child.stdout!.iterator({ destroyOnReturn: false })) {
    text += slice;
    if (text.includes("\n")) break;
  }
  return documentsIn(text.split("\n", 1)[0]!, "serve")[0] as Started;
}

test("serve tells where it is, answers on its socket, and ends well at SIGTERM", async () => {
  const place = newPlace();
  const data = join(place.folder, "srv");
  const args = ["serve", "--data", data, "--listen", "127.0.0.1:0", "--no-web", "--json"];
  const child = start(place, args);
  try {
    const said = await started(child);
    assert.match(said.fingerprint!, /^[0-9a-f]{64}$/);
    assert.match(said.setup!, /^https:\/\/127\.0\.0\.1:\d+\/#/);
    const status = await new Promise<number>((resolve, reject) => {
      const options = { socketPath: said.socket, path: "/health/ready" };
      request(options, (response) => resolve(response.statusCode!))
        .on("error", reject)
        .end();
    });
    assert.equal(status, 200);
    const second = await cliError(place, args.slice(0, -1), { exit: 11 });
    assert.match(second.message, new RegExp(`process ${child.pid} `));
  } finally {
    child.kill("SIGTERM");
  }
  const run = await ended(child);
  assert.equal(run.exit, 0, run.stderr);
  assert.match(run.text, /"stopped":true/);
  place.remove();
});

test("serve refuses plain HTTP to the world", async () => {
  const place = newPlace();
  const args = ["serve", "--data", join(place.folder, "srv"), "--listen-http", "0.0.0.0:0"];
  assert.equal((await cliError(place, args, { exit: 2 })).code, "config_invalid");
  place.remove();
});
