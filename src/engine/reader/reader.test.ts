import assert from "node:assert/strict";
import { test } from "node:test";
import { pseudoRandomBytes } from "../../../tests/pseudo-random.ts";
import { makeFixture, Node, type Spec } from "../../../tests/snapshot-fixture.ts";
import { concatBytes, toHex, utf8 } from "../../core/bytes.ts";
import { AppError, type ErrorCode } from "../../core/errors.ts";
import { type RawPath, rawFromText } from "../../core/raw-path.ts";
import { KIND_DATA } from "../../wire/v4/vault-port.ts";
import { diffTrees } from "./diff.ts";
import { readFile } from "./file-content.ts";
import { compileGlobs } from "./glob.ts";
import { resolveSnapshot, splitSnapshotPath } from "./resolve.ts";
import { findEntries, rootOf, treeStats, versionsOf } from "./search.ts";
import { listSnapshots } from "./snapshots.ts";
import { listDirectory, lookup, requireEntry } from "./tree-reader.ts";
import { verifyContents } from "./verify.ts";
import { walkTree } from "./walk.ts";

function hasCode(code: ErrorCode) {
  return (error: unknown) => error instanceof AppError && error.code === code;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test("a file comes back whole, whatever its chunks and blocks, and costs one block at a time", async () => {
  const f = await makeFixture();
  const content = pseudoRandomBytes(5, 900_000);
  await f.snapshot({ big: content, small: "hello", empty: "" }, { cut: 10_000, perBlock: 7 });
  const reader = f.reader(200_000);
  const { info } = await resolveSnapshot(reader, "latest");
  const read = async (path: string) =>
    concatBytes(await collect(readFile(reader, await requireEntry(reader, info, rawFromText(path)))));
  assert.deepEqual(await read("/big"), content);
  assert.deepEqual(await read("/small"), utf8("hello"));
  assert.equal((await read("/empty")).length, 0);
  assert.equal(f.vault.calls.keys, 1, "a session key is asked for once");
  await assert.rejects(collect(readFile(reader, rootOf({ info }))), hasCode("usage"));
});

test("a reader for one snapshot names the one that it was made from, and leaves the opening of blocks to it", async () => {
  const f = await makeFixture();
  await f.snapshot({ small: "hello" });
  const whole = f.reader();
  const open = whole.openSealed.bind(whole);
  let opened = 0;
  whole.openSealed = (...block) => {
    opened++;
    return open(...block);
  };
  const snapshot = await resolveSnapshot(whole, "latest");
  const reader = whole.of(snapshot);
  assert.equal(reader.whole, whole);
  assert.equal(whole.whole, whole);
  const before = opened;
  await collect(readFile(reader, await requireEntry(reader, snapshot.info, rawFromText("/small"))));
  assert.ok(opened > before);
});

test("damage is named: a flipped bit, a lost block, a block that holds something else", async () => {
  const f = await makeFixture();
  await f.snapshot({ a: "first", b: "second" }, { perBlock: 1 });
  const { info } = await resolveSnapshot(f.reader(), "latest");
  const read = async (path: string) => {
    const reader = f.reader();
    return collect(readFile(reader, await requireEntry(reader, info, rawFromText(path))));
  };
  const [first, second] = [...f.vault.blocks.values()].filter(({ location }) => location.kind === KIND_DATA);
  const good = first!.sealed.slice();
  first!.sealed[3]! ^= 1;
  await assert.rejects(read("/a"), hasCode("block_corrupt"));
  first!.sealed = good;

  for (const [id, blockNo] of f.vault.index) {
    if (blockNo === first!.location.blockNo) f.vault.index.set(id, second!.location.blockNo);
  }
  await assert.rejects(read("/a"), hasCode("chunk_corrupt"));
  for (const [id, blockNo] of f.vault.index) if (blockNo === second!.location.blockNo) f.vault.index.delete(id);
  await assert.rejects(read("/a"), hasCode("chunk_missing"));
});

test("snapshots are found by id, age and plan; a miss says what there is", async () => {
  const f = await makeFixture();
  const rows = [];
  for (const [plan, time] of [
    ["home", 3000],
    ["srv", 1000],
    ["home", 2000],
  ] as const) {
    rows.push(await f.snapshot({ x: `${time}` }, { plan, time }));
  }
  const reader = f.reader();
  const idOf = async (expression: string) => (await resolveSnapshot(reader, expression)).row.id;
  assert.equal(await idOf("latest"), rows[2]!.id, "the vault's order counts, not the device's clock");
  assert.equal(await idOf("latest:1"), rows[2]!.id);
  assert.equal(await idOf("latest:3"), rows[0]!.id);
  assert.equal(await idOf("latest@srv"), rows[1]!.id);
  assert.equal(await idOf("latest:2@home"), rows[0]!.id);
  assert.equal(await idOf(rows[1]!.id.slice(0, 8).toUpperCase()), rows[1]!.id);
  await assert.rejects(idOf("latest:4"), /there are 3/);
  await assert.rejects(idOf("latest@nope"), hasCode("not_found"));
  await assert.rejects(idOf("latest:0"), hasCode("usage"));
  await assert.rejects(idOf(rows[1]!.id.slice(0, 3)), hasCode("usage"));
  await assert.rejects(idOf("ffffffffffff"), hasCode("not_found"));
  f.vault.rows.push({ ...rows[0]!, id: `${rows[0]!.id.slice(0, 6)}${"0".repeat(58)}` as never });
  await assert.rejects(idOf(rows[0]!.id.slice(0, 5)), hasCode("ambiguous_id"));
  assert.deepEqual(splitSnapshotPath("latest:2@home:/a/b"), { snapshot: "latest:2@home", path: "/a/b" });
});

test("a record is trusted only with its device's signature and its own id", async () => {
  const f = await makeFixture();
  const good = await f.snapshot({ x: "1" });
  const other = await f.snapshot({ x: "2" });
  f.vault.records.set(good.id, f.vault.records.get(other.id)!);
  let [first, second] = await listSnapshots(f.reader());
  assert.equal(first!.error?.code, "record_corrupt");
  assert.equal(second!.error, undefined);

  const strange = await makeFixture();
  f.vault.deviceRows[0] = { ...strange.vault.deviceRows[0]!, device: f.signer.device };
  [, second] = await listSnapshots(f.reader());
  assert.equal(second!.error?.code, "signature_bad");
  f.vault.deviceRows.length = 0;
  [, second] = await listSnapshots(f.reader());
  assert.equal(second!.error?.code, "signature_bad");
});

test("a walk gives every entry in order, in folders of many segments too", async () => {
  const f = await makeFixture();
  const many = Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`f${String(i).padStart(3, "0")}`, `${i}`]));
  await f.snapshot({ a: { deep: { many } }, "a.txt": "x", z: {} }, { perSegment: 7 });
  const reader = f.reader();
  const { info } = await resolveSnapshot(reader, "latest");
  const steps = await collect(walkTree(reader, rootOf({ info })));
  const shown = steps.map(({ kind, path }) => `${kind} ${path}`);
  assert.deepEqual(shown.slice(0, 5), [
    "enter /",
    "enter /a",
    "enter /a/deep",
    "enter /a/deep/many",
    "entry /a/deep/many/f000",
  ]);
  assert.deepEqual(shown.slice(-7), [
    "leave /a/deep/many",
    "leave /a/deep",
    "leave /a",
    "entry /a.txt",
    "enter /z",
    "leave /z",
    "leave /",
  ]);
  assert.equal(steps.filter(({ kind }) => kind === "entry").length, 251);
  for (const name of ["f000", "f006", "f007", "f123", "f249"]) {
    const found = await lookup(reader, info, rawFromText(`/a/deep/many/${name}`));
    assert.equal(found?.entry.name, name);
  }
  for (const path of ["/a/deep/many/f", "/a/deep/many/f0005", "/a/deep/many/g", "/a.txt/x", "/nope"]) {
    assert.equal(await lookup(reader, info, rawFromText(path)), undefined);
  }
  await assert.rejects(lookup(reader, info, rawFromText("/a/../z")), hasCode("usage"));
  const listed = await collect(
    listDirectory(reader, "/a" as RawPath, (await requireEntry(reader, info, rawFromText("/a"))).entry),
  );
  assert.deepEqual(
    listed.map(({ path }) => path),
    ["/a/deep"],
  );
});

test("a walk passes a damaged folder, reports it once and goes on", async () => {
  const f = await makeFixture();
  await f.snapshot({ a: { x: "1" }, b: { y: "2" } }, { perBlock: 1 });
  const { info } = await resolveSnapshot(f.reader(), "latest");
  const a = await requireEntry(f.reader(), info, rawFromText("/a"));
  const id = toHex(a.entry.chunkIds!);
  f.vault.blocks.get(f.vault.index.get(id)!)!.sealed[0]! ^= 1;
  const steps = await collect(walkTree(f.reader(), rootOf({ info })));
  assert.deepEqual(
    steps.map(({ kind, path }) => `${kind} ${path}`),
    ["enter /", "enter /a", "problem /a", "leave /a", "enter /b", "entry /b/y", "leave /b", "leave /"],
  );
});

test("folders nested beyond the limit are a problem, not a crash", async () => {
  const f = await makeFixture();
  let spec: Spec = { bottom: "x" };
  for (let i = 0; i < 4200; i++) spec = { d: spec };
  await f.snapshot(spec as Record<string, Spec>, { perBlock: 2000 });
  const reader = f.reader();
  const { info } = await resolveSnapshot(reader, "latest");
  const problems = (await collect(walkTree(reader, rootOf({ info })))).filter(({ kind }) => kind === "problem");
  assert.deepEqual(
    problems.map(({ error }) => error?.code),
    ["limit"],
  );
});

test("globs fit names, ends of paths, whole paths and folders", () => {
  const fits = (pattern: string, path: string, isDirectory = false) =>
    compileGlobs([pattern])(rawFromText(path), isDirectory);
  assert.ok(fits("*.txt", "/a/b/c.txt"));
  assert.ok(fits("*.txt", "/a/.hidden.txt"));
  assert.ok(!fits("*.txt", "/a/c.txt/d"));
  assert.ok(fits("b/*.txt", "/a/b/c.txt"));
  assert.ok(!fits("a/*.txt", "/a/b/c.txt"));
  assert.ok(fits("/a/**", "/a/b/c.txt"));
  assert.ok(!fits("/b/**", "/a/b/c.txt"));
  assert.ok(fits("node_modules/", "/a/node_modules", true));
  assert.ok(!fits("node_modules/", "/a/node_modules", false));
  assert.ok(fits("ü?", "/x/üé"), "one character is one character, not one byte");
  assert.throws(() => compileGlobs([""]), hasCode("usage"));
});

test("find, versions and stats look through snapshots", async () => {
  const f = await makeFixture();
  await f.snapshot({ d: { a: "1", b: "x" }, l: "->d" });
  await f.snapshot({ d: { a: "1", b: "y" } });
  await f.snapshot({ d: { a: "2" } });
  const reader = f.reader();
  const snapshots = (await listSnapshots(reader)).filter((listed) => !listed.error);
  const found = await collect(findEntries(reader, snapshots, compileGlobs(["[ab]"])));
  assert.deepEqual(
    found.map(({ path }) => path),
    ["/d/a", "/d/b", "/d/a", "/d/b", "/d/a"],
  );
  const versions = await versionsOf(reader, rawFromText("/d/a"));
  assert.deepEqual(
    versions.map(({ alsoIn }) => alsoIn.length),
    [1, 0],
  );
  const { largestFile, ...stats } = await treeStats(reader, rootOf(snapshots[0]!));
  assert.deepEqual(stats, { files: 2, directories: 2, links: 1, others: 0, bytes: 2, uniqueBytes: 2 });
  assert.equal(largestFile?.size, 1);
});

test("a difference lists what changed and opens nothing that did not", async () => {
  const f = await makeFixture();
  const same = { deep: { deeper: { x: "1" } } };
  await f.snapshot({ same, a: "1", b: { x: "1" }, c: "c", k: "->x", m: "m" }, { perBlock: 1 });
  await f.snapshot(
    { same, a: "2", c: { y: "2" }, k: "->y", m: new Node({ mode: 0o600 }, utf8("m")), n: "n" },
    { perBlock: 1 },
  );
  const reader = f.reader();
  const [before, after] = await Promise.all(["latest:2", "latest"].map((name) => resolveSnapshot(reader, name)));
  const fetches = f.vault.calls.fetch;
  const changes = await collect(diffTrees({ before: reader, after: reader }, rootOf(before!), rootOf(after!)));
  assert.deepEqual(
    changes.map(({ kind, path }) => `${kind} ${path}`),
    ["modified /a", "removed /b", "removed /b/x", "type /c", "added /c/y", "modified /k", "metadata /m", "added /n"],
  );
  assert.equal(f.vault.calls.fetch - fetches, 4, "both roots, b and the new c");
});

test("verify is silent on a good vault and names each kind of damage", async () => {
  const f = await makeFixture();
  await f.snapshot({ d: { a: "first" }, b: "second", e: {} }, { perBlock: 1 });
  await f.snapshot({ d: { a: "first" }, b: "third" }, { perBlock: 1 });
  const verify = async (readData = true, sample = 1) =>
    (await verifyContents({ reader: f.reader(), readData, sample })).problems.map(
      ({ object, code, warning }) => `${object.split(" ")[0]} ${code}${warning ? " warning" : ""}`,
    );
  assert.deepEqual(await verify(), []);

  const block = [...f.vault.blocks.values()].find(({ location }) => location.kind === KIND_DATA)!;
  block.sealed[5]! ^= 4;
  assert.deepEqual(await verify(false), [], "without reading data nobody can know");
  assert.deepEqual(await verify(true, 0), []);
  assert.deepEqual(await verify(), ["block block_corrupt", "block block_corrupt"], "once for each snapshot");
  block.sealed[5]! ^= 4;

  for (const [id, blockNo] of f.vault.index) if (blockNo === block.location.blockNo) f.vault.index.delete(id);
  assert.deepEqual(await verify(false), ["file chunk_missing", "file chunk_missing"]);
});

test("verify warns of a snapshot that does not protect what it needs", async () => {
  const f = await makeFixture();
  await f.snapshot({ a: "x" }, { refs: (all) => all.slice(1) });
  const { problems } = await verifyContents({ reader: f.reader() });
  assert.deepEqual(
    problems.map(({ code, warning }) => [code, warning]),
    [["record_corrupt", true]],
  );
});

test("verify compares lengths: an authentic chunk of the wrong size is found", async () => {
  const f = await makeFixture();
  await f.snapshot({ a: new Node({ size: 4, chunkLengths: [4] }, utf8("12345")) });
  const { problems } = await verifyContents({ reader: f.reader(), readData: true });
  assert.deepEqual(
    problems.map(({ code, path }) => [code, path]),
    [["chunk_corrupt", "/a"]],
  );
});
