// Restoring files whose chunks stand in lists: anew, in place, in many windows, and when a list cannot be had.

import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { test } from "node:test";
import { toHex, utf8 } from "../../src/core/bytes.ts";
import type { RawPath } from "../../src/core/raw-path.ts";
import { resolveSnapshot } from "../../src/engine/reader/resolve.ts";
import { requireEntry } from "../../src/engine/reader/tree-reader.ts";
import { chunkIdAt } from "../../src/wire/v4/tree-types.ts";
import { pseudoRandomBytes } from "../pseudo-random.ts";
import { Node } from "../snapshot-fixture.ts";
import { RestoreRig, shown } from "./rig.ts";

const MIB = 2 ** 20;
const shape = { cut: MIB, perBlock: 4, perList: 3 } as const;

function contentOf(rig: RestoreRig, name: string): Uint8Array {
  return new Uint8Array(readFileSync(rig.path(name)));
}

test("anew, then in place where it differs, and then not at all", async (t) => {
  const rig = await RestoreRig.make(t);
  const big = pseudoRandomBytes(1, 20 * MIB + 5);
  const spec = { big, few: pseudoRandomBytes(2, 2 * MIB), small: "1" };
  const made = await rig.roundTrip(spec, { verify: true, workers: 2 }, shape);
  assert.deepEqual([made.problemList, made.writtenBytes, made.files], [[], 22 * MIB + 6, 3]);
  assert.deepEqual(contentOf(rig, "big"), big);
  const inode = statSync(rig.path("big")).ino;
  const descriptor = openSync(rig.path("big"), "r+");
  for (const at of [0, 2 * MIB + 9, 20 * MIB + 4]) writeSync(descriptor, "x", at);
  closeSync(descriptor);
  const dry = await rig.restore({ dryRun: true });
  assert.deepEqual(shown(rig, dry), ["unchanged few", "unchanged small", "update big"]);
  const patched = await rig.restore({ verify: true });
  assert.deepEqual([patched.writtenBytes, statSync(rig.path("big")).ino], [2 * MIB + 5, inode]);
  assert.deepEqual(contentOf(rig, "big"), big);
  truncateSync(rig.path("big"), 17 * MIB);
  assert.equal((await rig.restore()).writtenBytes, 3 * MIB + 5);
  assert.deepEqual(contentOf(rig, "big"), big);
  assert.deepEqual(shown(rig, await rig.restore()), ["unchanged big", "unchanged few", "unchanged small"]);
});

test("smaller than what is changed in place: it takes the place of what was there, or is kept", async (t) => {
  const rig = await RestoreRig.make(t);
  const spec = { big: pseudoRandomBytes(1, 9 * MIB), twin: pseudoRandomBytes(1, 9 * MIB) };
  await rig.fixture.snapshot(spec, shape);
  writeFileSync(rig.path("big"), pseudoRandomBytes(7, 9 * MIB));
  await rig.restore();
  for (const name of ["big", "twin"]) assert.deepEqual(contentOf(rig, name), spec.big);
  assert.equal((await rig.restore({ overwrite: "if-changed" })).writtenBytes, 0);
  assert.deepEqual(shown(rig, await rig.restore()), ["unchanged big", "unchanged twin"]);
  writeFileSync(rig.path("big"), spec.big.with(9 * MIB - 1, spec.big.at(-1)! ^ 1));
  assert.deepEqual(shown(rig, await rig.restore()), ["unchanged twin", "update big"]);
  assert.deepEqual(contentOf(rig, "big"), spec.big);
});

test("larger than a window, full of holes or nothing but one", async (t) => {
  const rig = await RestoreRig.make(t);
  const zeros = new Uint8Array(4 * MIB);
  const data = pseudoRandomBytes(3, 4 * MIB);
  const size = 80 * 4 * MIB;
  const holes = [
    { offset: 0, length: 40 * 4 * MIB },
    { offset: 41 * 4 * MIB, length: 39 * 4 * MIB },
  ];
  const chunks = Array<Uint8Array>(80).fill(zeros);
  const spec = {
    hole: new Node({ holes: [{ offset: 0, length: size }] }, chunks),
    holed: new Node({ holes }, chunks.with(40, data)),
  };
  for (const perList of [7, 1000]) {
    const result = await rig.roundTrip(spec, { target: rig.path(`${perList}`) }, { perList, perBlock: 1 });
    assert.deepEqual(result.problemList, []);
    for (const name of ["holed", "hole"]) {
      const stat = statSync(rig.path(`${perList}/${name}`));
      assert.equal(stat.size, size);
      assert.ok(stat.blocks * 512 < 5 * MIB, `${name} takes ${stat.blocks * 512} bytes`);
    }
    assert.deepEqual(contentOf(rig, `${perList}/holed`).subarray(160 * MIB, 164 * MIB), data);
  }
});

test("of several names is one file", async (t) => {
  const rig = await RestoreRig.make(t);
  const hardLink = { device: 1, inode: 7 };
  const big = pseudoRandomBytes(1, 9 * MIB);
  const spec = {
    a: new Node({ hardLink }, big),
    b: new Node({ hardLink }, big),
    c: new Node({ hardLink }, utf8("other")),
  };
  await rig.roundTrip(spec, {}, shape);
  assert.equal(statSync(rig.path("a")).ino, statSync(rig.path("b")).ino);
  assert.deepEqual(contentOf(rig, "b"), big);
});

test("with a list that lies or is gone: the file is named and left as it was, the rest comes back", async (t) => {
  for (const which of [0, 2, 6]) {
    for (const kind of ["lies", "gone"]) {
      const rig = await RestoreRig.make(t);
      const spec = { after: "2", before: "1", big: pseudoRandomBytes(1, 20 * MIB), z: { last: "3" } };
      const lie = (list: Uint8Array<ArrayBuffer>) => list.slice(1);
      const falsify = (list: Uint8Array<ArrayBuffer>, i: number) => (kind === "lies" && i === which ? lie(list) : list);
      await rig.fixture.snapshot(spec, { ...shape, perBlock: 1, falsify });
      if (kind === "gone") {
        const reader = rig.fixture.reader();
        const { info } = await resolveSnapshot(reader, "latest");
        const { entry } = await requireEntry(reader, info, "/big" as RawPath);
        rig.fixture.vault.index.delete(toHex(chunkIdAt(entry.chunkIds!, which)));
      }
      const code = kind === "lies" ? "tree_corrupt" : "chunk_missing";
      for (const options of [{ dryRun: true }, {}]) {
        const result = await rig.restore(options);
        assert.deepEqual(
          result.problemList.map((problem) => [problem.path.slice(rig.target.length), problem.code]),
          [["/big", code]],
        );
        assert.equal(result.damaged, true);
      }
      assert.deepEqual(rig.tree(), { after: "2", before: "1", "z/": "/", "z/last": "3" });
      writeFileSync(rig.path("big"), "what was there");
      await rig.restore();
      assert.equal(rig.read("big"), "what was there");
    }
  }
});

test("in place, with a list that lies: it says that the file is left partly updated", async (t) => {
  const rig = await RestoreRig.make(t);
  // So far behind that windows before it are written by then.
  const big = new Node({}, Array<Uint8Array>(280).fill(pseudoRandomBytes(1, MIB)));
  const falsify = (list: Uint8Array<ArrayBuffer>, i: number) => (i === 90 ? list.slice(1) : list);
  await rig.fixture.snapshot({ big }, { ...shape, falsify });
  writeFileSync(rig.path("big"), "");
  truncateSync(rig.path("big"), 280 * MIB);
  const result = await rig.restore({ workers: 2 });
  assert.deepEqual(
    result.problemList.map(({ code }) => code),
    ["tree_corrupt"],
  );
  assert.match(result.problemList[0]!.detail, /partly updated/);
});
