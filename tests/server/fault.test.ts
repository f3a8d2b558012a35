// A server whose disk fails: errors now and then, one that stops for good, and a small one that is full. Devices are told clearly,
// nothing that was acknowledged is lost, and once the disk is well again they carry on.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { AppError, isAppError } from "../../src/core/errors.ts";
import { faultStore, stopAfter } from "../../src/storage/fault-store.ts";
import type { ObjectStore, ObjectWriter } from "../../src/storage/object-store.ts";
import { prng } from "../vault/kit.ts";
import { backUpOnce, type Fleet, type Member, newFleet, readSnapshot } from "./fleet.ts";
import { type Rig, startRig } from "./rig.ts";

const settings = { listen: { host: "127.0.0.1", port: 0 } };
/** What a device may be told of a disk that fails. */
const TOLD = ["io", "disk_full", "server_full"];

test("errors of the disk now and then fail a run, and never what was acknowledged before or after", async () => {
  const random = prng(5);
  const flaky = { share: 0 };
  await using rig = await startRig({
    settings,
    wrapStore: (store) => flakyStore(store, () => random.next() < flaky.share),
  });
  const fleet = await fleetOn(rig, 4);
  let failed = 0;
  for (flaky.share of [0.2, 0.1, 0.03]) {
    await Promise.all(
      fleet.members.map(async (member) => {
        for (let run = 0; run < 2; run++) if (!(await runOrTold(member))) failed++;
      }),
    );
  }
  flaky.share = 0;
  assert.ok(failed > 0, "the disk never failed");
  await Promise.all(fleet.members.map(backUpOnce));
  await checkSnapshots(fleet);
});

test("a store that stops at any operation loses nothing that was acknowledged", async () => {
  const data = mkdtempSync(join(tmpdir(), "cb-fault-"));
  const counter = { current: stopAfter(Number.POSITIVE_INFINITY) };
  const writers: ObjectWriter[] = [];
  const wrapStore = (store: ObjectStore): ObjectStore =>
    faultStore(withWriters(store, writers), counter.current, { mode: "torn" });
  let rig = await startRig({ settings, data, wrapStore });
  const port = rig.server.port!;
  try {
    const fleet = await fleetOn(rig, 2);
    for (const operations of [1, 2, 3, 5, 8, 13]) {
      await rig.server.stop();
      counter.current = stopAfter(operations);
      rig = await startRig({ settings: { listen: { ...settings.listen, port } }, data, wrapStore });
      const went: boolean[] = [];
      while (!went.includes(false)) went.push(...(await Promise.all(fleet.members.map(runOrTold))));
      assert.ok(counter.current.isStopped, `${operations} operations`);
      await rig.server.stop();
      // A store that has stopped leaves its files open, as a dying process would; this process lives on.
      for (const writer of writers.splice(0)) await writer.abort();
      counter.current = stopAfter(Number.POSITIVE_INFINITY);
      rig = await startRig({ settings: { listen: { ...settings.listen, port } }, data, wrapStore });
      await Promise.all(fleet.members.map(backUpOnce));
    }
    await checkSnapshots(fleet);
  } finally {
    await rig[Symbol.asyncDispose]();
    rmSync(data, { recursive: true, force: true });
  }
});

test("a disk that is full refuses with a clear error, and goes on when there is room again", async (t) => {
  const data = mkdtempSync(join(tmpdir(), "cb-small-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "cyberbackup-test", data], { stdio: "pipe" });
  } catch (error) {
    rmSync(data, { recursive: true });
    t.skip(`a small file system cannot be mounted here: ${(error as Error).message.split("\n")[0]}`);
    return;
  }
  t.after(() => {
    execFileSync("umount", [data]);
    rmSync(data, { recursive: true });
  });
  const ballast = join(data, "ballast");
  writeFileSync(ballast, new Uint8Array(8 * 2 ** 20));
  await using rig = await startRig({ settings, data });
  const [member] = (await fleetOn(rig, 1)).members as [Member];
  let runs = 0;
  while (await runOrTold(member)) assert.ok(++runs < 200, "the disk never filled");
  assert.ok(runs > 0);
  // Once more, on a disk that is full from the start.
  assert.equal(await runOrTold(member), false);
  for (const id of member.acknowledged.keys()) await readSnapshot(member, id);
  unlinkSync(ballast);
  await backUpOnce(member);
  await checkSnapshots({ members: [member] });
});

function fleetOn({ server }: Rig, devices: number): Promise<Fleet> {
  const { kit, socketPath: socket, port } = server;
  return newFleet({ socket, port: port!, pin: kit.identity().pin!, devices, seed: 3 });
}

/** False when the run failed and said so as it should. */
async function runOrTold(member: Member): Promise<boolean> {
  try {
    await backUpOnce(member);
    return true;
  } catch (error) {
    assert.ok(isAppError(error) && TOLD.includes(error.code), String((error as Error).stack));
    return false;
  }
}

async function checkSnapshots({ members }: Pick<Fleet, "members">): Promise<void> {
  const rows = await members[0]!.vault.snapshots();
  for (const member of members) {
    const own = rows.filter(({ device }) => device === member.rig.signer.device).map(({ id }) => id);
    for (const id of member.acknowledged.keys()) assert.ok(own.includes(id), id);
    const [id, truth] = [...member.acknowledged].at(-1)!;
    assert.deepEqual(new Map([...(await readSnapshot(member, id))].sort()), new Map([...truth].sort()));
    await member.vault.close();
  }
}

/** Notes who writes. */
function withWriters(inner: ObjectStore, writers: ObjectWriter[]): ObjectStore {
  return {
    ...inner,
    async create() {
      const writer = await inner.create();
      writers.push(writer);
      return writer;
    },
  };
}

/** Fails by chance, with EIO or ENOSPC, and does nothing then. */
function flakyStore(inner: ObjectStore, isFailing: () => boolean): ObjectStore {
  let failures = 0;
  const step = (): void => {
    if (!isFailing()) return;
    const [code, name] = failures++ % 2 === 0 ? (["io", "EIO"] as const) : (["disk_full", "ENOSPC"] as const);
    const cause = Object.assign(new Error(name), { code: name });
    throw new AppError(code, { cause, context: { path: "the disk", detail: `${name}.` } });
  };
  const writerOf = (writer: ObjectWriter): ObjectWriter => ({
    async write(slice) {
      step();
      await writer.write(slice);
    },
    async commit(key) {
      step();
      return writer.commit(key);
    },
    abort: () => writer.abort(),
  });
  return {
    ...inner,
    async put(key, bytes) {
      step();
      return inner.put(key, bytes);
    },
    async create() {
      step();
      return writerOf(await inner.create());
    },
  };
}
