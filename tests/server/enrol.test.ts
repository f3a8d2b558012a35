// Invitations and enrolment over real TLS; what people's commands do to vaults and devices.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { toHex } from "../../src/core/bytes.ts";
import { isAppError } from "../../src/core/errors.ts";
import type { VaultId } from "../../src/core/ids.ts";
import type { Signer } from "../../src/crypto/signature.ts";
import { DEVICE_API } from "../../src/server/device-api/part.ts";
import type { Role } from "../../src/server/http/principal.ts";
import type { PartModule } from "../../src/server/kit.ts";
import { DEVICE_ROUTES } from "../../src/wire/v4/api/device-routes.ts";
import { INVITE_ROUTES } from "../../src/wire/v4/api/invite-routes.ts";
import { VAULT_ROUTES } from "../../src/wire/v4/api/vault-routes.ts";
import { deviceAdd, keyslotAdd, newDevice, signed, type TestClock, testClock } from "../vault/kit.ts";
import { type At, call, callRaw, doorsOf, logIn, makeVault, newVault, type ServedWorld, toWire } from "./device.ts";
import { type Rig, startRig } from "./rig.ts";

const HOUR_MS = 3_600_000;
const refused = (code: string) => (error: unknown) => isAppError(error) && error.code === code;

let rig: Rig;
let clock: TestClock;
let world: ServedWorld;
let local: At;
before(async () => {
  clock = testClock();
  rig = await startRig({ clock, settings: { listen: { host: "127.0.0.1", port: 0 } } });
  world = await makeVault(rig);
  local = doorsOf(rig).local;
});
after(() => rig[Symbol.asyncDispose]());

const params = () => ({ vault: world.name });

async function invite(hours = 24) {
  const [lookup, token] = [world.random.bytes(16), world.random.bytes(32)];
  const sealed = world.random.bytes(99);
  const tokenHash = new Uint8Array(createHash("sha256").update(token).digest());
  const body = { lookup: toHex(lookup), tokenHash, sealed, name: "laptop", hours };
  const { endsAt } = await call(local, INVITE_ROUTES.makeInvite, { params: params(), body });
  assert.equal(endsAt, clock.now() + hours * HOUR_MS);
  assert.deepEqual(await call(local, INVITE_ROUTES.makeInvite, { params: params(), body }), { endsAt });
  return { lookup, token, sealed };
}

async function enrol(device: Signer, { lookup, token }: { lookup: Uint8Array; token: Uint8Array }) {
  const statement = toWire(await signed(world.vaultId, device, deviceAdd(device, "laptop")));
  const body = { lookup: new Uint8Array(lookup), token: new Uint8Array(token), statement };
  return call(world.at, DEVICE_ROUTES.enroll, { body });
}

describe("an invitation", () => {
  it("lets one device in, which may ask again, and no other one", async () => {
    const code = await invite();
    const device = await newDevice();
    const first = await enrol(device, code);
    assert.deepEqual([first.vault, first.name, toHex(first.sealed)], [world.vaultId, world.name, toHex(code.sealed)]);
    assert.deepEqual(await enrol(device, code), first);
    await assert.rejects(enrol(await newDevice(), code), refused("invite_invalid"));
    const token = await logIn(world, device);
    assert.equal((await call(world.at, DEVICE_ROUTES.head, { params: params(), token })).vault, world.vaultId);
    const { invites } = await call(local, INVITE_ROUTES.invites, { params: params() });
    const row = invites.find(({ invite: id }) => id === toHex(code.lookup))!;
    assert.deepEqual([row.usedBy, row.name, row.by], [device.device, "laptop", "this machine"]);
  });

  it("is all alike when it is wrong, unknown, taken back or too old", async () => {
    const device = await newDevice();
    const code = await invite();
    await assert.rejects(enrol(device, { ...code, token: world.random.bytes(32) }), refused("invite_invalid"));
    await assert.rejects(enrol(device, { ...code, lookup: world.random.bytes(16) }), refused("invite_invalid"));
    await call(local, INVITE_ROUTES.dropInvite, { params: { ...params(), invite: toHex(code.lookup) } });
    await assert.rejects(enrol(device, code), refused("invite_invalid"));
    const short = await invite(1);
    clock.advance(HOUR_MS);
    await assert.rejects(enrol(device, short), refused("invite_invalid"));
    const missing = { ...params(), invite: "ab".repeat(16) };
    await assert.rejects(call(local, INVITE_ROUTES.dropInvite, { params: missing }), refused("not_found"));
  });

  it("is not used up by a statement that is refused", async () => {
    const code = await invite();
    const [device, other] = [await newDevice(), await newDevice()];
    const send = async (statement: Awaited<ReturnType<typeof signed>>) =>
      call(world.at, DEVICE_ROUTES.enroll, {
        body: { lookup: code.lookup, token: code.token, statement: toWire(statement) },
      });
    const good = await signed(world.vaultId, device, deviceAdd(device, "x"));
    await assert.rejects(send({ ...good, sig: new Uint8Array(64) }), refused("signature_bad"));
    await assert.rejects(send(await signed(world.vaultId, device, deviceAdd(other, "x"))), refused("request_invalid"));
    await assert.rejects(send({ ...good, by: undefined, sig: undefined }), refused("request_invalid"));
    await assert.rejects(
      send(await signed("00".repeat(16) as VaultId, device, deviceAdd(device, "x"))),
      refused("signature_bad"),
    );
    await send(await signed(world.vaultId, other, deviceAdd(other, "x")));
  });

  it("of two devices that ask at the same instant lets one in", async () => {
    const code = await invite();
    const devices = await Promise.all(Array.from({ length: 4 }, newDevice));
    const results = await Promise.allSettled(devices.map((device) => enrol(device, code)));
    assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
  });

  it("is a person's to make, not a device's", async () => {
    const token = await logIn(world, world.device);
    await assert.rejects(call(world.at, INVITE_ROUTES.invites, { params: params(), token }), refused("forbidden"));
  });
});

describe("a vault", () => {
  it("is made once, and the same call again is answered the same", async () => {
    const id = "5".repeat(32) as VaultId;
    const body = await newVault("second", id, await newDevice(), world.random.bytes(90));
    const first = await call(local, VAULT_ROUTES.makeVault, { body });
    assert.deepEqual(await call(local, VAULT_ROUTES.makeVault, { body }), first);
    assert.equal(first.head.seq, 3);
    await assert.rejects(
      call(local, VAULT_ROUTES.makeVault, { body: { ...body, name: "third" } }),
      refused("vault_exists"),
    );
    const other = await newVault("second", "6".repeat(32) as VaultId, await newDevice(), world.random.bytes(90));
    await assert.rejects(call(local, VAULT_ROUTES.makeVault, { body: other }), refused("vault_exists"));
  });

  for (const name of ["../x", "CON", "a/b", "7".repeat(32), " x"]) {
    it(`is not called ${JSON.stringify(name)}`, async () => {
      const body = await newVault(name, "8".repeat(32) as VaultId, await newDevice(), world.random.bytes(90));
      await assert.rejects(call(local, VAULT_ROUTES.makeVault, { body }), refused("filename_invalid"));
    });
  }

  it("takes signed statements, and keyslots with their files", async () => {
    const file = world.random.bytes(80);
    const statement = await signed(world.vaultId, world.device, keyslotAdd(file, "second"));
    const before = (await call(local, DEVICE_ROUTES.head, { params: params() })).seq;
    const body = { statement: toWire(statement), keyslotFile: file };
    assert.equal((await call(local, VAULT_ROUTES.statement, { params: params(), body })).seq, before + 1);
    const unsigned = { statement: toWire({ ...statement, by: undefined, sig: undefined }), keyslotFile: file };
    await assert.rejects(
      call(local, VAULT_ROUTES.statement, { params: params(), body: unsigned }),
      refused("request_invalid"),
    );
    const forged = {
      statement: toWire({ ...statement, type: "purge", body: { snapshot: new Uint8Array(32) } }),
      keyslotFile: null,
    };
    await assert.rejects(call(local, VAULT_ROUTES.statement, { params: params(), body: forged }), refused("usage"));
  });

  it("lets an operator revoke devices, and only an owner change keyslots", async () => {
    const role = { current: "operator" as Role };
    const badge: PartModule = {
      make: () => ({
        authenticate: async ({ headers }) =>
          headers.authorization === "Bearer cb_test"
            ? {
                kind: "person",
                id: "p",
                name: "Ann",
                role: role.current,
                grants: new Map(),
                hasFactor: false,
                factorAt: undefined,
                via: "key",
              }
            : undefined,
      }),
    };
    await using own = await startRig({
      parts: [badge, DEVICE_API],
      settings: { listen: { host: "127.0.0.1", port: 0 } },
    });
    const place = await makeVault(own, "roles", 4);
    const token = "cb_test";
    const send = async (event: Parameters<typeof signed>[2], keyslotFile: Uint8Array<ArrayBuffer> | null = null) => {
      const body = { statement: toWire(await signed(place.vaultId, place.device, event)), keyslotFile };
      return call(place.at, VAULT_ROUTES.statement, { params: { vault: place.name }, token, body });
    };
    const file = world.random.bytes(70);
    await assert.rejects(send(keyslotAdd(file, "second"), file), refused("forbidden"));
    role.current = "owner";
    await send(keyslotAdd(file, "second"), file);
    role.current = "viewer";
    const revoke = { type: "device-revoke", body: { device: place.device.device } } as const;
    await assert.rejects(send(revoke), refused("forbidden"));
    role.current = "operator";
    await send(revoke);
  });

  it("lists its devices with what people call them", async () => {
    const { devices } = await call(local, VAULT_ROUTES.deviceList, { params: params() });
    const own = devices.find(({ device }) => device === world.device.device)!;
    assert.deepEqual([own.name, own.snapshots, own.lastAddress], ["first", 0, "127.0.0.1"]);
    const named = { ...params(), device: world.device.device };
    await call(local, VAULT_ROUTES.renameDevice, { params: named, body: { name: "Büro" } });
    const after = (await call(local, VAULT_ROUTES.deviceList, { params: params() })).devices;
    assert.deepEqual(after.find(({ device }) => device === own.device)!, { ...own, name: "Büro" });
    const stranger = { ...params(), device: "ab".repeat(16) };
    await assert.rejects(
      call(local, VAULT_ROUTES.renameDevice, { params: stranger, body: { name: null } }),
      refused("not_found"),
    );
  });

  it("is nobody's without a login", async () => {
    const got = await callRaw(world.at, VAULT_ROUTES.makeVault, {
      body: await newVault("x", "9".repeat(32) as VaultId, await newDevice(), world.random.bytes(9)),
    });
    assert.equal(got.status, 401);
  });
});
