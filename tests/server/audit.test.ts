// The audit trail: every privileged action is in it, with who, when, what, from where and outcome; no secret ever is.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AuditTrail } from "../../src/server/people/audit.ts";
import { DEVICE_ROUTES } from "../../src/wire/v4/api/device-routes.ts";
import { VAULT_ROUTES } from "../../src/wire/v4/api/vault-routes.ts";
import { deviceAdd, newDevice, signed } from "../vault/kit.ts";
import { call, doorsOf, makeVault, toWire } from "./device.ts";
import {
  addOwner,
  addPerson,
  Browser,
  bodyOf,
  callerAt,
  login,
  machine,
  OWNER,
  PASSWORD,
  placeOf,
  withKey,
} from "./people-kit.ts";
import { startRig } from "./rig.ts";

type Entry = {
  id: number;
  by: string;
  person: string | null;
  action: string;
  subject: string | null;
  outcome: string;
  address: string;
};

test("says who did what, from where, and what came of it", async () => {
  await using rig = await startRig();
  const { id } = await addOwner(rig);
  const key = await login(rig, OWNER);
  const owner = withKey(rig, key);
  const vera = await addPerson(rig, "vera@example.org", { role: "viewer" });
  const other = withKey(rig, await login(rig, "vera@example.org"));
  await other.call("DELETE", `/api/v4/people/${id}`);
  await owner.call("DELETE", `/api/v4/people/${id}`);
  await owner.call("DELETE", `/api/v4/people/${vera.id}`);
  const { items } = bodyOf<{ items: Entry[] }>(await owner.call("GET", "/api/v4/audit"));
  const told = items.map(({ by, person, action, subject, outcome, address }) =>
    [by, person, action, action.endsWith("Login") ? "…" : subject, outcome, address].join(" "),
  );
  assert.deepEqual(told, [
    `key ${id} removePerson ${vera.id} ok 127.0.0.1`,
    `key ${id} removePerson ${id} last_owner 127.0.0.1`,
    `key ${vera.id} removePerson ${id} forbidden 127.0.0.1`,
    `nobody ${vera.id} personLogin … ok 127.0.0.1`,
    `machine  addPerson ${vera.id} ok local`,
    `nobody ${id} personLogin … ok 127.0.0.1`,
    `machine ${id} setup ${id} ok local`,
  ]);
});

test("has failed sign-ins, and nothing of what was typed", async () => {
  await using rig = await startRig();
  const { id } = await addOwner(rig);
  const browser = new Browser(rig);
  await browser.call("POST", "/api/auth/sign-in/email", { email: OWNER, password: "hunter2hunter2" });
  await browser.call("POST", "/api/auth/sign-in/email", { email: "hunter2hunter2", password: "x" });
  await callerAt(placeOf(rig)).call("POST", "/api/v4/setup", { token: "T".repeat(43), password: PASSWORD });
  const reply = await machine(rig).call("GET", "/api/v4/audit?limit=3");
  const { items } = bodyOf<{ items: Entry[] }>(reply);
  assert.deepEqual(
    items.map(({ action, outcome, person }) => [action, outcome, person]),
    [
      ["setup", "setup_invalid", null],
      ["signIn", "login_failed", null],
      ["signIn", "login_failed", id],
    ],
  );
  for (const secret of ["hunter2", "TTTT", PASSWORD]) assert.ok(!reply.body.toString().includes(secret));
});

test("names the entry of the vault's log that came of it, and shows a vault's owner that vault alone", async () => {
  await using rig = await startRig({ settings: { listen: { host: "127.0.0.1", port: 0 } } });
  await addOwner(rig);
  const home = await makeVault(rig, "home", 1);
  await makeVault(rig, "other", 2);
  const device = await newDevice();
  const body = {
    statement: toWire(await signed(home.vaultId, home.device, deviceAdd(device, "laptop"))),
    keyslotFile: null,
  };
  const head = await call(doorsOf(rig).local, VAULT_ROUTES.statement, { params: { vault: "home" }, body });
  const apart = { type: "device-trust", body: { device: device.device, group: null } } as const;
  const moved = await call(doorsOf(rig).local, VAULT_ROUTES.statement, {
    params: { vault: "home" },
    body: { statement: toWire(await signed(home.vaultId, home.device, apart)), keyslotFile: null },
  });
  const params = { vault: "home" };
  // Reading is no deed; that somebody begins to is told once.
  await call(doorsOf(rig).local, DEVICE_ROUTES.locateChunks, {
    params,
    body: { ids: new Uint8Array(32), snapshot: null },
  });
  await call(doorsOf(rig).local, DEVICE_ROUTES.sessionKeys, { params, body: { sessions: [] } });
  await addPerson(rig, "vera@example.org", { grants: [{ vault: home.vaultId, role: "owner" }] });
  const vera = withKey(rig, await login(rig, "vera@example.org"));
  const { items } = bodyOf<{ items: { action: string; seq: number | null; vault: string }[] }>(
    await vera.call("GET", "/api/v4/vaults/home/audit"),
  );
  assert.deepEqual(
    items.map(({ action, seq, vault }) => [action, seq, vault]),
    [
      ["sessionKeys", null, home.vaultId],
      ["device-trust", moved.seq, home.vaultId],
      ["device-add", head.seq, home.vaultId],
      ["makeVault", null, home.vaultId],
    ],
  );
  assert.equal((await vera.call("GET", "/api/v4/audit")).status, 403);
});

test("comes in pages, by person and by action", async () => {
  await using rig = await startRig();
  const { id } = await addOwner(rig);
  for (let n = 0; n < 5; n++) await addPerson(rig, `p${n}@example.org`);
  const page = async (query: string) =>
    bodyOf<{ items: Entry[]; next: string | null }>(await machine(rig).call("GET", `/api/v4/audit?${query}`));
  const first = await page("limit=4");
  const second = await page(`limit=4&after=${first.next}`);
  assert.deepEqual([first.items.length, second.items.length, second.next], [4, 2, null]);
  assert.ok(first.items.at(-1)!.id > second.items[0]!.id);
  assert.equal((await page("action=setup")).items.length, 1);
  assert.equal((await page(`person=${id}`)).items.length, 1);
});

test("is bounded: the oldest entries go", async () => {
  await using rig = await startRig();
  const { database, clock } = rig.server.kit;
  const audit = new AuditTrail({ database, clock, mostRows: 100 });
  const entry = { by: "server", person: null, name: null, action: "x", vault: null, subject: null, outcome: "ok" };
  database.transaction(() => {
    for (let n = 0; n < 1000; n++) audit.record({ ...entry, address: null, requestId: null, seq: null });
  });
  const rows = audit.list({ limit: 1000, after: undefined });
  assert.deepEqual([rows.length, rows[0]!.id], [100, 1000]);
});
