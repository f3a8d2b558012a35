// Runs of the real command line, told to a real server: how they went, what could not be read (sealed), and that people can end one from afar.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { openHome } from "../../src/client/home.ts";
import { silentLogger } from "../../src/core/log.ts";
import { rawFromText, rawToBytes } from "../../src/core/raw-path.ts";
import { openRunDetails } from "../../src/engine/run-details.ts";
import type { ServerEvent } from "../../src/server/kit.ts";
import { OVERVIEW_ROUTES } from "../../src/wire/v4/api/overview-routes.ts";
import { RUN_ROUTES, type Run } from "../../src/wire/v4/api/run-routes.ts";
import { cli, cliResult, ended, newPlace, type Place, start } from "../cli/run-cli.ts";
import { CliServer, logIn } from "./cli-server.ts";

const folder = newPlace();
const listeners = new Set<(event: ServerEvent) => void>();
const server = new CliServer(folder.folder, {
  onEvent: (event) => {
    for (const listener of listeners) listener(event);
  },
});
const place: Place = {
  ...folder,
  get vault() {
    return `${server.origin}/home`;
  },
};
const source = join(folder.folder, "source");

before(async () => {
  await server.start();
  await server.addOwner();
  await logIn(place, server);
  await cliResult(place, "init");
  mkdirSync(source);
  for (let n = 0; n < 20; n++) writeFileSync(join(source, `file ${n}`), `content ${n}`);
});
after(async () => {
  await server.stop();
  folder.remove();
});

const api = server.machine.bind(server);

async function runs(): Promise<Run[]> {
  const client = api();
  const { items } = await client.call(RUN_ROUTES.runs, { query: { vault: "home" } });
  await client.transport.close();
  return items;
}

function when(isIt: (event: ServerEvent) => boolean): Promise<ServerEvent> {
  return new Promise((resolve) => {
    const listener = (event: ServerEvent): void => {
      if (!isIt(event)) return;
      listeners.delete(listener);
      resolve(event);
    };
    listeners.add(listener);
  });
}

describe("a backup to a server", () => {
  test("is told with its counts and sums, and with names for whoever holds the keys", async () => {
    const missing = join(folder.folder, "not there");
    const { snapshot } = await cliResult(place, "backup", [source, missing, "--plan", "papers"], { exit: 3 });
    const [run] = await runs();
    assert.deepEqual(
      [run!.state, run!.trigger, run!.counts.files, run!.counts.newFiles, run!.counts.problems, run!.snapshot],
      ["done", "manual", 20, 20, 1, snapshot],
    );
    assert.ok(run!.isReported && run!.bytes.read > 0 && run!.bytes.sent >= run!.bytes.added && run!.bytes.added > 0);
    const client = api();
    const params = { vault: "home", run: run!.run };
    const sealed = await client.call(RUN_ROUTES.runDetails, { params });
    assert.ok(!Buffer.from(sealed).includes("not there"));
    const { writer } = await openHome(place.home, silentLogger).requireDevice(run!.vault);
    const details = await openRunDetails(writer.metaKey, run!, sealed);
    assert.equal(details.plan, "papers");
    assert.deepEqual(details.problems, [{ path: rawToBytes(rawFromText(missing)), code: "ENOENT" }]);
    const { items } = await client.call(OVERVIEW_ROUTES.deviceStates, { query: {} });
    assert.equal(items[0]!.about?.os, process.platform);
    assert.equal(items[0]!.protectedBytes, run!.bytes.done);
    await client.transport.close();
  });

  test("is told when it could not even begin", async () => {
    const gone = join(folder.folder, "gone");
    await cli(place, ["backup", gone], { exit: 1 });
    const [run] = await runs();
    assert.deepEqual([run!.state, run!.error, run!.snapshot], ["failed", "source_missing", null]);
  });

  test("ends when somebody cancels it at the server", async () => {
    const isTold = when((event) => event.type === "run" && event.run.isReported && event.run.state === "running");
    const child = start(place, ["backup", "--stdin", "--stdin-filename", "endless"]);
    child.stdin!.write("begun");
    const done = ended(child);
    const told = (await isTold) as ServerEvent & { type: "run" };
    const client = api();
    const params = { vault: "home", run: told.run.run };
    await client.call(RUN_ROUTES.wantOfRun, { params, body: { wanted: "cancel" } });
    await client.transport.close();
    const { exit, stderr } = await done;
    assert.equal(exit, 130, stderr);
    assert.match(stderr, /cancelled this run at the server/);
    const [run] = await runs();
    assert.deepEqual([run!.state, run!.snapshot], ["cancelled", null]);
  });

  test("says when everything that is stored was read by somebody with the keys", async () => {
    await cliResult(place, "verify", ["--read-data"]);
    const client = api();
    const { vaults } = await client.call(OVERVIEW_ROUTES.overview, {});
    await client.transport.close();
    assert.ok((vaults[0]!.lastVerifyAt ?? 0) > 0);
  });
});
