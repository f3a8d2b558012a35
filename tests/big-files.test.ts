// Files whose chunks stand in lists, made small by other limits than everybody's: all that is done with a file works with them too, in
// Node and in Chromium.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { concatBytes, equalBytes, toHex, utf8 } from "../src/core/bytes.ts";
import type { RawPath } from "../src/core/raw-path.ts";
import type { ListCutting } from "../src/engine/backup/chunk-lists.ts";
import { dumpTar } from "../src/engine/dump/tar.ts";
import { contentRuns } from "../src/engine/reader/content-runs.ts";
import { diffTrees } from "../src/engine/reader/diff.ts";
import { readFile } from "../src/engine/reader/file-content.ts";
import { resolveSnapshot } from "../src/engine/reader/resolve.ts";
import { rootOf, treeStats, versionsOf } from "../src/engine/reader/search.ts";
import { requireEntry } from "../src/engine/reader/tree-reader.ts";
import { verifyContents } from "../src/engine/reader/verify.ts";
import { decodeChunkList } from "../src/wire/v4/chunk-list.ts";
import { decodeRefs } from "../src/wire/v4/refs.ts";
import { chunkIdAt, type TreeEntry } from "../src/wire/v4/tree-types.ts";
import { KIND_TREE } from "../src/wire/v4/vault-port.ts";
import { type BackupRig, makeRig, type RigRun } from "./backup-rig.ts";
import { pseudoRandomBytes } from "./pseudo-random.ts";
import { type Fixture, makeFixture, type SnapshotOptions } from "./snapshot-fixture.ts";

const MIB = 2 ** 20;
/** A file of 24 MiB has about 45 chunks, which make about ten lists. */
const listCutting: ListCutting = { direct: 6, min: 2, oneIn: 4, max: 8 };
const BIG = "/d/big" as RawPath;

async function entryAt(rig: BackupRig, path: RawPath, expression = "latest"): Promise<TreeEntry> {
  const reader = rig.reader();
  return (await requireEntry(reader, (await resolveSnapshot(reader, expression)).info, path)).entry;
}

function idsOf({ chunkIds }: TreeEntry): string[] {
  return Array.from({ length: chunkIds!.length / 32 }, (_, i) => toHex(chunkIdAt(chunkIds!, i)));
}

async function assertAll(rig: BackupRig): Promise<void> {
  for (const [path, { content }] of await rig.readBack()) {
    if (content) assert.ok(equalBytes(content, rig.disk.get(path).content), path);
  }
  assert.deepEqual((await verifyContents({ reader: rig.reader(), readData: true })).problems, []);
}

describe("a file of many chunks", async () => {
  const rig = await makeRig();
  const { disk, vault } = rig;
  const content = pseudoRandomBytes(1, 24 * MIB);
  const run = (options: Parameters<BackupRig["run"]>[0] = {}): Promise<RigRun> => rig.run({ listCutting, ...options });

  test("gets lists, and comes back", async () => {
    disk.write(BIG, content);
    disk.write("/d/few", pseudoRandomBytes(2, 2 * MIB));
    disk.write("/d/text", utf8("small"));
    const { progress, problems } = await run();
    assert.deepEqual([problems, progress.files, progress.bytes], [[], 3, 26 * MIB + 5]);
    const entry = await entryAt(rig, BIG);
    assert.equal(entry.indirect, true);
    assert.ok(entry.chunkLengths!.length >= 5, `${entry.chunkLengths!.length} lists`);
    assert.equal((await entryAt(rig, "/d/few" as RawPath)).indirect, undefined);
    await assertAll(rig);
  });

  test("is neither read nor asked for again when it did not change, and its neighbours may", async () => {
    for (const change of [false, true, false]) {
      if (change) disk.write("/d/text", utf8("changed"));
      const before = { stored: vault.storedBytes, asked: vault.asked };
      const { opened, progress } = await run();
      assert.deepEqual([opened, progress.unchangedFiles], change ? [["/d/text"], 2] : [[], 3]);
      if (!change) assert.deepEqual({ stored: vault.storedBytes, asked: vault.asked }, before);
      assert.ok(vault.storedBytes - before.stored < 10_000);
      await assertAll(rig);
    }
  });

  test("is known again without a state: nothing of it is sent twice", async () => {
    const before = vault.storedBytes;
    const { opened, progress } = await run({ previous: undefined });
    assert.ok(opened.includes(BIG));
    assert.deepEqual([progress.newBytes, vault.storedBytes - before], [0, 0]);
    await assertAll(rig);
  });

  test("that gets a byte in its middle gets few new lists", async () => {
    const old = idsOf(await entryAt(rig, BIG));
    const middle = 12 * MIB + 77;
    disk.write(BIG, concatBytes([content.subarray(0, middle), Uint8Array.of(1), content.subarray(middle)]));
    const before = vault.storedBytes;
    await run();
    const fresh = idsOf(await entryAt(rig, BIG)).filter((id) => !old.includes(id));
    assert.ok(fresh.length >= 1 && fresh.length <= 3, `${fresh.length} of ${old.length} lists are new`);
    assert.ok(vault.storedBytes - before < 5 * MIB, `${vault.storedBytes - before} bytes`);
    await assertAll(rig);
  });

  test("has versions and differences like any other", async () => {
    const reader = rig.reader();
    const kinds = async (path: RawPath) => (await versionsOf(reader, path)).map(({ alsoIn }) => alsoIn.length);
    assert.deepEqual(await kinds(BIG), [4, 0]);
    const [before, after] = [await resolveSnapshot(reader, "latest:2"), await resolveSnapshot(reader, "latest")];
    const changes: string[] = [];
    for await (const { kind, path } of diffTrees({ before: reader, after: reader }, rootOf(before), rootOf(after)))
      changes.push(`${kind} ${path}`);
    assert.deepEqual(changes, ["modified /d/big"]);
    assert.equal((await treeStats(reader, rootOf(after))).bytes, 26 * MIB + 1 + 7);
  });

  test("is read in parts, and no more of it than the part needs", async () => {
    const { content: now } = disk.get(BIG);
    const entry = await entryAt(rig, BIG);
    const border = entry.chunkLengths![0]!;
    for (const [start, end] of [
      [0, 1],
      [border - 1, border + 1],
      [border, border],
      [7 * MIB + 3, 15 * MIB],
      [now.length - 5, now.length + 100],
      [now.length, now.length + 1],
      [0, now.length],
    ] as const) {
      const pieces: Uint8Array[] = [];
      const range = { start, end };
      for await (const piece of readFile(rig.reader(), { path: BIG, entry }, { range })) pieces.push(piece.slice());
      assert.ok(equalBytes(concatBytes(pieces), now.subarray(start, end)), `${start}-${end}`);
      const lists: number[] = [];
      for await (const { offset } of contentRuns(rig.reader(), { path: BIG, entry }, { range })) lists.push(offset);
      if (end - start <= 2) assert.ok(lists.length <= 2, "only the lists that it lies in");
    }
  });

  test("is dumped whole", async () => {
    const reader = rig.reader();
    const start = rootOf(await resolveSnapshot(reader, "latest"));
    const pieces: Uint8Array[] = [];
    for await (const piece of dumpTar(reader, start)) pieces.push(piece.slice());
    const tar = concatBytes(pieces);
    const { content: now } = disk.get(BIG);
    const from = indexOf(tar, now.subarray(0, 64));
    assert.ok(equalBytes(tar.subarray(from, from + now.length), now));
  });

  test("is stored alike from a stream, and on a disk of promises", async () => {
    const other = await makeRig();
    const { secrets } = rig;
    Object.assign(other, { secrets });
    other.disk.isAsync = true;
    other.disk.write(BIG, disk.get(BIG).content);
    await other.run({ listCutting });
    assert.deepEqual(idsOf(await entryAt(other, BIG)), idsOf(await entryAt(rig, BIG)));
    await assertAll(other);
  });

  test("shrinks below the limit and has no lists any more", async () => {
    disk.write(BIG, content.subarray(0, MIB));
    await run();
    assert.equal((await entryAt(rig, BIG)).indirect, undefined);
    await assertAll(rig);
  });

  test("leaves nothing behind on a dry run", async () => {
    disk.write(BIG, pseudoRandomBytes(5, 12 * MIB));
    const before = vault.storedBytes;
    const { progress } = await run({ dryRun: true });
    assert.ok(progress.newBytes > 11 * MIB);
    assert.equal(vault.storedBytes, before);
  });
});

test("every block of a large file is a reference of its snapshot: data and lists", async () => {
  const rig = await makeRig();
  rig.disk.write(BIG, pseudoRandomBytes(1, 24 * MIB));
  rig.disk.write("/d/twin", pseudoRandomBytes(1, 24 * MIB));
  for (let round = 0; round < 2; round++) {
    await rig.run({ listCutting });
    const reader = rig.reader();
    const snapshot = await resolveSnapshot(reader, "latest");
    const entry = await entryAt(rig, BIG);
    const wanted = idsOf(entry).map((_, i) => chunkIdAt(entry.chunkIds!, i));
    for await (const { chunkIds, lengths } of contentRuns(reader, { path: BIG, entry })) {
      for (const i of lengths.keys()) wanted.push(chunkIdAt(chunkIds, i));
    }
    const located = await rig.vault.locateChunks(wanted);
    const refs = new Set(decodeRefs(snapshot.record.refs));
    for (const location of located) assert.ok(location && refs.has(location.blockNo));
    assert.ok(located.slice(0, idsOf(entry).length).every((location) => location?.kind === KIND_TREE));
  }
});

test("a block of lists that is damaged costs a reread of its files only, and heals", async () => {
  const rig = await makeRig();
  const { disk, vault } = rig;
  disk.write(BIG, pseudoRandomBytes(1, 24 * MIB));
  disk.write("/other/file", pseudoRandomBytes(2, 2 * MIB));
  await rig.run({ listCutting });
  const entry = await entryAt(rig, BIG);
  const [location] = await vault.locateChunks([chunkIdAt(entry.chunkIds!, 0)]);
  vault.damaged.add(location!.blockNo);
  const { opened } = await rig.run({ listCutting });
  assert.deepEqual([...new Set(opened)], [BIG]);
  assert.notEqual((await vault.locateChunks([chunkIdAt(entry.chunkIds!, 0)]))[0]!.blockNo, location!.blockNo);
  for (const [path, { content }] of await rig.readBack()) {
    if (content) assert.ok(equalBytes(content, disk.get(path).content), path);
  }
});

describe("lists that lie", () => {
  const file = pseudoRandomBytes(1, 1000);
  const shape: SnapshotOptions = { cut: 100, perList: 4 };

  async function read(fixture: Fixture): Promise<Uint8Array> {
    const reader = fixture.reader();
    const found = await requireEntry(reader, (await resolveSnapshot(reader, "latest")).info, "/f" as RawPath);
    const pieces: Uint8Array[] = [];
    for await (const piece of readFile(reader, found)) pieces.push(piece.slice());
    return concatBytes(pieces);
  }

  test("(true ones are read)", async () => {
    const fixture = await makeFixture();
    await fixture.snapshot({ f: file }, shape);
    assert.ok(equalBytes(await read(fixture), file));
    assert.deepEqual((await verifyContents({ reader: fixture.reader(), readData: true })).problems, []);
  });

  const lies: Record<string, (list: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>> = {
    "are longer than the folder says": (list) => withByte(list, 2, 101),
    "are shorter": (list) => withByte(list, 2, 99),
    "name fewer chunks": (list) => withByte(list, 1, 3),
    "are segments": (list) => withByte(list, 0, 1),
    "are of another kind": (list) => withByte(list, 0, 3),
    "end early": (list) => list.slice(0, -1),
    "are empty": () => new Uint8Array(0),
  };
  for (const [what, lie] of Object.entries(lies)) {
    test(`${what}: the file is refused and named`, async () => {
      const fixture = await makeFixture();
      await fixture.snapshot({ f: file, good: "1" }, { ...shape, falsify: (list, i) => (i === 1 ? lie(list) : list) });
      await assert.rejects(read(fixture), { code: "tree_corrupt" });
      const { problems } = await verifyContents({ reader: fixture.reader(), readData: true });
      assert.deepEqual(
        problems.map(({ object, code, path }) => [object, code, path]),
        [["file", "tree_corrupt", "/f"]],
      );
    });
  }

  test("name a chunk of another length: reading it is refused", async () => {
    const fixture = await makeFixture();
    const swap = (list: Uint8Array<ArrayBuffer>) => withByte(withByte(list, 2, 90), 3, 110);
    await fixture.snapshot({ f: file }, { ...shape, falsify: (list, i) => (i === 1 ? swap(list) : list) });
    await assert.rejects(read(fixture), { code: "chunk_corrupt" });
    const { problems } = await verifyContents({ reader: fixture.reader(), readData: true });
    assert.deepEqual([...new Set(problems.map(({ code }) => code))], ["chunk_corrupt"]);
  });

  test("name what is not there: each missing piece is named", async () => {
    const fixture = await makeFixture();
    const stray = (list: Uint8Array<ArrayBuffer>) => withByte(list, list.length - 1, list.at(-1)! ^ 1);
    await fixture.snapshot({ f: file }, { ...shape, falsify: (list, i) => (i === 0 ? stray(list) : list) });
    await assert.rejects(read(fixture), { code: "chunk_missing" });
    const { problems } = await verifyContents({ reader: fixture.reader() });
    assert.deepEqual(
      problems.map(({ code, path }) => [code, path]),
      [["chunk_missing", "/f"]],
    );
  });

  test("a list where a chunk should be, and the other way round, is not there", async () => {
    const fixture = await makeFixture();
    const reader = fixture.reader();
    await fixture.snapshot({ f: file }, shape);
    const info = (await resolveSnapshot(reader, "latest")).info;
    const { entry } = await requireEntry(reader, info, "/f" as RawPath);
    const path = "/f" as RawPath;
    const asChunks = readFile(reader, { path, entry: { ...entry, indirect: undefined } });
    await assert.rejects(asChunks.next(), { code: "chunk_corrupt" });
    for await (const run of contentRuns(reader, { path, entry })) {
      const lengths = [...run.lengths];
      const nested = { ...entry, chunkIds: run.chunkIds, chunkLengths: lengths };
      await assert.rejects(readFile(reader, { path, entry: nested }).next(), { code: "chunk_corrupt" });
    }
  });

  test("that repeat are read as often as they are named", async () => {
    const fixture = await makeFixture();
    await fixture.snapshot({ f: new Uint8Array(4000).fill(7) }, shape);
    assert.ok(equalBytes(await read(fixture), new Uint8Array(4000).fill(7)));
    const reader = fixture.reader();
    const { entry } = await requireEntry(reader, (await resolveSnapshot(reader, "latest")).info, "/f" as RawPath);
    assert.equal(new Set(idsOf(entry)).size, 1);
    const [list] = await reader.readChunks([chunkIdAt(entry.chunkIds!, 0)], KIND_TREE);
    assert.equal(decodeChunkList(list!, 400).lengths.length, 4);
  });
});

function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice();
  copy[at] = value;
  return copy;
}

function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  for (let at = 0; at + part.length <= bytes.length; at += 512) {
    if (equalBytes(bytes.subarray(at, at + part.length), part)) return at;
  }
  return -1;
}
