// A vault on a server is a vault like any other, and what a network can do to it costs nothing but time.

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { AppError, isAppError } from "../../src/core/errors.ts";
import type { ChunkId, SessionId, SnapshotId } from "../../src/core/ids.ts";
import { type BackupOptions, newProgress } from "../../src/engine/backup/run.ts";
import { openReader } from "../../src/engine/reader/reader.ts";
import type { RemoteVault } from "../../src/engine/remote/remote-vault.ts";
import type { VaultPort } from "../../src/wire/v4/vault-port.ts";
import { platform } from "../platform.ts";
import { pseudoRandomBytes } from "../pseudo-random.ts";
import { prng } from "../vault/kit.ts";
import { lost, type RouteName } from "./memory-server.ts";
import { hashesOfFiles, newSite, type Site } from "./site.ts";

const code = (expected: string) => (error: unknown) => isAppError(error) && error.code === expected;

let site: Site;
let vault: RemoteVault;

beforeEach(async () => {
  site = await newSite();
  const { disk } = site.rig;
  for (let i = 0; i < 5; i++) disk.write(`/big/${i}`, pseudoRandomBytes(100 + i, 300_000));
  for (let i = 0; i < 50; i++) disk.write(`/small/${i}`, Buffer.from(`file ${i}\n`.repeat(i + 1)));
  vault = await site.connect();
});

afterEach(() => site.remove());

const backUp = (options: Partial<BackupOptions> = {}) => site.rig.run({ vault, ...options });

async function readBack(port: VaultPort = vault): Promise<Map<string, string>> {
  return hashesOfFiles(
    await site.rig.readBack("latest", openReader({ vault: port, secrets: site.rig.secrets, platform })),
  );
}

describe("a vault on a server", () => {
  test("takes backups and gives them back", async () => {
    const first = await backUp();
    assert.deepEqual(await readBack(), site.truth());
    site.rig.disk.write("/small/7", Buffer.from("changed"));
    const second = await backUp();
    assert.equal(second.progress.changedFiles, 1);
    assert.deepEqual(await readBack(), site.truth());
    const rows = await vault.snapshots();
    assert.deepEqual(
      rows.map(({ id }) => id),
      [first.snapshot, second.snapshot],
    );
    assert.deepEqual(rows, await site.server.vault.snapshots());
  });

  test("answers every question as the vault behind it does", async () => {
    await backUp();
    const local = site.server.vault;
    const { id } = (await local.snapshots())[0]!;
    assert.deepEqual(await vault.head(), await local.head());
    assert.deepEqual(await vault.logAfter(1, 2), await local.logAfter(1, 2));
    assert.deepEqual(await vault.devices(), await local.devices());
    assert.deepEqual(await vault.keyslots(), await local.keyslots());
    const [slot] = await local.keyslots();
    assert.deepEqual(await vault.keyslotFile(slot!.id), await local.keyslotFile(slot!.id));
    assert.deepEqual(await vault.snapshotRecord(id), await local.snapshotRecord(id));
    await assert.rejects(vault.snapshotRecord("00".repeat(32) as SnapshotId), code("not_found"));
    assert.deepEqual(await vault.sealedSessionKeys(["00".repeat(16) as SessionId]), new Map());
  });

  test("is asked about many chunks in calls of at most 4,096", async () => {
    await backUp();
    const session = "5e".repeat(16) as SessionId;
    await vault.openSession({
      session,
      device: site.rig.signer.device,
      plan: "70".repeat(16) as never,
      base: undefined,
    });
    const rows = site.server.vault.context.database.tuples<[Uint8Array, number]>("SELECT chunkId, blockNo FROM chunks");
    const ids = pseudoRandomBytes(3, 9000 * 32);
    const expected = new Float64Array(9000);
    rows.forEach(([id, blockNo], i) => {
      const at = (i * 131) % 9000;
      ids.set(id, at * 32);
      expected[at] = blockNo;
    });
    site.server.calls.length = 0;
    assert.deepEqual(await vault.findChunks(session, ids), expected);
    const chunks = Array.from({ length: 9000 }, (_, i) => ids.slice(i * 32, i * 32 + 32) as ChunkId);
    const located = await vault.locateChunks(chunks);
    assert.deepEqual(
      located.map((location) => location?.blockNo ?? 0),
      [...expected],
    );
    assert.deepEqual(count(), { findChunks: 3, locateChunks: 3 });
    await vault.closeSession(session);
  });

  test("lists snapshots anew only when its log has moved", async () => {
    await backUp();
    const rows = await vault.snapshots();
    const before = site.server.crossed.length;
    assert.deepEqual(await vault.snapshots(), rows);
    assert.deepEqual(
      site.server.crossed.slice(before).map(({ length }) => length),
      [0, 0],
    );
    await backUp();
    assert.equal((await vault.snapshots()).length, 2);
  });

  test("that is another one than this machine knows is refused", async () => {
    site.server.change.head = (answer) => ({ ...answer, vault: "00".repeat(16) });
    await assert.rejects(site.connect(), code("vault_mismatch"));
  });
});

describe("a device that is not logged in any more", () => {
  test("logs in again, once", async () => {
    site.server.forgetTokens();
    site.server.calls.length = 0;
    await Promise.all([vault.head(), vault.head(), vault.devices()]);
    assert.deepEqual([count().challenge, count().login], [1, 1]);
  });

  test("and is refused by a server that does not take it", async () => {
    site.server.forgetTokens();
    site.server.change.login = () => {
      throw new AppError("login_failed");
    };
    await assert.rejects(vault.head(), code("login_failed"));
  });

  test("nor asks for ever when tokens are no good", async () => {
    site.server.before = ({ name }) => {
      if (name === "head") throw new AppError("token_expired");
    };
    await assert.rejects(vault.head(), code("login_failed"));
  });
});

describe("a connection that is lost", () => {
  const everything: RouteName[] = [
    "openSession",
    "findChunks",
    "putPack",
    "commit",
    "snapshots",
    "fetchBlocks",
    "locateChunks",
  ];

  test("before every call of a run costs only time", async () => {
    const failed = new Set<string>();
    const chance = prng(11);
    site.server.before = ({ name }) => {
      if (!failed.has(name) || chance.below(2) === 0) {
        failed.add(name);
        throw lost();
      }
    };
    await backUp();
    site.rig.state = undefined;
    await backUp();
    assert.deepEqual(await readBack(), site.truth());
    assert.ok(
      everything.every((name) => failed.has(name)),
      [...failed].join(),
    );
    site.server.before = () => undefined;
    assert.equal((await vault.snapshots()).length, 2);
    assert.equal(await doubles(), 0);
  });

  for (const name of everything) {
    test(`after ${name} was done, before its answer came, does nothing twice`, async () => {
      const seen = new Set<string>();
      site.server.change[name] = (answer) => {
        if (seen.has(name)) return answer;
        seen.add(name);
        throw lost();
      };
      await backUp();
      site.rig.state = undefined;
      await backUp({ tags: ["again"] });
      assert.deepEqual(await readBack(), site.truth());
      assert.ok(seen.has(name));
      assert.equal((await vault.snapshots()).length, 2);
      assert.equal(await doubles(), 0);
    });
  }

  test("inside of an answer goes on after the last whole block", async () => {
    await backUp();
    let asked = 0;
    site.server.change.fetchBlocks = (answer: Uint8Array, { body }) => {
      asked += body.blockNos.length;
      if (asked === body.blockNos.length) site.server.cutAnswerAfter = answer.length - 10;
      return answer;
    };
    const all = site.server.vault.context.database.tuples<[Uint8Array]>("SELECT chunkId FROM chunks").map(([id]) => id);
    const located = await vault.locateChunks(all as ChunkId[]);
    const blocks = [...new Map(located.map((location) => [location!.blockNo, location!])).values()];
    let got = 0;
    for await (const { block, sealed } of vault.fetchBlocks(blocks)) {
      assert.equal(sealed.length, block.length);
      assert.equal(block.blockNo, blocks[got++]!.blockNo);
    }
    assert.equal(got, blocks.length);
    assert.equal(asked, blocks.length + 1, "only the block that was cut was asked for again");
  });

  test("to a server that is gone for good ends the run after ten minutes, with pauses that grow", async () => {
    site.server.before = () => {
      throw lost();
    };
    const startedAt = site.clock.now();
    await assert.rejects(vault.head(), code("server_unreachable"));
    const waited = site.clock.now() - startedAt;
    assert.ok(waited > 10 * 60_000 && waited < 11 * 60_000, String(waited));
    for (const [i, { ms }] of site.waits.entries()) assert.ok(ms <= Math.min(30_000, 250 * 2 ** i));
    assert.ok(new Set(site.waits.map(({ ms }) => ms)).size > site.waits.length / 2, "jitter");
  });

  test("to one that never answered, after seconds", async () => {
    site.server.before = () => {
      throw lost();
    };
    const startedAt = site.clock.now();
    await assert.rejects(
      site.connect(),
      (error) => code("server_unreachable")(error) && /https:\/\/memory/.test(String(error)),
    );
    assert.ok(site.clock.now() - startedAt < 46_000);
  });
});

describe("a server that asks for patience", () => {
  test("gets it", async () => {
    let left = 3;
    site.server.before = () => {
      if (left-- > 0) throw new AppError("server_stopping", { context: { retryAfter: 7 } });
    };
    await vault.head();
    assert.deepEqual(
      site.waits.map(({ code: why, ms }) => [why, Math.floor(ms / 1000)]),
      Array(3).fill(["server_stopping", 7]),
    );
  });

  test("of a quarter of an hour is told", async () => {
    site.server.before = () => {
      throw new AppError("too_many_requests", { context: { retryAfter: 900 } });
    };
    await assert.rejects(vault.head(), code("too_many_requests"));
  });

  test("and any other problem is its caller's at once", async () => {
    site.server.before = () => {
      throw new AppError("quota_full", { context: { what: "the vault", detail: "1 GiB" } });
    };
    await assert.rejects(backUp(), code("quota_full"));
    assert.deepEqual(site.waits, []);
  });
});

test("a run keeps several questions and several packs under way", async () => {
  for (let i = 0; i < 40; i++) site.rig.disk.write(`/many/${i}`, pseudoRandomBytes(900 + i, 400_000));
  // Something is there already, so that the vault has to be asked.
  await backUp();
  site.rig.state = undefined;
  for (let i = 0; i < 40; i++) site.rig.disk.write(`/more/${i}`, pseudoRandomBytes(990 + i, 400_000));
  const under: Partial<Record<RouteName, number>> = {};
  const most: Partial<Record<RouteName, number>> = {};
  const latency = site.server.transport();
  const transport = {
    ...latency,
    async send(request: Parameters<typeof latency.send>[0]) {
      const name = request.path.endsWith("/chunks") ? "findChunks" : request.method === "PUT" ? "putPack" : "head";
      under[name] = (under[name] ?? 0) + 1;
      most[name] = Math.max(most[name] ?? 0, under[name]);
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
      return latency.send(request).finally(() => under[name]!--);
    },
  };
  vault = await site.connect({ transport });
  await backUp();
  assert.ok(most.findChunks! >= 2 && most.putPack! >= 2, JSON.stringify(most));
  assert.ok(most.putPack! <= 3, "memory: no more packs at a time");
});

test("a run that is interrupted says good-bye and does not wait", async () => {
  const stop = new AbortController();
  const interruptible = await site.connect({ signal: stop.signal });
  site.server.before = ({ name }) => {
    if (name === "putPack") stop.abort();
    if (name === "putPack" || name === "findChunks") throw lost();
  };
  site.server.calls.length = 0;
  const progress = newProgress();
  await assert.rejects(site.rig.run({ vault: interruptible, signal: stop.signal, progress }), code("interrupted"));
  assert.equal(site.server.calls.at(-1), "closeSession");
  assert.equal(await openSessions(), 0);
});

function count(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of site.server.calls) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

async function doubles(): Promise<number> {
  const sql = "SELECT count(*) - count(DISTINCT chunkId) AS n FROM chunks";
  return Number(site.server.vault.context.database.get(sql)!.n);
}

async function openSessions(): Promise<number> {
  return Number(site.server.vault.context.database.get("SELECT count(*) AS n FROM leases")!.n);
}
