import assert from "node:assert/strict";
import {
  chmodSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { test } from "node:test";
import { getXattr, setTimes, setXattr } from "../../src/client/posix.ts";
import { utf8 } from "../../src/core/bytes.ts";
import { AppError, type ErrorCode } from "../../src/core/errors.ts";
import { rawFromBytes, rawFromText } from "../../src/core/raw-path.ts";
import { ENTRY } from "../../src/wire/v4/tree-types.ts";
import { pseudoRandomBytes } from "../pseudo-random.ts";
import { Node, type Spec, TIME } from "../snapshot-fixture.ts";
import { RestoreRig, shown } from "./rig.ts";

const isRoot = process.getuid?.() === 0;

function hasCode(code: ErrorCode) {
  return (error: unknown) => error instanceof AppError && error.code === code;
}

test("names, contents, links, modes and times come back, to the nanosecond", async (t) => {
  const rig = await RestoreRig.make(t);
  const big = pseudoRandomBytes(1, 700_000);
  const result = await rig.roundTrip(
    {
      home: {
        ann: {
          "ünï code": "text",
          empty: "",
          big,
          script: new Node({ mode: 0o4751 }, utf8("#!")),
          private: new Node({ mode: 0o700 }, undefined, { key: new Node({ mode: 0o400 }, utf8("secret")) }),
          shared: new Node({ mode: 0o1777 }, undefined, {}),
          readonly: new Node({ mode: 0o555 }, undefined, { x: "x" }),
          dangling: "->/nowhere",
        },
      },
    },
    { verify: true },
    { perBlock: 3, cut: 100_000 },
  );
  assert.deepEqual(result.problemList, []);
  assert.deepEqual([result.files, result.directories, result.others, result.damaged], [6, 5, 1, false]);
  assert.equal(rig.read("home/ann/ünï code"), "text");
  assert.deepEqual(new Uint8Array(readFileSync(rig.path("home/ann/big"))), big);
  const mode = (name: string) => lstatSync(rig.path(`home/ann/${name}`)).mode & 0o7777;
  assert.deepEqual(
    ["script", "private", "private/key", "shared", "readonly", "empty"].map(mode),
    [0o4751, 0o700, 0o400, 0o1777, 0o555, 0o644],
  );
  for (const name of ["home", "home/ann", "home/ann/big", "home/ann/empty", "home/ann/dangling", "home/ann/readonly"]) {
    const { mtimeNs } = lstatSync(rig.path(name), { bigint: true });
    assert.equal(mtimeNs, BigInt(TIME) * 1_000_000_000n + 123_456_789n, name);
  }
  if (isRoot) chmodSync(rig.path("home/ann/readonly"), 0o755);
});

test("names that are not UTF-8 come back byte for byte", async (t) => {
  const rig = await RestoreRig.make(t);
  const name = rawFromBytes(Uint8Array.of(0x66, 0xff, 0xfe));
  const directory = rawFromBytes(Uint8Array.of(0x64, 0x80));
  await rig.roundTrip({
    a: new Node({ name: directory }, undefined, { b: new Node({ name }, utf8("x")) }),
  });
  const path = Buffer.concat([Buffer.from(`${rig.target}/`), Buffer.from(`${directory}/${name}`, "latin1")]);
  assert.equal(readFileSync(path, "utf8"), "x");
});

test("a hard link group is one file again; a group that lies is not", async (t) => {
  const rig = await RestoreRig.make(t);
  const hardLink = { device: 1, inode: 7 };
  const result = await rig.roundTrip({
    a: { one: new Node({ hardLink }, utf8("same")) },
    b: { two: new Node({ hardLink }, utf8("same")), three: new Node({ hardLink }, utf8("other")) },
  });
  assert.deepEqual(result.problemList, []);
  assert.equal(statSync(rig.path("a/one")).ino, statSync(rig.path("b/two")).ino);
  assert.equal(statSync(rig.path("a/one")).nlink, 2);
  assert.equal(rig.read("b/three"), "other");
  assert.deepEqual(
    (await rig.restore()).items.filter(({ action }) => action !== "unchanged"),
    [],
  );
});

test("when the first name of a group cannot be restored, the next one is", async (t) => {
  const rig = await RestoreRig.make(t);
  const hardLink = { device: 1, inode: 7 };
  mkdirSync(rig.path("one"));
  writeFileSync(rig.path("one/inside"), "mine");
  const result = await rig.roundTrip({
    one: new Node({ hardLink }, utf8("same")),
    three: new Node({ hardLink }, utf8("same")),
    two: new Node({ hardLink }, utf8("same")),
  });
  assert.deepEqual(
    result.problemList.map(({ code }) => code),
    ["restore_conflict"],
  );
  assert.deepEqual(rig.tree(), { "one/": "/", "one/inside": "mine", three: "same", two: "same" });
  assert.equal(statSync(rig.path("two")).ino, statSync(rig.path("three")).ino);
});

test("holes come back as holes, and zeros become holes with --sparse", async (t) => {
  const rig = await RestoreRig.make(t);
  const size = 4 * 2 ** 20;
  const content = new Uint8Array(size);
  content.set(utf8("start"), 0);
  content.set(utf8("end"), size - 3);
  const holes = [{ offset: 4096, length: size - 8192 }];
  const specs: Record<string, Spec> = {
    holed: new Node({ holes }, [content.subarray(0, 2 ** 20), content.subarray(2 ** 20)]),
    zeros: content,
  };
  await rig.roundTrip(specs, { verify: true });
  const allocated = (name: string) => statSync(rig.path(name)).blocks * 512;
  for (const name of ["holed", "zeros"]) assert.deepEqual(new Uint8Array(readFileSync(rig.path(name))), content, name);
  assert.ok(allocated("holed") < 64 * 1024);
  assert.ok(allocated("zeros") >= size / 2);
  await rig.restore({ sparse: true, target: rig.path("again") });
  assert.ok(allocated("again/zeros") < 64 * 1024);
  assert.deepEqual(new Uint8Array(readFileSync(rig.path("again/zeros"))), content);
});

test("a recorded hole over bytes that are not zero does not zero them", async (t) => {
  const rig = await RestoreRig.make(t);
  const content = pseudoRandomBytes(2, 20_000);
  const liar = new Node({ holes: [{ offset: 0, length: 20_000 }] }, content);
  const result = await rig.roundTrip({ liar });
  assert.deepEqual(result.problemList, []);
  assert.deepEqual(new Uint8Array(readFileSync(rig.path("liar"))), content);
});

test("FIFOs and devices are made, sockets are left out", { skip: !isRoot && "device nodes need root" }, async (t) => {
  const rig = await RestoreRig.make(t);
  const special = (fields: object) =>
    new Node({ size: undefined, chunkIds: undefined, chunkLengths: undefined, ...fields });
  const spec = {
    fifo: special({ type: ENTRY.fifo, mode: 0o620 }),
    null: special({ type: ENTRY.charDevice, rdevMajor: 1, rdevMinor: 3, mode: 0o666 }),
    socket: special({ type: ENTRY.socket }),
  };
  const result = await rig.roundTrip(spec);
  assert.deepEqual(result.problemList, []);
  assert.ok(lstatSync(rig.path("fifo")).isFIFO());
  assert.equal(lstatSync(rig.path("fifo")).mode & 0o777, 0o620);
  assert.equal(lstatSync(rig.path("null")).rdev, 0x103);
  assert.ok(!rig.exists("socket"));
  assert.deepEqual(shown(rig, await rig.restore()), ["ignore socket", "unchanged fifo", "unchanged null"]);
});

test("extended attributes are set, corrected and removed", async (t) => {
  const rig = await RestoreRig.make(t);
  const name = rawFromText("user.note");
  const xattrs = [{ name, value: utf8("kept") }];
  await rig.roundTrip({ d: new Node({ xattrs }, undefined, {}), f: new Node({ xattrs }, utf8("x")), plain: "y" });
  const value = (path: string) => getXattr(rawFromText(rig.path(path)), name);
  if (value("f") === undefined) return t.skip("this file system has no extended attributes");
  assert.deepEqual(value("d"), utf8("kept"));
  setXattr(rawFromText(rig.path("f")), name, utf8("changed"));
  setXattr(rawFromText(rig.path("plain")), name, utf8("extra"));
  assert.deepEqual(shown(rig, await rig.restore()), ["metadata f", "metadata plain"]);
  assert.deepEqual(value("f"), utf8("kept"));
  assert.equal(value("plain"), undefined);
});

test("owners are found by name first, then by number", { skip: !isRoot && "only root gives files away" }, async (t) => {
  const rig = await RestoreRig.make(t);
  const owners = { users: new Map([[4711, "daemon"]]), groups: new Map([[4712, "no-such-group"]]) };
  await rig.roundTrip({ f: new Node({ uid: 4711, gid: 4712, mode: 0o6755 }, utf8("x")) }, {}, { owners });
  const { uid, gid, mode } = statSync(rig.path("f"));
  assert.deepEqual([uid, gid, mode & 0o7777], [1, 4712, 0o6755]);
});

test("over an existing tree only what differs is written", async (t) => {
  const rig = await RestoreRig.make(t);
  const spec = { a: "one", b: "two", c: "three", d: { e: "four" } };
  await rig.roundTrip(spec);
  const inode = statSync(rig.path("a")).ino;
  assert.deepEqual(
    shown(rig, await rig.restore()).filter((item) => !item.startsWith("unchanged")),
    [],
  );
  writeFileSync(rig.path("b"), "TWO");
  writeFileSync(rig.path("c"), "longer");
  chmodSync(rig.path("a"), 0o600);
  const again = await rig.restore();
  assert.deepEqual(shown(rig, again), ["metadata a", "unchanged d/e", "update b", "update c"]);
  assert.equal(again.writtenBytes, 8);
  assert.equal(statSync(rig.path("a")).ino, inode);
  assert.deepEqual(rig.tree(), { a: "one", b: "two", c: "three", "d/": "/", "d/e": "four" });
});

test("a large file is changed in place, where it differs, and gets its length", async (t) => {
  const rig = await RestoreRig.make(t);
  const content = pseudoRandomBytes(9, 20 * 2 ** 20);
  const options = { cut: 2 ** 20, perBlock: 4 };
  await rig.roundTrip({ big: content }, {}, options);
  const before = statSync(rig.path("big")).ino;
  const descriptor = openSync(rig.path("big"), "r+");
  writeSync(descriptor, "xx", 5 * 2 ** 20 + 7);
  closeSync(descriptor);
  const patched = await rig.restore({ verify: true });
  assert.equal(patched.writtenBytes, 2 ** 20);
  assert.equal(statSync(rig.path("big")).ino, before);
  assert.deepEqual(new Uint8Array(readFileSync(rig.path("big"))), content);
  truncateSync(rig.path("big"), content.length + 5000);
  const cut = await rig.restore();
  assert.equal(cut.writtenBytes, 0);
  assert.deepEqual(shown(rig, cut), ["update big"]);
  assert.deepEqual(new Uint8Array(readFileSync(rig.path("big"))), content);
  assert.deepEqual(shown(rig, await rig.restore()), ["unchanged big"]);
});

test("the policies leave alone what they say", async (t) => {
  const rig = await RestoreRig.make(t);
  await rig.roundTrip({ kept: "new", older: "new", touched: "new" });
  const put = (name: string, time: number) => {
    writeFileSync(rig.path(name), "old");
    utimesSync(rig.path(name), time, time);
  };
  const contents = () => ["kept", "older", "touched"].map((name) => rig.read(name));
  const reset = () => {
    put("kept", TIME + 1);
    put("older", TIME - 1);
    put("touched", TIME);
  };
  reset();
  await rig.restore({ overwrite: "never" });
  assert.deepEqual(contents(), ["old", "old", "old"]);
  const newer = await rig.restore({ overwrite: "if-newer" });
  assert.deepEqual(contents(), ["old", "new", "new"]);
  assert.equal(newer.skipped, 1);
  await rig.restore();
  writeFileSync(rig.path("kept"), "old");
  setTimes(rawFromText(rig.path("kept")), TIME, 123_456_789);
  await rig.restore({ overwrite: "if-changed" });
  assert.deepEqual(contents(), ["old", "new", "new"], "equal size and time count as equal content");
  await rig.restore({ overwrite: "always" });
  assert.deepEqual(contents(), ["new", "new", "new"]);
});

test("a file that shares its bytes with another name is replaced, not written through", async (t) => {
  const rig = await RestoreRig.make(t);
  writeFileSync(`${rig.base}/outside`, "precious");
  linkSync(`${rig.base}/outside`, rig.path("a"));
  await rig.roundTrip({ a: "restored" });
  assert.equal(rig.read("a"), "restored");
  assert.equal(readFileSync(`${rig.base}/outside`, "utf8"), "precious");
});

test("names that share bytes on the disk but not in the snapshot are parted, large ones too", async (t) => {
  const rig = await RestoreRig.make(t);
  const large = pseudoRandomBytes(7, 17 * 2 ** 20);
  await rig.fixture.snapshot(
    { a: "same", b: new Node({ mode: 0o600 }, utf8("same")), large },
    { cut: 2 ** 20, perBlock: 4 },
  );
  writeFileSync(rig.path("a"), "same");
  linkSync(rig.path("a"), rig.path("b"));
  writeFileSync(`${rig.base}/outside`, new Uint8Array(large.length));
  linkSync(`${rig.base}/outside`, rig.path("large"));
  assert.deepEqual((await rig.restore()).problemList, []);
  const stats = ["a", "b"].map((name) => statSync(rig.path(name)));
  assert.deepEqual(
    stats.map(({ nlink, mode }) => [nlink, mode & 0o777]),
    [
      [1, 0o644],
      [1, 0o600],
    ],
  );
  assert.ok(readFileSync(rig.path("large")).equals(large));
  assert.ok(readFileSync(`${rig.base}/outside`).every((byte) => byte === 0));
});

test("--delete removes what the snapshot lacks, inside restored folders only", async (t) => {
  const rig = await RestoreRig.make(t);
  const spec = { home: { ann: { keep: "1", d: {} } } };
  await rig.roundTrip(spec, {}, { paths: ["/home/ann"] });
  for (const name of ["stranger", "home/stranger", "home/ann/stranger", "home/ann/d/stranger", "home/ann/d.tmp"]) {
    writeFileSync(rig.path(name), "x");
  }
  mkdirSync(rig.path("home/ann/folder/deep"), { recursive: true });
  symlinkSync(rig.base, rig.path("home/ann/link"));
  writeFileSync(`${rig.base}/outside`, "x");
  const options = { delete: true, exclude: ["*.tmp"] };
  const dry = await rig.restore({ ...options, dryRun: true });
  assert.ok(rig.exists("home/ann/stranger"));
  const deleted = ["home/ann/d/stranger", "home/ann/folder", "home/ann/link", "home/ann/stranger"];
  assert.deepEqual(
    shown(rig, dry).filter((item) => item.startsWith("delete")),
    deleted.map((name) => `delete ${name}`),
  );
  await rig.restore(options);
  assert.deepEqual(Object.keys(rig.tree()), [
    "home/",
    "home/ann/",
    "home/ann/d/",
    "home/ann/d.tmp",
    "home/ann/keep",
    "home/stranger",
    "stranger",
  ]);
  assert.equal(readFileSync(`${rig.base}/outside`, "utf8"), "x");
});

test("--delete removes nothing from a folder that could not be read", async (t) => {
  const rig = await RestoreRig.make(t);
  await rig.roundTrip({ d: { a: "1", b: "2", c: "3" } }, {}, { perSegment: 1, perBlock: 1 });
  const trees = [...rig.fixture.vault.blocks.values()].filter(({ location }) => location.kind === 2);
  trees[1]!.sealed[4]! ^= 1;
  const result = await rig.restore({ delete: true });
  assert.equal(result.damaged, true);
  assert.deepEqual(Object.keys(rig.tree()), ["d/", "d/a", "d/b", "d/c"]);
});

test("paths, patterns and subfolders choose what comes back, without empty folders around it", async (t) => {
  const spec = {
    home: { ann: { "a.txt": "1", d: { "b.txt": "2", "c.jpg": "3" }, e: { "f.jpg": "4" } }, bob: { x: "5" } },
  };
  const choices: [Parameters<RestoreRig["restore"]>[0], string[]][] = [
    [
      { paths: [rawFromText("/home/ann/d")] },
      ["home/", "home/ann/", "home/ann/d/", "home/ann/d/b.txt", "home/ann/d/c.jpg"],
    ],
    [{ include: ["*.txt"] }, ["home/", "home/ann/", "home/ann/a.txt", "home/ann/d/", "home/ann/d/b.txt"]],
    [{ include: ["e/"] }, ["home/", "home/ann/", "home/ann/e/", "home/ann/e/f.jpg"]],
    [
      { exclude: ["*.jpg", "bob"] },
      ["home/", "home/ann/", "home/ann/a.txt", "home/ann/d/", "home/ann/d/b.txt", "home/ann/e/"],
    ],
    [{ subtree: rawFromText("/home/ann/d") }, ["b.txt", "c.jpg"]],
    [{ subtree: rawFromText("/home/ann/a.txt") }, ["a.txt"]],
    [{ subtree: rawFromText("/home/ann"), include: ["*.jpg"], exclude: ["e"] }, ["d/", "d/c.jpg"]],
  ];
  for (const [options, expected] of choices) {
    const rig = await RestoreRig.make(t);
    await rig.roundTrip(spec, options);
    assert.deepEqual(Object.keys(rig.tree()), expected);
  }
  const rig = await RestoreRig.make(t);
  await assert.rejects(rig.roundTrip(spec, { paths: [rawFromText("/home/eve")] }), hasCode("not_found"));
  await assert.rejects(rig.restore({ include: [""] }), hasCode("usage"));
});

test("a dry run changes nothing and says what would be", async (t) => {
  const rig = await RestoreRig.make(t);
  const spec = { a: "one", d: { b: "two" } };
  const result = await rig.roundTrip(spec, { dryRun: true, target: rig.path("new") });
  assert.ok(!rig.exists("new"));
  assert.deepEqual(result.items.map(({ action, path }) => `${action} ${path.slice(rig.target.length)}`).sort(), [
    "create /new/a",
    "create /new/d",
    "create /new/d/b",
  ]);
  await rig.restore();
  writeFileSync(rig.path("a"), "ONE");
  assert.deepEqual(shown(rig, await rig.restore({ dryRun: true })), ["unchanged d/b", "update a"]);
  assert.equal(rig.read("a"), "ONE");
});

test("damage costs the files that it touches and nothing else; nothing wrong is left", async (t) => {
  const rig = await RestoreRig.make(t);
  const big = pseudoRandomBytes(3, 1_000_000);
  const spec = { a: "first", b: "second", big, z: { last: "third" } };
  await rig.fixture.snapshot(spec, { perBlock: 1, cut: 100_000 });
  const data = [...rig.fixture.vault.blocks.values()].filter(({ location }) => location.kind === 1);
  data[1]!.sealed[0]! ^= 1;
  data[6]!.sealed[9]! ^= 128;
  const result = await rig.restore();
  assert.equal(result.damaged, true);
  assert.deepEqual(result.problemList.map(({ path, code }) => [path.slice(rig.target.length), code]).sort(), [
    ["/b", "block_corrupt"],
    ["/big", "block_corrupt"],
  ]);
  assert.deepEqual(rig.tree(), { a: "first", "z/": "/", "z/last": "third" });

  writeFileSync(rig.path("b"), "what was there");
  await rig.restore();
  assert.equal(rig.read("b"), "what was there", "a file that cannot be replaced whole is left as it was");
});

test("a chunk that is gone, or of another length than the folder says, is named", async (t) => {
  const rig = await RestoreRig.make(t);
  const spec = { gone: "gone", long: new Node({ size: 4, chunkLengths: [4] }, utf8("12345")), ok: "ok" };
  await rig.fixture.snapshot(spec, { perBlock: 1 });
  const { index, blocks } = rig.fixture.vault;
  const first = [...blocks.values()].find(({ location }) => location.kind === 1)!.location.blockNo;
  for (const [id, blockNo] of index) if (blockNo === first) index.delete(id);
  const result = await rig.restore();
  assert.deepEqual(result.problemList.map(({ path, code }) => [path.slice(rig.target.length), code]).sort(), [
    ["/gone", "chunk_missing"],
    ["/long", "chunk_corrupt"],
  ]);
  assert.deepEqual(rig.tree(), { ok: "ok" });
});

test("many files over many windows, with the same chunk everywhere", async (t) => {
  const rig = await RestoreRig.make(t);
  const spec: Record<string, Spec> = {};
  for (let d = 0; d < 30; d++) {
    spec[`d${d}`] = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`f${i}`, i % 10 === 0 ? "the same" : i % 10 === 1 ? "" : `${d} ${i}`]),
    );
  }
  const result = await rig.roundTrip(spec, { workers: 2 }, { perBlock: 50 });
  assert.deepEqual([result.files, result.problems, result.directories], [3000, 0, 30]);
  assert.equal(rig.read("d29/f99"), "29 99");
  assert.equal(rig.read("d7/f40"), "the same");
  assert.equal(rig.read("d7/f41"), "");
});

test("an interrupt ends it with nothing half done under a final name", async (t) => {
  const rig = await RestoreRig.make(t);
  const spec: Record<string, Spec> = { big: pseudoRandomBytes(4, 3_000_000) };
  for (let i = 0; i < 3000; i++) spec[`f${i}`] = `content ${i}`;
  await rig.fixture.snapshot(spec, { cut: 100_000, perBlock: 10 });
  const controller = new AbortController();
  const options = { signal: controller.signal, onProgress: () => controller.abort() };
  await assert.rejects(rig.restore(options), hasCode("interrupted"));
  const left = rig.tree();
  assert.ok(Object.keys(left).length < 3001);
  for (const [name, content] of Object.entries(left)) {
    assert.ok(!name.startsWith(".cyberbackup-"), "unfinished files are removed");
    if (name !== "big") assert.equal(content, `content ${name.slice(1)}`);
  }
  assert.equal((await rig.restore()).problems, 0);
});

test("what is in the way: a full folder stays, an empty one and a link go", async (t) => {
  const rig = await RestoreRig.make(t);
  mkdirSync(rig.path("full"));
  writeFileSync(rig.path("full/mine"), "x");
  mkdirSync(rig.path("empty"));
  symlinkSync("/nowhere", rig.path("link"));
  writeFileSync(rig.path("folder"), "a file");
  const spec = { full: "1", empty: "2", link: "3", folder: { inside: "4" } };
  const result = await rig.roundTrip(spec);
  assert.deepEqual(
    result.problemList.map(({ code }) => code),
    ["restore_conflict"],
  );
  assert.deepEqual(rig.tree(), {
    empty: "2",
    "folder/": "/",
    "folder/inside": "4",
    "full/": "/",
    "full/mine": "x",
    link: "3",
  });
  await rig.restore({ delete: true });
  assert.equal(rig.read("full"), "1");
});

test("a target that cannot be made is an error at once", async (t) => {
  const rig = await RestoreRig.make(t);
  writeFileSync(rig.path("file"), "x");
  await assert.rejects(rig.roundTrip({ a: "1" }, { target: rig.path("file/below") }), hasCode("io"));
});

test("a target that takes upper and lower case for equal loses nothing, now and the next time", async (t) => {
  const rig = await RestoreRig.make(t);
  const nameRules = { ignoresCase: true, isWindows: false };
  const spec = { d: { A: "1", a: "2", "b.txt": "3" }, D: { A: "4" } };
  const first = await rig.roundTrip(spec, { nameRules });
  const tree = { "D/": "/", "D/A": "4", "d (2)/": "/", "d (2)/A": "1", "d (2)/a (2)": "2", "d (2)/b.txt": "3" };
  assert.deepEqual(rig.tree(), tree);
  assert.deepEqual(
    first.problemList.map(({ code }) => code),
    ["name_changed", "name_changed"],
  );
  writeFileSync(rig.path("d (2)/stranger"), "x");
  const second = await rig.restore({ nameRules, delete: true });
  assert.deepEqual([rig.tree(), second.writtenBytes, second.deleted], [tree, 0, 1]);
});

test("a target on which names must be fit for Windows", async (t) => {
  const rig = await RestoreRig.make(t);
  const nameRules = { ignoresCase: true, isWindows: true };
  const result = await rig.roundTrip({ "a:b": { "nul.txt": "1", "x.": "2" }, plain: "->a:b" }, { nameRules });
  assert.deepEqual(rig.tree(), { "a%3Ab/": "/", "a%3Ab/%6Eul.txt": "1", "a%3Ab/x%2E": "2", plain: "->a:b" });
  assert.equal(result.problems, 3);
});
