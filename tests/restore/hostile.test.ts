// Trees that no backup of ours makes: whatever a device with the writer's secrets could sign must not get out of the target,
// hang, or take memory without bound.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { utf8 } from "../../src/core/bytes.ts";
import { type RawPath, rawFromText } from "../../src/core/raw-path.ts";
import { Node, type Spec } from "../snapshot-fixture.ts";
import { RestoreRig } from "./rig.ts";

test("names that lead elsewhere make the folder unreadable, not the disk writable", async (t) => {
  for (const name of ["..", ".", "", "a/b", "../escape", "/etc/passwd", "nul\0"]) {
    const rig = await RestoreRig.make(t);
    const evil = new Node({ name: name as RawPath }, utf8("evil"));
    const result = await rig.roundTrip({ d: { x: evil }, good: "1" });
    assert.deepEqual(
      result.problemList.map(({ code }) => code),
      ["tree_corrupt"],
      JSON.stringify(name),
    );
    assert.deepEqual(rig.tree(), { "d/": "/", good: "1" });
    assert.deepEqual(rig.tree(rig.base), { "target/": "/", "target/d/": "/", "target/good": "1" });
  }
});

test("names that no file system takes are listed, one by one", async (t) => {
  const rig = await RestoreRig.make(t);
  const result = await rig.roundTrip({ ["n".repeat(256)]: "x", ["d".repeat(300)]: { y: "y" }, ok: "1" });
  assert.deepEqual(
    result.problemList.map(({ code }) => code),
    ["filename_invalid", "filename_invalid"],
  );
  assert.deepEqual(rig.tree(), { ok: "1" });
});

test("a name twice, as link and as folder, is refused with its folder", async (t) => {
  const rig = await RestoreRig.make(t);
  mkdirSync(`${rig.base}/outside`);
  const link = new Node({ name: "a" as RawPath, type: 3, linkTarget: rawFromText(`${rig.base}/outside`) });
  const folder = new Node({ name: "a" as RawPath }, undefined, { pwned: "x" });
  for (const options of [{}, { perSegment: 1 }]) {
    await rig.roundTrip({ d: { a: link, b: folder } }, {}, options);
    assert.deepEqual(rig.tree(`${rig.base}/outside`), {});
  }
});

test("a link in the target where a folder should be is replaced, never followed", async (t) => {
  const rig = await RestoreRig.make(t);
  mkdirSync(`${rig.base}/outside`);
  writeFileSync(`${rig.base}/outside/file`, "precious");
  symlinkSync(`${rig.base}/outside`, rig.path("d"));
  symlinkSync(`${rig.base}/outside/file`, rig.path("f"));
  const spec = { d: { file: "restored", other: "x" }, f: "restored" };
  const result = await rig.roundTrip(spec, { delete: true });
  assert.deepEqual(result.problemList, []);
  assert.deepEqual(rig.tree(`${rig.base}/outside`), { file: "precious" });
  assert.deepEqual(rig.tree(), { "d/": "/", "d/file": "restored", "d/other": "x", f: "restored" });
});

test("a link above the restored folder is refused: it may be the machine's own", async (t) => {
  const rig = await RestoreRig.make(t);
  mkdirSync(`${rig.base}/data`);
  symlinkSync(`${rig.base}/data`, rig.path("home"));
  const result = await rig.roundTrip({ home: { ann: { x: "1" } } }, {}, { paths: ["/home/ann"] });
  assert.deepEqual(
    result.problemList.map(({ code }) => code),
    ["restore_conflict"],
  );
  assert.deepEqual(rig.tree(rig.base), { "data/": "/", "target/": "/", "target/home": `->${rig.base}/data` });
});

test("a snapshot's own link does not lead its files out in a later restore", async (t) => {
  const rig = await RestoreRig.make(t);
  mkdirSync(`${rig.base}/outside`);
  await rig.roundTrip({ a: `->${rig.base}/outside` });
  await rig.roundTrip({ a: { pwned: "x" } });
  assert.deepEqual(rig.tree(`${rig.base}/outside`), {});
  assert.deepEqual(rig.tree(), { "a/": "/", "a/pwned": "x" });
});

test("a hard link group on something else than files links nothing wrong", async (t) => {
  const rig = await RestoreRig.make(t);
  const hardLink = { device: 0, inode: 0 };
  const result = await rig.roundTrip({
    d: new Node({ hardLink }, undefined, { x: "1" }),
    e: new Node({ hardLink }, utf8("file")),
    f: new Node({ hardLink, type: 3, linkTarget: rawFromText("/etc/passwd") }),
  });
  assert.deepEqual(result.problemList, []);
  assert.deepEqual(rig.tree(), { "d/": "/", "d/x": "1", e: "file", f: "->/etc/passwd" });
});

test("a size that its chunks do not add up to is refused before anything is reserved", async (t) => {
  const rig = await RestoreRig.make(t);
  const huge = new Node({ size: 2 ** 52, chunkLengths: [2 ** 52] }, utf8("x"));
  const result = await rig.roundTrip({ d: { a: huge, b: new Node({ size: 2 ** 52 }) }, ok: "1" });
  assert.equal(result.damaged, true);
  assert.deepEqual(rig.tree(), { "d/": "/", ok: "1" });
  const several = { a: new Node({ size: 2 ** 41 + 1, chunkLengths: [1, 2 ** 41] }, [utf8("x"), utf8("yy")]) };
  const second = await rig.roundTrip({ e: several }, {}, { perBlock: 1 });
  assert.deepEqual(
    second.problemList.map(({ code }) => code),
    ["chunk_corrupt"],
  );
  assert.ok(!existsSync(rig.path("e/a")));
});

test("a hole as large as a file that is nothing but holes needs no memory for it", async (t) => {
  const rig = await RestoreRig.make(t);
  const size = 2 ** 40;
  const fake = new Node({ size, chunkLengths: [size], holes: [{ offset: 0, length: size }] }, utf8("x"));
  const result = await rig.roundTrip({ fake, ok: "1" });
  assert.deepEqual(
    result.problemList.map(({ code }) => code),
    ["chunk_corrupt"],
  );
  assert.deepEqual(rig.tree(), { ok: "1" });
});

test("folders nested deeper than paths may be are listed; the rest is restored", async (t) => {
  const rig = await RestoreRig.make(t);
  let deep: Spec = { bottom: "x" };
  for (let i = 0; i < 300; i++) deep = { "folder-with-a-long-name": deep };
  const result = await rig.roundTrip({ deep: deep as Record<string, Spec>, ok: "1" });
  assert.deepEqual(
    result.problemList.map(({ code, detail }) => [code, /ENAMETOOLONG/.test(detail)]),
    [["io", true]],
  );
  assert.equal(readFileSync(rig.path("ok"), "utf8"), "1");
});

test("a block from which a chunk of a folder was taken for data is not taken for data", async (t) => {
  const rig = await RestoreRig.make(t);
  await rig.fixture.snapshot({ a: "1" });
  const { blocks, index } = rig.fixture.vault;
  const [data, tree] = [1, 2].map((kind) => [...blocks.values()].find(({ location }) => location.kind === kind)!);
  for (const [id, blockNo] of index) if (blockNo === data!.location.blockNo) index.set(id, tree!.location.blockNo);
  const result = await rig.restore();
  assert.deepEqual(
    result.problemList.map(({ code }) => code),
    ["chunk_missing"],
  );
});
