// A backup to a real server over TLS, through a wire that is cut, falls silent, is slow, or leads nowhere for a while: the run ends well,
// what it stored is there once, and every byte comes back. Where the wire breaks is counted in bytes; waits end with events.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { httpsTransport } from "../../src/client/http/node-transport.ts";
import { type Sleep, systemClock, systemRandom } from "../../src/core/clock.ts";
import type { VaultId } from "../../src/core/ids.ts";
import { openReader } from "../../src/engine/reader/reader.ts";
import { ApiClient } from "../../src/engine/remote/api-client.ts";
import { deviceCredentials } from "../../src/engine/remote/credentials.ts";
import { openRemoteVault, type RemoteVault } from "../../src/engine/remote/remote-vault.ts";
import { Retrier } from "../../src/engine/remote/retrier.ts";
import type { ServerEvent } from "../../src/server/kit.ts";
import { VAULT_ROUTES } from "../../src/wire/v4/api/vault-routes.ts";
import { encodeVaultRecord } from "../../src/wire/v4/vault-record.ts";
import { type BackupRig, makeRig } from "../backup-rig.ts";
import { platform } from "../platform.ts";
import { pseudoRandomBytes } from "../pseudo-random.ts";
import { deviceAdd, hashOf, keyslotAdd, signed } from "../vault/kit.ts";
import { CliServer } from "./cli-server.ts";
import { hashesOfFiles } from "./site.ts";
import { TcpProxy } from "./tcp-proxy.ts";

const FILES = 6;
const FILE_BYTES = 350_000;

let folder: string;
let server: CliServer;
let onEvent: (event: ServerEvent) => void;
let proxy: TcpProxy;
let rig: BackupRig;
let vaultId: VaultId;
const open: RemoteVault[] = [];
let generation = 0;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "network-"));
  server = new CliServer(folder, { onEvent: (event) => onEvent(event) });
  onEvent = () => undefined;
  await server.start();
  proxy = await TcpProxy.start(server.port);
});

after(async () => {
  await proxy.stop();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A vault of its own for each test. */
beforeEach(async () => {
  rig = await makeRig();
  vaultId = rig.vault.vaultId;
  const record = await encodeVaultRecord({ vault: vaultId, createdAt: 0, chunker: 1 });
  const keyslot = pseudoRandomBytes(5, 200);
  const statements = [
    await signed(vaultId, rig.signer, deviceAdd(rig.signer, "test")),
    await signed(vaultId, rig.signer, keyslotAdd(keyslot, "test")),
  ].map(({ type, body, by, sig }) => ({ type, body, by: by ?? null, sig: sig ?? null }));
  const machine = server.machine();
  const body = { name: `v${generation}`, record: record.bytes, statements, keyslotFiles: [keyslot] };
  await machine.call(VAULT_ROUTES.makeVault, { body });
  await machine.transport.close();
  for (let i = 0; i < FILES; i++) rig.disk.write(`/data/${i}`, pseudoRandomBytes(++generation * 100 + i, FILE_BYTES));
});

afterEach(async () => {
  for (const vault of open.splice(0)) await vault.close();
  proxy.fate = () => undefined;
  proxy.isUp = true;
  proxy.pieceBytes = Number.POSITIVE_INFINITY;
  proxy.cutAll();
  onEvent = () => undefined;
});

type ClientOptions = { readonly stallMs?: number; readonly sleep?: Sleep };

async function connect({ stallMs, sleep = async () => undefined }: ClientOptions = {}): Promise<RemoteVault> {
  const pin = Uint8Array.fromHex(server.pin);
  const options = stallMs === undefined ? {} : { stallMs, connectMs: stallMs };
  const transport = httpsTransport({ origin: `https://127.0.0.1:${proxy.port}`, pin }, options);
  const retrier = new Retrier({ clock: systemClock, random: systemRandom, sleep });
  const credentials = deviceCredentials({ transport, vault: vaultId, signer: rig.signer, clock: systemClock });
  const client = new ApiClient({ transport, credentials, retrier });
  const vault = await openRemoteVault({ client, name: "x", vaultId });
  open.push(vault);
  return vault;
}

/** One snapshot, every chunk once, nothing unfinished, every byte as it was. */
async function mustBeWhole(snapshots: number): Promise<void> {
  proxy.fate = () => undefined;
  proxy.isUp = true;
  const vault = await connect();
  const reader = openReader({ vault, secrets: rig.secrets, platform });
  const truth = new Map<string, string>();
  for (const [path, node] of rig.disk.nodes) if (node.content.length > 0) truth.set(path, hashOf(node.content));
  assert.deepEqual(hashesOfFiles(await rig.readBack("latest", reader)), truth);
  assert.equal((await vault.snapshots()).length, snapshots);
  // Uploads of which the server has not heard that they are over.
  proxy.cutAll();
  assert.ok(await server.running.kit.running.over((call) => call.vault === vaultId, 5000), "a cut request runs on");
  const { database } = server.running.kit.vaults.byNameOrId(vaultId)!.vault.context;
  assert.equal(database.get("SELECT count(*) - count(DISTINCT chunkId) AS n FROM chunks")!.n, 0);
  assert.equal(database.get("SELECT count(*) AS n FROM leases")!.n, 0);
  assert.deepEqual(readdirSync(join(server.data, "vaults", vaultId, "tmp")), []);
}

describe("a connection that is cut", () => {
  for (const [what, direction, step] of [
    ["on the way up", "up", 37_000],
    ["on the way down", "down", 700],
  ] as const) {
    test(`${what}, each one a little later than the one before`, async () => {
      const vault = await connect();
      let cuts = 0;
      proxy.onFate = () => cuts++;
      proxy.cutAll();
      const from = proxy.connections;
      proxy.fate = (number) => ({ [direction]: 900 + (number - from) * step, how: "cut" });
      await rig.run({ vault });
      assert.ok(cuts >= 3, `${cuts} cuts`);
      await mustBeWhole(1);
    });
  }

  test("while blocks are read, again and again", async () => {
    await rig.run({ vault: await connect() });
    const vault = await connect();
    let cuts = 0;
    proxy.onFate = () => cuts++;
    proxy.cutAll();
    const from = proxy.connections;
    proxy.fate = (number) => ({ down: 20_000 + (number - from) * 150_000, how: "cut" });
    const reader = openReader({ vault, secrets: rig.secrets, platform });
    const files = hashesOfFiles(await rig.readBack("latest", reader));
    assert.equal(files.size, FILES);
    assert.ok(cuts >= 3, `${cuts} cuts`);
    await mustBeWhole(1);
  });
});

test("a connection that falls silent, before, inside and after a pack", async () => {
  const vault = await connect({ stallMs: 500 });
  let silences = 0;
  proxy.onFate = () => silences++;
  proxy.cutAll();
  const from = proxy.connections;
  const fates = [
    { up: 100, how: "silence" },
    { up: 30_000, how: "silence" },
    { up: 600_000, how: "silence" },
    { down: 2000, how: "silence" },
  ] as const;
  proxy.fate = (number) => fates[number - from];
  await rig.run({ vault });
  assert.ok(silences >= 2, `${silences} silences`);
  await mustBeWhole(1);
});

test("a connection that passes on a few bytes at a time", async () => {
  for (let i = 1; i < FILES; i++) rig.disk.remove(`/data/${i}`);
  proxy.pieceBytes = 997;
  await rig.run({ vault: await connect() });
  proxy.pieceBytes = Number.POSITIVE_INFINITY;
  await mustBeWhole(1);
});

test("a server that is stopped in the middle and starts again", async () => {
  let isBack: Promise<void> = Promise.resolve();
  let restarts = 0;
  const restart = async (): Promise<void> => {
    proxy.isUp = false;
    proxy.cutAll();
    await server.stop();
    await server.start();
    proxy.isUp = true;
  };
  let packs = 0;
  onEvent = ({ type }) => {
    if (type !== "pack" || ++packs % 2 === 0 || restarts === 2) return;
    restarts++;
    isBack = restart();
  };
  const vault = await connect({ sleep: () => isBack });
  await rig.run({ vault });
  assert.equal(restarts, 2);
  await mustBeWhole(1);
});

test("a server that is gone for a whole run is found again by the next", async () => {
  await rig.run({ vault: await connect() });
  proxy.isUp = false;
  let patience = 5;
  const stop = new AbortController();
  const sleep: Sleep = async () => {
    if (--patience === 0) stop.abort();
  };
  proxy.cutAll();
  const pin = Uint8Array.fromHex(server.pin);
  const transport = httpsTransport({ origin: `https://127.0.0.1:${proxy.port}`, pin });
  const retrier = new Retrier({ clock: systemClock, random: systemRandom, sleep });
  const credentials = deviceCredentials({ transport, vault: vaultId, signer: rig.signer, clock: systemClock });
  const client = new ApiClient({ transport, credentials, retrier, signal: stop.signal });
  await assert.rejects(openRemoteVault({ client, name: "x", vaultId }), { code: "interrupted" });
  await transport.close();
  proxy.isUp = true;
  rig.disk.write("/data/0", pseudoRandomBytes(77, 1000));
  await rig.run({ vault: await connect() });
  await mustBeWhole(2);
});
