// `serve --gateway`: one process that serves vaults and takes uploads of version 3 into one of them.

import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { JsonDocument } from "../../src/cli/json-schema.ts";
import { socketTransport } from "../../src/client/http/node-transport.ts";
import { systemClock, systemRandom } from "../../src/core/clock.ts";
import type { V3ClientId } from "../../src/core/ids.ts";
import { ApiClient } from "../../src/engine/remote/api-client.ts";
import { nobody } from "../../src/engine/remote/credentials.ts";
import { Retrier } from "../../src/engine/remote/retrier.ts";
import { runJob } from "../../src/engine/remote/run-job.ts";
import { REPLY, REQUEST } from "../../src/wire/v3/messages.ts";
import { GATEWAY_ROUTES } from "../../src/wire/v4/api/gateway-routes.ts";
import { cli, cliError, cliResult, documentsIn, newPlace, type Place, type Run, start } from "../cli/run-cli.ts";
import { pseudoRandomBytes } from "../pseudo-random.ts";
import { Peer } from "./peer.ts";

type Started = Extract<JsonDocument, { type: "started"; command: "serve" }>;

/** The place's vault, in the data folder of a server that will find it there. */
async function placeWithServedVault(): Promise<{ place: Place; data: string; writerFile: string }> {
  const place = newPlace();
  const { vault: id } = await cliResult(place, "init");
  const writerFile = join(place.folder, "w.txt");
  writeFileSync(writerFile, (await cli(place, ["writer", "export", "--name", "old-clients"])).stdout);
  const data = join(place.folder, "srv");
  mkdirSync(join(data, "vaults"), { recursive: true });
  const vault = join(data, "vaults", id);
  renameSync(place.vault, vault);
  return { place: { ...place, vault }, data, writerFile };
}

function serveArgs(data: string): string[] {
  return ["serve", "--data", data, "--listen", "127.0.0.1:0", "--no-web", "--reserve-mib", "0"];
}

/** Once it has said where it is; `ended` answers all that it said. */
async function serve(place: Place, args: readonly string[]) {
  const child: ChildProcess = start({ ...place, home: join(place.folder, "server-home") }, [...args, "--json"]);
  child.stdin!.end();
  let [text, stderr] = ["", ""];
  child.stderr!.on("data", (slice) => {
    stderr += slice;
  });
  const gone = new Promise<number | null>((resolve) => child.on("close", resolve));
  const said = await new Promise<Started>((resolve, reject) => {
    child.stdout!.on("data", (slice) => {
      text += slice;
      if (text.includes("\n")) resolve(documentsIn(text.split("\n", 1)[0]!, "serve")[0] as Started);
    });
    void gone.then((code) => reject(new Error(`it ended with ${code}: ${text} ${stderr}`)));
  });
  return {
    said,
    async stop(): Promise<Pick<Run, "exit" | "text" | "stderr">> {
      child.kill("SIGTERM");
      return { exit: await gone, text, stderr };
    },
  };
}

test("uploads of version 3 go into a served vault, before and after its index is rebuilt", async () => {
  const { place, data, writerFile } = await placeWithServedVault();
  const server = await serve(place, [...serveArgs(data), "--gateway", "127.0.0.1:0", "--writer-file", writerFile]);
  const files = [pseudoRandomBytes(1, 3_000_000), pseudoRandomBytes(2, 70_000)] as const;
  let ended: Awaited<ReturnType<typeof server.stop>> | undefined;
  try {
    const { gateway, socket, vaults } = server.said;
    assert.ok(gateway);
    assert.equal(gateway.vault, vaults[0]!.id);
    assert.match(gateway.warnings.join("\n"), /Protocol 3 is weak/);
    const peer = await Peer.connect(gateway.port);
    await peer.enter("alice");
    await peer.upload("letter.txt", files[0]);

    const transport = socketTransport(socket);
    const retrier = new Retrier({ clock: systemClock, random: systemRandom });
    const machine = new ApiClient({ transport, credentials: nobody, retrier });
    const job = await runJob(machine, { kind: "rebuild", vault: gateway.vault, dryRun: false });
    assert.equal(job.state, "done");

    await peer.upload("second.txt", files[1]);
    peer.destroy();
    await clientsAreRuledByTheServersPeople(machine, peer.id, gateway.port);
    await transport.close();
  } finally {
    ended = await server.stop();
  }
  try {
    assert.equal(ended.exit, 0, ended.stderr);
    assert.ok(existsSync(join(data, "gateway", "gateway.db")));
    const documents = documentsIn(ended.text, "serve");
    const events = documents.filter((one) => one.type === "event");
    const told = (event: string) => events.filter((one) => "event" in one && one.event === event);
    assert.equal(told("commit").length, 2, ended.text);
    assert.equal(told("session-open").length, 2);
    assert.ok(told("pack").length >= 2);
    for (const one of told("commit")) assert.equal("deviceName" in one && one.deviceName, "old-clients");
    // Names in a backup are for those who can read the vault.
    assert.doesNotMatch(ended.text, /alice/);
    assert.doesNotMatch(ended.text + ended.stderr, /letter|second\.txt/);

    const { snapshots } = await cliResult(place, "snapshots");
    assert.deepEqual(snapshots.map(({ plan }) => plan).sort(), ["alice/letter.txt", "alice/second.txt"]);
    for (const [i, name] of ["letter.txt", "second.txt"].entries()) {
      const { stdout } = await cli(place, ["cat", `latest@alice/${name}`, `/${name}`]);
      assert.deepEqual(new Uint8Array(stdout), files[i]);
    }
    await cli(place, ["verify", "--read-data", "--quiet"]);
  } finally {
    place.remove();
  }
});

/** As an owner does on the page: sees them without their ids, gives them a last day, lets them send a new key, forgets them. */
async function clientsAreRuledByTheServersPeople(people: ApiClient, id: V3ClientId, port: number): Promise<void> {
  const state = async () => (await people.call(GATEWAY_ROUTES.gateway, {})).gateway!;
  const before = await state();
  assert.doesNotMatch(JSON.stringify(before), new RegExp(id));
  const [alice] = before.clients;
  assert.deepEqual(
    before.clients.map(({ name, hasKey, answer, retireAt }) => [name, hasKey, answer, retireAt]),
    [["alice", true, "allowed", null]],
  );
  assert.ok(alice!.lastUploadAt! >= alice!.registeredAt);
  assert.deepEqual([before.stored, before.isLoopback, before.names], [2, true, null]);
  const params = { id: alice!.id };
  const comes = async (): Promise<number | "closed"> => {
    const peer = await Peer.connect(port);
    await peer.name(REQUEST.reconnect, "alice", id);
    const code = await peer.nextCode();
    peer.destroy();
    return code;
  };
  assert.equal(await comes(), REPLY.reconnected);
  await people.call(GATEWAY_ROUTES.retireGatewayClient, { params, body: { retireAt: Date.now() - 1 } });
  assert.equal(await comes(), REPLY.error);
  assert.equal((await state()).clients[0]!.answer, "retired");
  await people.call(GATEWAY_ROUTES.retireGatewayClient, { params, body: { retireAt: null } });
  assert.equal(await comes(), REPLY.reconnected);
  await people.call(GATEWAY_ROUTES.resetGatewayClient, { params });
  assert.equal((await state()).clients[0]!.hasKey, false);
  await people.call(GATEWAY_ROUTES.forgetGatewayClient, { params });
  assert.deepEqual((await state()).clients, []);
  await assert.rejects(people.call(GATEWAY_ROUTES.forgetGatewayClient, { params }), { code: "not_found" });
}

test("a gateway that cannot be keeps the server from starting, with one error", async () => {
  const { place, data, writerFile } = await placeWithServedVault();
  const args = serveArgs(data);
  const stranger = { ...place, home: join(place.folder, "server-home") };
  try {
    const refused = async (more: readonly string[], exit: number): Promise<string> =>
      (await cliError(stranger, [...args, ...more], { exit })).code;
    assert.equal(await refused(["--retire", "alice=2027-01-01"], 2), "usage");
    assert.equal(await refused(["--gateway", "nonsense", "--writer-file", writerFile], 2), "usage");
    const lost = ["--gateway", "127.0.0.1:0", "--gateway-vault", "nowhere", "--writer-file", writerFile];
    assert.equal(await refused(lost, 10), "vault_not_found");
    const { code } = await cliError(stranger, [...args, "--gateway", "127.0.0.1:0"], { exit: 16 });
    assert.equal(code, "not_enrolled");
    const empty = serveArgs(join(place.folder, "other"));
    assert.equal((await cliError(stranger, [...empty, "--gateway", "127.0.0.1:0"], { exit: 2 })).code, "usage");
  } finally {
    place.remove();
  }
});
