// Whole backups in memory, in Node and in Chromium: what goes in comes out, what did not change is neither read nor sent, and
// whatever goes wrong on the way costs time only.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { equalBytes, utf8 } from "../src/core/bytes.ts";
import type { RawPath } from "../src/core/raw-path.ts";
import { verifyContents } from "../src/engine/reader/verify.ts";
import { ENTRY } from "../src/wire/v4/tree-types.ts";
import { KIND_DATA, KIND_TREE } from "../src/wire/v4/vault-port.ts";
import { type BackupRig, makeRig } from "./backup-rig.ts";
import { pseudoRandomBytes } from "./pseudo-random.ts";

const MIB = 2 ** 20;

/** A little of everything. */
async function fullRig(): Promise<BackupRig> {
  const rig = await makeRig();
  const { disk } = rig;
  disk.write("/big/ten-megabytes", pseudoRandomBytes(1, 10 * MIB));
  disk.write("/big/same-again", pseudoRandomBytes(1, 10 * MIB));
  disk.write("/big/one-megabyte", pseudoRandomBytes(2, MIB));
  disk.write("/small/empty", new Uint8Array(0));
  disk.write("/small/tiny", utf8("x"), { xattrs: [{ name: "user.note" as RawPath, value: utf8("hello") }] });
  disk.write("/small/twin", utf8("x"));
  disk.write("/small/grüße", utf8("text"), { mode: 0o4711, uid: 0, gid: 0 });
  disk.link("/small/grüße", "/small/other-name");
  disk.write("/small/before-1970", utf8("old"), { mtimeSeconds: -5 });
  disk.nodes.set("/small/\xff\xfe raw" as RawPath, disk.get("/small/twin" as RawPath));
  disk.write(`/deep/${"folder/".repeat(60)}end`, utf8("down here"));
  disk.make("/small/empty-folder", ENTRY.directory, { mode: 0o1777 });
  disk.make("/small/link", ENTRY.symlink, { linkTarget: "../big" as RawPath });
  disk.make("/small/fifo", ENTRY.fifo);
  disk.make("/small/device", ENTRY.charDevice, { rdevMajor: 1, rdevMinor: 3 });
  for (let i = 0; i < 3000; i++) disk.write(`/many/file-${i}-${"n".repeat(40)}`, utf8(`content ${i}`));
  return rig;
}

/** Everything on the disk is in the latest snapshot, and nothing else. */
async function assertSame(rig: BackupRig): Promise<void> {
  const { disk } = rig;
  const found = await rig.readBack();
  const paths = [...disk.nodes.keys()].filter((path) => path !== "/").sort();
  assert.deepEqual([...found.keys()].sort(), paths);
  for (const path of paths) {
    const node = disk.get(path);
    const { entry, owners, content } = found.get(path)!;
    assert.deepEqual(
      [entry.type, entry.mode, entry.uid, entry.gid, entry.mtimeSeconds, entry.mtimeNanos, entry.ctimeSeconds],
      [node.type, node.mode, node.uid, node.gid, node.mtimeSeconds, node.mtimeNanos, node.ctimeSeconds],
      path,
    );
    assert.equal(entry.changed, undefined, path);
    assert.equal(owners.users.get(entry.uid), disk.userName(node.uid));
    assert.deepEqual(entry.linkTarget, node.linkTarget);
    assert.deepEqual(entry.xattrs, node.xattrs);
    assert.equal(entry.hardLink?.inode, node.links > 1 && node.type === ENTRY.file ? node.inode : undefined);
    assert.deepEqual([entry.rdevMajor ?? 0, entry.rdevMinor ?? 0], [node.rdevMajor, node.rdevMinor]);
    if (content) assert.ok(equalBytes(content, node.content), path);
  }
}

async function assertComplete(rig: BackupRig): Promise<void> {
  await assertSame(rig);
  const { problems } = await verifyContents({ reader: rig.reader(), readData: true });
  assert.deepEqual(problems, []);
}

describe("a first run, a second and a third", async () => {
  const rig = await fullRig();
  const { disk, vault } = rig;
  const files = [...disk.nodes.values()].filter(({ type }) => type === ENTRY.file).length;
  const entries = disk.nodes.size - 1;

  for (const isAsync of [true, false]) {
    test(`everything comes back (${isAsync ? "promises" : "synchronous files"})`, async () => {
      disk.isAsync = isAsync;
      const other = await makeRig();
      for (const [path, node] of disk.nodes) other.disk.nodes.set(path, node);
      other.disk.isAsync = isAsync;
      const { progress, problems } = await other.run();
      assert.deepEqual(problems, []);
      assert.deepEqual([progress.files, progress.newFiles, progress.unchangedFiles], [files, files, 0]);
      await assertComplete(other);
    });
  }

  test("twins are stored once", async () => {
    const { progress } = await rig.run();
    assert.equal(progress.phase, "done");
    assert.ok(vault.storedBytes > 11 * MIB && vault.storedBytes < 12 * MIB, `${vault.storedBytes} bytes`);
    assert.equal(progress.addedBytes, vault.storedBytes);
    assert.ok(vault.packs.length > 5);
    await assertComplete(rig);
  });

  test("the second run reads nothing, asks nothing and sends nothing", async () => {
    const before = { stored: vault.storedBytes, asked: vault.asked };
    const { progress, opened } = await rig.run();
    assert.deepEqual(opened, []);
    assert.deepEqual([progress.unchangedFiles, progress.newFiles, progress.changedFiles], [files, 0, 0]);
    assert.deepEqual([progress.addedBytes, progress.newBytes, progress.problems], [0, 0, 0]);
    assert.deepEqual({ stored: vault.storedBytes, asked: vault.asked }, before);
    await assertComplete(rig);
  });

  test("the third run reads what changed, was added or took another's place", async () => {
    const before = vault.storedBytes;
    const edited = pseudoRandomBytes(1, 10 * MIB);
    edited.fill(7, 5 * MIB, 5 * MIB + 10);
    disk.write("/big/ten-megabytes", edited);
    disk.write("/many/file-77-added", utf8("added"));
    disk.remove(`/many/file-1000-${"n".repeat(40)}`);
    disk.remove("/small/fifo");
    disk.write("/small/fifo/now-a-folder", utf8("in it"));
    disk.remove("/small/empty-folder");
    disk.write("/small/empty-folder", utf8("now a file"));
    disk.rename("/deep/folder/folder", "/deep/folder/renamed");
    disk.touch("/small" as RawPath);
    const { progress, opened } = await rig.run();
    const expected = ["/big/ten-megabytes", "/many/file-77-added", "/small/empty-folder", "/small/fifo/now-a-folder"];
    const moved = `/deep/folder/renamed/${"folder/".repeat(58)}end`;
    assert.deepEqual([...new Set(opened)].sort(), [...expected, moved].sort());
    assert.deepEqual([progress.changedFiles, progress.newFiles], [1, 4]);
    assert.ok(vault.storedBytes - before < 3 * MIB, `${vault.storedBytes - before} bytes`);
    await assertComplete(rig);
    assert.equal((await rig.readBack("latest:3")).size, entries);
  });
});

describe("a run that ends halfway", async () => {
  const rig = await makeRig();
  const { disk, vault } = rig;
  const total = 32 * MIB;
  for (let i = 0; i < 32; i++) disk.write(`/f/${i}`, pseudoRandomBytes(i + 1, MIB));

  test("is interrupted, leaves no snapshot, and the next one sends what is missing only", async () => {
    const abort = new AbortController();
    disk.onRead = () => disk.opened.length >= 20 && abort.abort();
    await assert.rejects(rig.run({ signal: abort.signal }), { code: "interrupted" });
    disk.onRead = () => undefined;
    assert.deepEqual([vault.stored.rows.length, vault.open.size, rig.state], [0, 0, undefined]);
    assert.ok(vault.storedBytes >= 2 * MIB && vault.storedBytes < total - 4 * MIB, `${vault.storedBytes} bytes`);
    const { progress } = await rig.run();
    assert.equal(progress.newFiles, 32);
    assert.ok(vault.storedBytes > total && vault.storedBytes < 1.04 * total, `${vault.storedBytes} bytes`);
    await assertComplete(rig);
  });

  test("after the last file was read it is interrupted too", async () => {
    const abort = new AbortController();
    const before = vault.stored.rows.length;
    const late = disk.write("/f/late", utf8("late"));
    disk.onRead = (path) => path === late && abort.abort();
    await assert.rejects(rig.run({ signal: abort.signal }), { code: "interrupted" });
    disk.onRead = () => undefined;
    assert.equal(vault.stored.rows.length, before);
  });

  test("a vault that fails ends the run with its error", async () => {
    disk.write("/f/more", pseudoRandomBytes(99, 3 * MIB));
    vault.onSlice = () => Promise.reject(new Error("the disk is on fire"));
    await assert.rejects(rig.run(), /on fire/);
    vault.onSlice = () => undefined;
    assert.equal(vault.open.size, 0);
    await rig.run();
    await assertComplete(rig);
  });
});

test("a slow vault holds a run up, and does not stop it", { timeout: 60_000 }, async () => {
  const rig = await makeRig();
  for (let i = 0; i < 40; i++) rig.disk.write(`/f/${i}`, pseudoRandomBytes(i + 1, MIB));
  let slices = 0;
  rig.vault.onSlice = () => ++slices < 4 && new Promise((resolve) => setTimeout(resolve, 300));
  await rig.run({ packBytes: 256 * MIB });
  await assertComplete(rig);
});

test("a vault that fails while it holds a run up ends it", { timeout: 60_000 }, async () => {
  const rig = await makeRig();
  for (let i = 0; i < 40; i++) rig.disk.write(`/f/${i}`, pseudoRandomBytes(i + 1, MIB));
  rig.vault.onSlice = async () => {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    throw new Error("the disk is full");
  };
  await assert.rejects(rig.run({ packBytes: 256 * MIB }), /disk is full/);
});

describe("what the vault lost", async () => {
  const rig = await makeRig();
  const { disk, vault } = rig;
  for (let i = 0; i < 8; i++) disk.write(`/d${i % 4}/${i}`, pseudoRandomBytes(i + 1, MIB));
  await rig.run();

  test("files in a damaged block are read and stored again, no others", async () => {
    const blocks = [...vault.stored.blocks.values()];
    const data = blocks.find(({ location }) => location.kind === KIND_DATA)!;
    const tree = blocks.find(({ location }) => location.kind === KIND_TREE)!;
    for (const { sealed, location } of [data, tree]) {
      sealed[0]! ^= 1;
      vault.damaged.add(location.blockNo);
    }
    const before = vault.storedBytes;
    const { opened, progress } = await rig.run();
    assert.ok(opened.length > 0 && opened.length < 8, `${opened.length} files`);
    assert.equal(progress.changedFiles, opened.length);
    assert.ok(vault.storedBytes - before < 4 * MIB);
    await assertSame(rig);
  });

  test("without its base everything is read and nothing is sent twice", async () => {
    for (const { id } of vault.stored.rows) vault.gone.add(id);
    const before = vault.storedBytes;
    const { opened, progress } = await rig.run();
    assert.deepEqual([opened.length, progress.newFiles, progress.newBytes], [8, 8, 0]);
    assert.equal(vault.storedBytes, before);
    await assertSame(rig);
  });
});

describe("options", async () => {
  const rig = await makeRig();
  const { disk, vault } = rig;
  disk.write("/a/one", pseudoRandomBytes(1, 200_000));
  disk.write("/a/two", utf8("two"));

  test("a dry run counts, and stores nothing", async () => {
    const { progress, snapshot } = await rig.run({ dryRun: true });
    assert.deepEqual([progress.newFiles, progress.addedBytes, snapshot], [2, 0, undefined]);
    assert.ok(progress.newBytes > 200_000);
    assert.deepEqual([vault.storedBytes, vault.open.size, vault.stored.rows.length], [0, 0, 0]);
  });

  test("force reads every file and sends none again", async () => {
    await rig.run();
    const before = vault.storedBytes;
    const { opened, progress } = await rig.run({ force: true });
    assert.deepEqual([opened.length, progress.unchangedFiles, vault.storedBytes], [2, 0, before]);
    const dry = await rig.run({ dryRun: true });
    assert.deepEqual([dry.opened.length, dry.progress.unchangedFiles, dry.progress.newBytes], [0, 2, 0]);
  });

  test("what cannot be read is a problem, and is read when it can be", async () => {
    const path = disk.write("/a/locked", utf8("secret"));
    disk.broken.set(path, "EACCES");
    const { problems, progress } = await rig.run();
    assert.deepEqual(problems, [{ path, code: "EACCES" }]);
    assert.equal(progress.problems, 1);
    assert.ok(!(await rig.readBack()).has(path));
    disk.broken.clear();
    assert.deepEqual((await rig.run()).opened, [path]);
    await assertComplete(rig);
  });

  test("an entry that no reader would take is a problem, and does not spoil its folder", async () => {
    const value = new Uint8Array(13 * MIB);
    disk.write("/a/much", utf8("much"), { xattrs: [{ name: "user.much" as RawPath, value }] });
    for (let i = 0; i < 4000; i++) disk.write(`/a/between-${i}`, new Uint8Array(0));
    assert.deepEqual((await rig.run()).problems, []);
    await assertComplete(rig);
    const path = disk.write("/a/too-much", utf8("too much"), {
      xattrs: [{ name: "user.much" as RawPath, value: new Uint8Array(15 * MIB) }],
    });
    const { problems } = await rig.run();
    assert.deepEqual(problems, [{ path, code: "EFBIG" }]);
    assert.equal((await rig.readBack()).size, disk.nodes.size - 2);
  });
});
