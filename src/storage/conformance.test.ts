import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { utf8 } from "../core/bytes.ts";
import { isAppError } from "../core/errors.ts";
import { CONFORMANCE, checkStore } from "./conformance.ts";
import { countingStore } from "./counting-store.ts";
import { diskStore } from "./disk-store.ts";
import { faultStore, stopAfter } from "./fault-store.ts";
import { memoryDisk, memoryStore } from "./memory-store.ts";
import type { ObjectStore } from "./object-store.ts";

const folder = await mkdtemp(join(tmpdir(), "cb-store-"));
test.after(() => rm(folder, { recursive: true, force: true }));

const STORES: Record<string, () => ObjectStore> = {
  memory: () => memoryStore(),
  disk: () => diskStore(join(folder, "new", "vault")),
  counting: () => countingStore(memoryStore()).store,
  "fault, before it stops": () => faultStore(memoryStore(), stopAfter(Number.POSITIVE_INFINITY)),
  "fault in torn mode, before it stops": () =>
    faultStore(memoryStore(), stopAfter(Number.POSITIVE_INFINITY), { mode: "torn" }),
};

for (const [name, make] of Object.entries(STORES)) {
  describe(`the ${name} store`, () => {
    for (const check of CONFORMANCE) {
      test(check.name, async () => {
        const store = make();
        for await (const { key } of store.list("")) await store.remove(key);
        await check.run(store);
        await store.close();
      });
    }
  });
}

test("the checks find a store that overwrites", async () => {
  const inner = memoryStore();
  const careless: ObjectStore = {
    ...inner,
    async put(key, bytes) {
      await inner.remove(key);
      return inner.put(key, bytes);
    },
  };
  const failed = (await checkStore(careless)).filter(({ problem }) => problem !== undefined);
  assert.ok(failed.some(({ name }) => name === "a key is written once"));
  for await (const { key } of careless.list("")) assert.fail(`${key} was left behind`);
});

test("a disk store leaves no unfinished files, and sweeps those of a crash by age", async () => {
  const root = join(folder, "sweep");
  const store = diskStore(root);
  await store.put("x", utf8("x"));
  const writer = await store.create();
  await writer.write(utf8("half"));
  assert.equal(await store.sweep(Date.now() - 60_000), 0);
  const [left] = await readdir(join(root, "tmp"));
  await utimes(join(root, "tmp", left!), 0, 0);
  assert.equal(await store.sweep(Date.now() - 60_000), 1);
  assert.deepEqual(await readdir(join(root, "tmp")), []);
  await writer.abort();
  await store.close();
});

test("reads of a dropped file in flight finish", async () => {
  const store = diskStore(join(folder, "handles"));
  for (let i = 0; i < 40; i++) await store.put(`k/${i}`, new Uint8Array(1000).fill(i));
  const reads = Array.from({ length: 400 }, async (_, i) => {
    const bytes = await store.getRange(`k/${i % 40}`, 10, 20);
    assert.deepEqual(bytes, new Uint8Array(20).fill(i % 40));
  });
  await Promise.all(reads);
  await store.close();
});

test("a full disk and other trouble have their own codes", async () => {
  const store = diskStore("/dev/null/x");
  await assert.rejects(store.put("a", utf8("a")), (error) => isAppError(error, "io"));
});

test("a store that stopped stays stopped, and a torn write leaves its first half in tmp", async () => {
  const disk = memoryDisk();
  const counter = stopAfter(3);
  const store = faultStore(memoryStore(disk), counter, { mode: "torn" });
  await store.put("a", utf8("a"));
  const writer = await store.create();
  await writer.write(utf8("12"));
  await assert.rejects(writer.write(utf8("3456")), (error) => isAppError(error, "io"));
  await assert.rejects(store.get("a"));
  await writer.abort();
  assert.deepEqual(
    [...disk.tmp].flatMap(({ parts }) => parts),
    [utf8("12"), utf8("34")],
  );
  assert.deepEqual([...disk.objects.keys()], ["a"]);
  assert.ok(counter.isStopped);
});

test("an unreadable object is an io error", async () => {
  const store = faultStore(memoryStore(), stopAfter(9), { isUnreadable: (key) => key === "bad" });
  await store.put("bad", utf8("x"));
  await assert.rejects(store.get("bad"), (error) => isAppError(error, "io"));
});

test("counts are counted", async () => {
  const { store, counts } = countingStore(memoryStore());
  await store.put("a", utf8("abc"));
  await store.get("a");
  await store.remove("a");
  assert.deepEqual(counts, { reads: 1, bytesRead: 3, writes: 1, bytesWritten: 3, removes: 1, lists: 0 });
});
