// The device API over real TLS: every route once as it should be, and its edges.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { concatBytes, toHex } from "../../src/core/bytes.ts";
import { isAppError } from "../../src/core/errors.ts";
import type { SessionId } from "../../src/core/ids.ts";
import type { LocalVault } from "../../src/vault/local-vault.ts";
import { BlockStreamReader } from "../../src/wire/v4/api/block-stream.ts";
import { decodeFound, decodeLocated } from "../../src/wire/v4/api/chunk-answers.ts";
import { DEVICE_ROUTES } from "../../src/wire/v4/api/device-routes.ts";
import { MEDIA } from "../../src/wire/v4/api/media.ts";
import { decodeLogEntry } from "../../src/wire/v4/log-entry.ts";
import { BINDING_CERTIFICATE, BINDING_ORIGIN, loginStatement } from "../../src/wire/v4/login.ts";
import {
  deviceAdd,
  makePack,
  makeRecord,
  newDevice,
  PLAN,
  randomBlock,
  randomChunkId,
  signed,
  type World,
} from "../vault/kit.ts";
import { call, callRaw, logIn, makeVault, newSessionId, openSession, type ServedWorld, send } from "./device.ts";
import { type Rig, startRig } from "./rig.ts";

const R = DEVICE_ROUTES;
const fail = (detail: string): never => assert.fail(detail);

let rig: Rig;
let world: ServedWorld;
let token: string;
before(async () => {
  rig = await startRig({ settings: { listen: { host: "127.0.0.1", port: 0 } } });
  world = await makeVault(rig);
  token = await logIn(world, world.device);
});
after(() => rig[Symbol.asyncDispose]());

const inVault = <P extends object>(more?: P) => ({ vault: world.name, ...more }) as { vault: string } & P;
const refused = (code: string) => (error: unknown) => isAppError(error) && error.code === code;
const headOf = () => ({ head: () => rig.server.kit.vaults.byNameOrId(world.name)!.vault.head() }) as LocalVault;

/** A pack of three blocks, stored; and what is in it. */
async function store(session: SessionId, n = 0) {
  const blocks = Array.from({ length: 3 }, () => randomBlock(world.random));
  const pack = await makePack(world as unknown as World, session, blocks, { firstCounter: n * 3 });
  const receipt = await call(world.at, R.putPack, { params: inVault({ session, n }), token, body: pack });
  return { blocks, pack, receipt };
}

async function commit(session: SessionId, refs: readonly number[]) {
  const record = await makeRecord(world as unknown as World, headOf(), session, refs);
  return {
    record,
    answer: await call(world.at, R.commit, { params: inVault({ session }), token, body: record.bytes }),
  };
}

describe("login", () => {
  it("is the same for vaults and devices that are not there, until it is signed", async () => {
    const stranger = await newDevice();
    for (const vault of [world.name, "nowhere"]) {
      const ask = { vault, device: stranger.device };
      const [first, second] = [
        await call(world.at, R.challenge, { body: ask }),
        await call(world.at, R.challenge, { body: ask }),
      ];
      assert.equal(first.vault, second.vault);
      assert.notDeepEqual(first.challenge, second.challenge);
    }
    await assert.rejects(logIn(world, stranger), refused("login_failed"));
    await assert.rejects(logIn({ ...world, name: "nowhere" }, world.device), refused("login_failed"));
  });

  async function signedFor(binding: Uint8Array | undefined, bindingKind: number) {
    const got = await callRaw(world.at, R.challenge, { body: { vault: world.name, device: world.device.device } });
    const { vault, challenge } = await call(world.at, R.challenge, {
      body: { vault: world.name, device: world.device.device },
    });
    const claim = { vault, device: world.device.device, challenge, bindingKind };
    const sig = await world.device.sign(loginStatement({ ...claim, binding: binding ?? got.certificate! }));
    return { ...claim, sig };
  }

  it("takes a challenge once", async () => {
    const body = await signedFor(undefined, BINDING_CERTIFICATE);
    await call(world.at, R.login, { body });
    await assert.rejects(call(world.at, R.login, { body }), refused("token_expired"));
  });

  it("refuses what was signed for another certificate or origin", async () => {
    const body = await signedFor(new Uint8Array(32), BINDING_CERTIFICATE);
    await assert.rejects(call(world.at, R.login, { body }), refused("login_failed"));
    const other = await signedFor(await sha256("https://evil.example"), BINDING_ORIGIN);
    await assert.rejects(call(world.at, R.login, { body: other }), refused("login_failed"));
  });

  it("takes a browser's, which is bound to an origin of the server", async () => {
    const body = await signedFor(await sha256(`https://localhost:${rig.server.port}`), BINDING_ORIGIN);
    assert.match((await call(world.at, R.login, { body })).token, /^[\w-]{43}$/);
  });

  it("refuses a challenge that was made for another device, or by nobody", async () => {
    const other = await newDevice();
    const { challenge } = await call(world.at, R.challenge, { body: { vault: world.name, device: other.device } });
    const body = await signedFor(undefined, BINDING_CERTIFICATE);
    for (const wrong of [challenge, new Uint8Array(32)]) {
      await assert.rejects(call(world.at, R.login, { body: { ...body, challenge: wrong } }), refused("token_expired"));
    }
  });

  it("gives nothing to a token that is made up", async () => {
    await assert.rejects(
      call(world.at, R.head, { params: inVault(), token: "a".repeat(43) }),
      refused("token_expired"),
    );
    await assert.rejects(call(world.at, R.head, { params: inVault() }), refused("login_failed"));
  });
});

describe("a vault that is read", () => {
  it("tells its head, log, devices and keyslots", async () => {
    const head = await call(world.at, R.head, { params: inVault(), token });
    assert.equal(head.vault, world.vaultId);
    const { entries } = await call(world.at, R.log, { params: inVault(), token, query: { after: 1, limit: 1 } });
    assert.equal((await decodeLogEntry(entries[0]!)).type, "device-add");
    assert.equal(entries.length, 1);
    const { devices } = await call(world.at, R.devices, { params: inVault(), token });
    assert.deepEqual(
      devices.map(({ device }) => device),
      [world.device.device],
    );
    const { keyslots } = await call(world.at, R.keyslots, { params: inVault(), token });
    const file = await call(world.at, R.keyslot, { params: inVault({ keyslot: keyslots[0]!.id }), token });
    assert.deepEqual(new Uint8Array(file), world.keyslotFile);
  });

  it("is found by its id as well, and no other one by this login", async () => {
    const other = await makeVault(rig, "other", 2);
    assert.equal((await call(world.at, R.head, { params: { vault: world.vaultId }, token })).vault, world.vaultId);
    for (const vault of [other.name, other.vaultId, "nowhere"]) {
      await assert.rejects(call(world.at, R.head, { params: { vault }, token }), refused("forbidden"));
    }
  });

  it("says what is not there", async () => {
    const missing = "ab".repeat(32);
    await assert.rejects(
      call(world.at, R.keyslot, { params: inVault({ keyslot: "ab".repeat(16) }), token }),
      refused("not_found"),
    );
    await assert.rejects(
      call(world.at, R.snapshotRecord, { params: inVault({ snapshot: missing }), token }),
      refused("not_found"),
    );
    await assert.rejects(call(world.at, R.pack, { params: inVault({ pack: missing }), token }), refused("not_found"));
    await assert.rejects(
      call(world.at, R.pack, { params: inVault({ pack: "../../vault" }), token }),
      refused("request_invalid"),
    );
  });
});

describe("a backup", () => {
  it("is asked for, stored, committed and read back", async () => {
    const session = await openSession(world, token);
    const { blocks, pack, receipt } = await store(session);
    const ids = concatBytes([...blocks.flatMap(({ chunkIds }) => chunkIds), randomChunkId(world.random)]);
    const found = decodeFound(
      10,
      await call(world.at, R.findChunks, { params: inVault({ session }), token, body: { ids } }),
      fail,
    );
    assert.deepEqual([...found], [...receipt.blockNos.flatMap((blockNo) => [blockNo, blockNo, blockNo]), 0]);

    const { record, answer } = await commit(session, receipt.blockNos);
    assert.equal(answer.id, record.id);
    const again = await call(world.at, R.commit, { params: inVault({ session }), token, body: record.bytes });
    assert.deepEqual(again, answer);

    const { snapshots } = await call(world.at, R.snapshots, { params: inVault(), token });
    assert.ok(snapshots.some(({ id, state }) => id === record.id && state === "live"));
    const stored = await call(world.at, R.snapshotRecord, { params: inVault({ snapshot: record.id }), token });
    assert.deepEqual(new Uint8Array(stored), record.bytes);

    const located = await call(world.at, R.locateChunks, {
      params: inVault(),
      token,
      body: { ids, snapshot: record.id },
    });
    const places = decodeLocated(10, located, fail);
    assert.equal(places[9], undefined);
    assert.equal(located.blocks.length, 3);
    const blockNos = [receipt.blockNos[2]!, 999_999, receipt.blockNos[0]!];
    const stream = await call(world.at, R.fetchBlocks, { params: inVault(), token, body: { blockNos } });
    const sealed = [...new BlockStreamReader(fail).push(stream)];
    assert.deepEqual(sealed.map(toHex), [blocks[2]!.sealed, new Uint8Array(), blocks[0]!.sealed].map(toHex));
    const { keys } = await call(world.at, R.sessionKeys, {
      params: inVault(),
      token,
      body: { sessions: [session, newSessionId(world.random)] },
    });
    assert.deepEqual(
      keys.map((key) => key.session),
      [session],
    );

    const whole = await callRaw(world.at, R.pack, { params: inVault({ pack: receipt.pack }), token });
    assert.deepEqual(new Uint8Array(whole.body.subarray(0, pack.length)), pack);
    const part = (range: string) =>
      callRaw(world.at, R.pack, { params: inVault({ pack: receipt.pack }), token, headers: { range } });
    const middle = await part("bytes=100-149");
    assert.equal(middle.status, 206);
    assert.equal(middle.headers["content-range"], `bytes 100-149/${whole.body.length}`);
    assert.deepEqual(middle.body, whole.body.subarray(100, 150));
    assert.deepEqual((await part("bytes=-7")).body, whole.body.subarray(-7));
    assert.deepEqual((await part("bytes=3-")).body, whole.body.subarray(3));
    assert.equal((await part(`bytes=${whole.body.length}-`)).status, 416);
    assert.equal((await part("bytes=0-1,5-6")).status, 200);
  });

  it("answers a list of snapshots that is known with 304", async () => {
    const first = await callRaw(world.at, R.snapshots, { params: inVault(), token });
    const headers = { "if-none-match": String(first.headers.etag) };
    const second = await callRaw(world.at, R.snapshots, { params: inVault(), token, headers });
    assert.deepEqual([second.status, second.body.length], [304, 0]);
  });

  it("may repeat every step", async () => {
    const session = newSessionId(world.random);
    const body = { session, plan: PLAN, base: null };
    const open = () => call(world.at, R.openSession, { params: inVault(), token, body });
    assert.deepEqual(await open(), await open());
    const { pack, receipt } = await store(session);
    const again = () => call(world.at, R.putPack, { params: inVault({ session, n: 0 }), token, body: pack });
    assert.deepEqual(await again(), receipt);
    const before = await packCount();
    await Promise.all([again(), again(), again()]);
    assert.equal(await packCount(), before);
    for (let i = 0; i < 2; i++) await call(world.at, R.renewSession, { params: inVault({ session }), token });
    for (let i = 0; i < 2; i++) await call(world.at, R.closeSession, { params: inVault({ session }), token });
    await assert.rejects(
      call(world.at, R.renewSession, { params: inVault({ session }), token }),
      refused("session_unknown"),
    );
    await assert.rejects(open(), refused("session_unknown"));
  });

  it("refuses another pack under the same number, and stores nothing of it", async () => {
    const session = await openSession(world, token);
    const { receipt } = await store(session);
    const before = await packCount();
    const other = await makePack(world as unknown as World, session, [randomBlock(world.random)], { firstCounter: 5 });
    const put = (n: number, body: Uint8Array) =>
      callRaw(world.at, R.putPack, { params: inVault({ session, n }), token, body });
    const got = await put(0, other);
    assert.equal(got.status, 409);
    assert.match(got.body.toString(), /pack_conflict/);
    assert.equal(await packCount(), before);
    assert.equal((await put(1, other)).status, 200);
    assert.notEqual(receipt.pack, undefined);
  });

  it("refuses packs and records that are damaged, cut, or not what they claim", async () => {
    const session = await openSession(world, token);
    const pack = await makePack(world as unknown as World, session, [randomBlock(world.random)]);
    const put = (body: Uint8Array) => call(world.at, R.putPack, { params: inVault({ session, n: 0 }), token, body });
    const flipped = pack.slice();
    flipped[flipped.length >>> 1]! ^= 1;
    await assert.rejects(put(flipped), refused("pack_corrupt"));
    await assert.rejects(put(pack.subarray(0, -1)), refused("pack_corrupt"));
    await assert.rejects(put(concatBytes([pack, new Uint8Array(1)])), refused("pack_corrupt"));
    await assert.rejects(put(new Uint8Array()), refused("pack_corrupt"));
    const elsewhere = await openSession(world, token);
    await assert.rejects(
      call(world.at, R.putPack, { params: inVault({ session: elsewhere, n: 0 }), token, body: pack }),
      refused("pack_corrupt"),
    );
    const record = await makeRecord(world as unknown as World, headOf(), elsewhere, []);
    await assert.rejects(
      call(world.at, R.commit, { params: inVault({ session }), token, body: record.bytes }),
      refused("signature_bad"),
    );
    assert.deepEqual((await put(pack)).blockNos.length, 1);
  });

  it("counts a number that failed as free", async () => {
    const session = await openSession(world, token);
    const blocks = [randomBlock(world.random)];
    const pack = await makePack(world as unknown as World, session, blocks);
    const bad = pack.slice();
    bad[bad.length - 1]! ^= 1;
    await assert.rejects(call(world.at, R.putPack, { params: inVault({ session, n: 0 }), token, body: bad }));
    await call(world.at, R.putPack, { params: inVault({ session, n: 0 }), token, body: pack });
  });

  it("opens no more than sixteen sessions of a device", async () => {
    const crowd = await makeVault(rig, "crowd", 3);
    const own = await logIn(crowd, crowd.device);
    for (let i = 0; i < 16; i++) await openSession(crowd, own);
    const body = { session: newSessionId(crowd.random), plan: PLAN, base: null };
    const got = await callRaw(crowd.at, R.openSession, { params: { vault: crowd.name }, token: own, body });
    assert.equal(got.status, 429);
    assert.ok(Number(got.headers["retry-after"]) > 0);
  });

  async function packCount(): Promise<number> {
    return (await rig.server.kit.vaults.byNameOrId(world.name)!.admin.stats()).packs;
  }
});

describe("a body that does not fit its route", () => {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value));
  const wrong: [what: string, route: keyof typeof R, body: Uint8Array, status: number][] = [
    ["no MessagePack", "challenge", encode({ vault: "x" }), 400],
    ["nothing", "challenge", new Uint8Array(), 400],
    ["a map that claims four thousand million entries", "login", Uint8Array.of(0xdf, 0xff, 0xff, 0xff, 0xff), 400],
    ["arrays in arrays in arrays", "login", new Uint8Array(60_000).fill(0x91), 400],
    ["more than it may hold", "challenge", new Uint8Array(65 * 1024), 413],
  ];
  for (const [what, route, body, status] of wrong) {
    it(`${what} is refused by ${route} with ${status}`, async () => {
      const reply = await send(world.at, R[route].method, R[route].path, { "content-type": MEDIA.msgpack }, body);
      assert.equal(reply.status, status, reply.body.toString());
    });
  }

  it("ids that are cut are refused", async () => {
    const session = await openSession(world, token);
    const ids = new Uint8Array(33);
    await assert.rejects(
      call(world.at, R.findChunks, { params: inVault({ session }), token, body: { ids } }),
      refused("request_invalid"),
    );
    await assert.rejects(
      call(world.at, R.locateChunks, { params: inVault(), token, body: { ids, snapshot: null } }),
      refused("request_invalid"),
    );
  });
});

describe("a session", () => {
  it("is its device's alone", async () => {
    const served = rig.server.kit.vaults.byNameOrId(world.name)!;
    const other = await newDevice();
    await served.admin.apply(await signed(world.vaultId, other, deviceAdd(other, "second")));
    const theirs = await logIn(world, other);
    const session = await openSession(world, token);
    const params = inVault({ session });
    const ids = new Uint8Array();
    await assert.rejects(
      call(world.at, R.findChunks, { params, token: theirs, body: { ids } }),
      refused("session_unknown"),
    );
    await assert.rejects(call(world.at, R.renewSession, { params, token: theirs }), refused("session_unknown"));
    await assert.rejects(call(world.at, R.closeSession, { params, token: theirs }), refused("session_unknown"));
    await assert.rejects(
      call(world.at, R.openSession, { params: inVault(), token: theirs, body: { session, plan: PLAN, base: null } }),
      refused("session_unknown"),
    );
    await call(world.at, R.renewSession, { params, token });
  });
});

async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
