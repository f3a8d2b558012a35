import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type RawPath, rawFromText, rawToText } from "../../core/raw-path.ts";
import type { ScanItem } from "../../engine/backup/types.ts";
import { addChosen, type Chosen, type ChosenHandle, chosenOfInput } from "./chosen.ts";
import { browserSource, measure } from "./scan.ts";

type FakeTree = { readonly [name: string]: FakeTree | File | DOMException };

function file(content: string, modified = 1_700_000_000_123): File {
  return new File([content], "x", { lastModified: modified });
}

/** As a browser gives it: in no order. */
function folder(name: string, tree: FakeTree): ChosenHandle {
  const handle = {
    kind: "directory",
    name,
    isSameEntry: async (other: unknown) => other === handle,
    async *entries() {
      for (const [child, node] of Object.entries(tree).reverse()) yield [child, handleOf(child, node)];
    },
  };
  return { name, handle: handle as unknown as FileSystemDirectoryHandle };
}

function handleOf(name: string, node: FakeTree | File | DOMException): unknown {
  if (!(node instanceof File) && !(node instanceof DOMException)) return folder(name, node).handle;
  return {
    kind: "file",
    name,
    getFile: async () => {
      if (node instanceof DOMException) throw node;
      return node;
    },
  };
}

async function scanned(chosen: readonly Chosen[]): Promise<ScanItem[]> {
  const source = browserSource(chosen, { waits: async () => undefined, onFile: () => undefined });
  const items: ScanItem[] = [];
  for await (const batch of source.scan()) items.push(...batch);
  return items;
}

function shown(items: readonly ScanItem[]): string[] {
  return items.map((item) => {
    if (item.kind === "enter") return `> ${rawToText(item.path)}`;
    if (item.kind === "leave") return `< ${rawToText(item.entry.path)}`;
    if (item.kind === "problem") return `! ${rawToText(item.path)} ${item.code}`;
    return rawToText(item.kind === "entry" ? item.entry.path : item.entry.name);
  });
}

describe("the order of a scan is the engine's: depth first, names by their bytes", () => {
  test("of handles", async () => {
    const items = await scanned([
      folder("ö", { b: file("1"), "a.txt": file("2"), a: { z: file("3"), ü: {}, B: file("") }, "a!": file("4") }),
      folder("Z", {}),
    ]);
    assert.deepEqual(shown(items), [
      "> /",
      "> /Z",
      "< /Z",
      "> /ö",
      "> /ö/a",
      "/ö/a/B",
      "/ö/a/z",
      "> /ö/a/ü",
      "< /ö/a/ü",
      "< /ö/a",
      "/ö/a!",
      "/ö/a.txt",
      "/ö/b",
      "< /ö",
      "< /",
    ]);
  });

  test("of files that were picked or dropped", async () => {
    const files = ["b/2", "b/1/x", "a"].map((path) => ({ path, file: file(path) }));
    const items = await scanned([
      { name: "one.txt", files: [{ path: "", file: file("1") }] },
      { name: "all", files },
    ]);
    assert.deepEqual(shown(items), [
      ...["> /", "> /all", "/all/a", "> /all/b", "> /all/b/1", "/all/b/1/x", "< /all/b/1", "/all/b/2", "< /all/b"],
      ...["< /all", "/one.txt", "< /"],
    ]);
  });
});

test("what a browser does not tell is told as not known", async () => {
  const [, , item, leave] = await scanned([folder("f", { a: file("abc", 1_700_000_000_123) })]);
  assert.ok(item?.kind === "entry" && leave?.kind === "leave");
  const { size, uid, gid, mode, mtimeSeconds, mtimeNanos, inode } = item.entry;
  assert.deepEqual(
    { size, uid, gid, mode, mtimeSeconds, mtimeNanos, inode },
    {
      ...{ size: 3, uid: 0xffff_ffff, gid: 0xffff_ffff, mode: 0o600 },
      mtimeSeconds: 1_700_000_000,
      mtimeNanos: 123_000_000,
      inode: 0,
    },
  );
  assert.equal(leave.entry.mtimeSeconds, 1_700_000_000, "a folder is as new as its newest file");
});

test("odd names: what is no text is written by its codes, what cannot be kept is a problem, and the rest goes on", async () => {
  const items = await scanned([
    { name: "d", files: ["\ud800", "%uD800", "..", "ok", "x".repeat(5000)].map((path) => ({ path, file: file("1") })) },
  ]);
  const lines = shown(items);
  assert.ok(lines.includes("! /d/%uD800 EEXIST"));
  assert.ok(lines.includes("/d/ok"));
  assert.equal(lines.filter((line) => line.endsWith("EINVAL")).length, 2);
});

test("what cannot be read is a problem of that file", async () => {
  const items = await scanned([
    folder("d", {
      gone: new DOMException("", "NotFoundError"),
      shut: new DOMException("", "NotAllowedError"),
      ok: file("1"),
    }),
  ]);
  assert.deepEqual(
    items.filter(({ kind }) => kind === "problem").map((item) => item.kind === "problem" && [item.path, item.code]),
    [
      ["/d/gone", "ENOENT"],
      ["/d/shut", "EACCES"],
    ],
  );
});

test("nothing to back up is an error before anything is stored", async () => {
  await assert.rejects(scanned([]), { code: "source_missing" });
  const empty = await scanned([folder("d", {})]);
  assert.equal(empty.length, 4, "an empty folder is something");
});

test("the same thing chosen twice is there once, another of its name gets a number", async () => {
  const photos = folder("Photos", {});
  const first = await addChosen([], [photos]);
  const again = await addChosen(first, [photos, folder("Photos", {}), { name: "a.txt", files: [] }]);
  assert.deepEqual(
    again.map(({ name }) => name),
    ["Photos", "Photos (2)", "a.txt"],
  );
  const replaced = await addChosen(again, [{ name: "a.txt", files: [{ path: "", file: file("1") }] }]);
  assert.equal(replaced.length, 3);
});

test("files of an input are sorted by the folder that they came with", () => {
  const at = (path: string) =>
    Object.defineProperty(new File([""], path.split("/").at(-1)!), "webkitRelativePath", { value: path });
  assert.deepEqual(
    chosenOfInput([at("a/b/c"), at("a/d"), new File([""], "single")]).map(({ name, files }) => [
      name,
      files.map(({ path }) => path),
    ]),
    [
      ["a", ["b/c", "d"]],
      ["single", [""]],
    ],
  );
});

test("measuring counts what a scan would find, and ends when it is told to", async () => {
  const chosen = folder("d", { a: file("12"), b: { c: file("345") } });
  assert.deepEqual(await measure(chosen, () => undefined, new AbortController().signal), {
    files: 2,
    folders: 2,
    bytes: 5,
  });
  await assert.rejects(
    measure(chosen, () => undefined, AbortSignal.abort()),
    { code: "interrupted" },
  );
});

test("raw names keep their bytes", async () => {
  const items = await scanned([folder("d", { ä: file("1") })]);
  const entry = items.find((item) => item.kind === "entry");
  assert.equal(entry?.kind === "entry" && entry.entry.name, rawFromText("ä") satisfies RawPath);
});
