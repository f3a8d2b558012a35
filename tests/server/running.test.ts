// Requests that run while something happens: their device is revoked, the server stops, their sender goes away or goes to sleep.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { request as tlsRequest } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { isAppError } from "../../src/core/errors.ts";
import { vaultAdmin } from "../../src/vault/admin.ts";
import type { LocalVault } from "../../src/vault/local-vault.ts";
import { openVault } from "../../src/vault/open-vault.ts";
import { DEVICE_ROUTES } from "../../src/wire/v4/api/device-routes.ts";
import { MEDIA } from "../../src/wire/v4/api/media.ts";
import { pathOf } from "../../src/wire/v4/api/route.ts";
import { VAULT_ROUTES } from "../../src/wire/v4/api/vault-routes.ts";
import { closeOf } from "../sockets.ts";
import { until } from "../until.ts";
import { makePack, makeRecord, randomBlock, signed, type World } from "../vault/kit.ts";
import { call, doorsOf, logIn, makeVault, openSession, problemIn, type ServedWorld, toWire } from "./device.ts";
import { type Rig, startRig } from "./rig.ts";

const LISTEN = { settings: { listen: { host: "127.0.0.1", port: 0 } } };
const refused = (code: string) => (error: unknown) => isAppError(error) && error.code === code;

/** A device with a pack of which half is sent; the rest is held back. */
async function halfUpload(rig: Rig, world: ServedWorld) {
  const token = await logIn(world, world.device);
  const session = await openSession(world, token);
  const blocks = Array.from({ length: 8 }, () => randomBlock(world.random, 3, 40_000));
  const pack = await makePack(world as unknown as World, session, blocks);
  const path = pathOf(DEVICE_ROUTES.putPack, { vault: world.name, session, n: 0 });
  const headers = { authorization: `Bearer ${token}`, "content-type": MEDIA.pack, "content-length": pack.length };
  const options = {
    host: "127.0.0.1",
    port: rig.server.port!,
    method: "PUT",
    path,
    headers,
    rejectUnauthorized: false,
  };
  const sent = tlsRequest({ ...options, agent: false });
  // Whoever answers before it has read everything may close after it.
  sent.on("error", () => undefined);
  const half = pack.length >>> 1;
  sent.write(pack.subarray(0, half));
  const answer = answerOf(sent);
  await whileRunning(rig, 1);
  return { token, session, pack, sent, half, answer };
}

async function answerOf(sent: ClientRequest): Promise<{ status: number; body: Buffer }> {
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const slices: Buffer[] = [];
  for await (const slice of response) slices.push(slice as Buffer);
  return { status: response.statusCode!, body: Buffer.concat(slices) };
}

/** Resolves when so many requests run. */
async function whileRunning({ server }: Rig, count: number): Promise<void> {
  await until(`${count} requests run`, () => server.kit.running.size === count);
}

function unfinished(rig: Rig, world: ServedWorld): string[] {
  return readdirSync(join(rig.data, "vaults", world.vaultId, "tmp"));
}

test("a device that is revoked is cut off, a running upload included, and nothing of it stays", async () => {
  await using rig = await startRig(LISTEN);
  const world = await makeVault(rig);
  const { token, answer } = await halfUpload(rig, world);
  const revoke = await signed(world.vaultId, world.device, {
    type: "device-revoke",
    body: { device: world.device.device },
  });
  await call(doorsOf(rig).local, VAULT_ROUTES.statement, {
    params: { vault: world.name },
    body: { statement: toWire(revoke), keyslotFile: null },
  });
  const { status, body } = await answer;
  assert.equal(status, 403);
  assert.ok(refused("device_revoked")(problemIn({ body })));
  await assert.rejects(
    call(world.at, DEVICE_ROUTES.head, { params: { vault: world.name }, token }),
    refused("token_expired"),
  );
  await assert.rejects(logIn(world, world.device), refused("device_revoked"));
  await whileRunning(rig, 0);
  assert.deepEqual(unfinished(rig, world), []);
});

test("a revocation that another process wrote counts as well", async () => {
  await using rig = await startRig(LISTEN);
  const world = await makeVault(rig);
  const { answer } = await halfUpload(rig, world);
  const other = await openVault(join(rig.data, "vaults", world.vaultId));
  await vaultAdmin(other).apply(
    await signed(world.vaultId, world.device, { type: "device-revoke", body: { device: world.device.device } }),
  );
  await other.close();
  assert.ok(refused("device_revoked")(problemIn(await answer)));
});

test("a stopping server lets an upload end, refuses new ones, and keeps what was stored", async () => {
  await using rig = await startRig(LISTEN);
  const world = await makeVault(rig);
  const { token, session, pack, sent, half, answer } = await halfUpload(rig, world);
  const waiting = connect(rig.server.port!, "127.0.0.1");
  const isLetGo = closeOf(waiting);
  await once(waiting, "connect");
  const stopped = rig.server.stop();
  await assert.rejects(call(world.at, DEVICE_ROUTES.head, { params: { vault: world.name }, token }), /ECONNREFUSED/);
  sent.end(pack.subarray(half));
  const { status } = await answer;
  assert.equal(status, 200);
  await stopped;
  await isLetGo;

  await using next = await startRig({ ...LISTEN, data: rig.data });
  const again = { ...world, at: doorsOf(next).tls };
  const fresh = await logIn(again, world.device);
  const params = { vault: world.name, session };
  const receipt = await call(again.at, DEVICE_ROUTES.putPack, {
    params: { ...params, n: 0 },
    token: fresh,
    body: pack,
  });
  const head = { head: () => next.server.kit.vaults.byNameOrId(world.name)!.vault.head() } as LocalVault;
  const record = await makeRecord(world as unknown as World, head, session, receipt.blockNos);
  assert.equal(
    (await call(again.at, DEVICE_ROUTES.commit, { params, token: fresh, body: record.bytes })).id,
    record.id,
  );
  assert.equal((await next.server.kit.vaults.byNameOrId(world.name)!.admin.stats()).packs, 1);
});

test("an upload that does not end in time is cut off, and sent again to the next server", async () => {
  await using rig = await startRig({ ...LISTEN, stopMs: 20 });
  const world = await makeVault(rig);
  const { session, pack, answer } = await halfUpload(rig, world);
  const stopped = rig.server.stop();
  const { status, body } = await answer;
  assert.equal(status, 503);
  assert.ok(refused("server_stopping")(problemIn({ body })));
  await stopped;
  await using next = await startRig({ ...LISTEN, data: rig.data });
  assert.deepEqual(unfinished(rig, world), []);
  const again = { ...world, at: doorsOf(next).tls };
  const params = { vault: world.name, session, n: 0 };
  const token = await logIn(again, world.device);
  assert.equal((await call(again.at, DEVICE_ROUTES.putPack, { params, token, body: pack })).blockNos.length, 8);
});

test("an upload whose sender goes away leaves nothing", async () => {
  await using rig = await startRig(LISTEN);
  const world = await makeVault(rig);
  const { token, session, pack, sent, answer } = await halfUpload(rig, world);
  sent.destroy();
  await assert.rejects(answer);
  await whileRunning(rig, 0);
  assert.deepEqual(unfinished(rig, world), []);
  const params = { vault: world.name, session, n: 0 };
  await call(world.at, DEVICE_ROUTES.putPack, { params, token, body: pack });
});

test("a device has eight uploads at a time, and is told to wait for more", async () => {
  await using rig = await startRig(LISTEN);
  const world = await makeVault(rig);
  const first = await halfUpload(rig, world);
  const path = (n: number) => pathOf(DEVICE_ROUTES.putPack, { vault: world.name, session: first.session, n });
  const headers = {
    authorization: `Bearer ${first.token}`,
    "content-type": MEDIA.pack,
    "transfer-encoding": "chunked",
  };
  const more = Array.from({ length: 7 }, (_, i) => {
    const sent = tlsRequest({
      host: "127.0.0.1",
      port: rig.server.port!,
      method: "PUT",
      path: path(i + 1),
      headers,
      rejectUnauthorized: false,
      agent: false,
    });
    sent.on("error", () => undefined);
    sent.write(first.pack.subarray(0, 10));
    return sent;
  });
  await whileRunning(rig, 8);
  const params = { vault: world.name, session: first.session, n: 8 };
  await assert.rejects(
    call(world.at, DEVICE_ROUTES.putPack, { params, token: first.token, body: first.pack }),
    refused("too_many_requests"),
  );
  for (const sent of [...more, first.sent]) sent.destroy();
  await assert.rejects(first.answer);
  await whileRunning(rig, 0);
});

test("headers beyond their limit, and bytes that are no HTTP, end the connection and nothing else", async () => {
  await using rig = await startRig();
  const port = rig.server.httpPort!;
  for (const bytes of [
    `GET / HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(40_000)}\r\n\r\n`,
    "\x16\x03\x01 not http\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
  ]) {
    const socket = connect(port, "127.0.0.1");
    const slices: Buffer[] = [];
    socket.on("data", (slice: Buffer) => slices.push(slice));
    socket.write(bytes);
    await closeOf(socket);
    assert.match(Buffer.concat(slices).toString(), /^HTTP\/1\.1 4\d\d|^$/);
  }
  const sent = request({ host: "127.0.0.1", port, path: "/api/v4/nothing", agent: false }).end();
  assert.equal((await answerOf(sent)).status, 404);
});
