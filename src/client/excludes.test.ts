import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type RawPath, rawFromText, rawToBytes } from "../core/raw-path.ts";
import { CACHE_TAG, createExcluder, type DirectoryRules, type ExcludeOptions, IGNORE_FILE } from "./excludes.ts";

const TAG = "Signature: 8a477f597d28d172789f06886806bc55";

/** Files by absolute path; folders are what files imply. Answers the files that a scan of the roots keeps. */
function kept(files: Readonly<Record<string, string>>, options: Partial<ExcludeOptions>): string[] {
  const roots = options.roots ?? ["/r" as RawPath];
  const readHead = (path: RawPath, max: number) =>
    files[path] === undefined ? undefined : rawToBytes(files[path] as RawPath).subarray(0, max);
  const excluder = createExcluder({ readHead, ...options, roots });
  const walk = (folder: string, above: DirectoryRules | undefined): string[] => {
    const below = Object.keys(files).filter((path) => path.startsWith(`${folder}/`));
    const names = [...new Set(below.map((path) => path.slice(folder.length + 1).split("/")[0]!))];
    const rules = excluder.enterDirectory(folder as RawPath, names, above);
    return names.flatMap((name) => {
      const path = `${folder}/${name}`;
      const isFolder = files[path] === undefined;
      if (excluder.excludes(rules, name, path as RawPath, isFolder, files[path]?.length ?? 4096)) return [];
      return isFolder ? walk(path, rules) : [path];
    });
  };
  return roots.flatMap((root) => walk(root, undefined));
}

const TREE = {
  "/r/a.o": "",
  "/r/a.c": "",
  "/r/src/a.o": "",
  "/r/src/gen/x.c": "",
  "/r/lib/src/gen/y.c": "",
  "/r/build/z": "",
};
const without = (...paths: string[]) => Object.keys(TREE).filter((path) => !paths.includes(path));

describe("patterns of the command line", () => {
  test("leave nothing out when there are none", () => {
    assert.deepEqual(kept(TREE, {}), Object.keys(TREE));
  });

  test("match a name at any depth, a path from each backed-up path, or a path from the root", () => {
    const by = (...patterns: string[]) => kept(TREE, { patterns });
    assert.deepEqual(by("*.o"), without("/r/a.o", "/r/src/a.o"));
    assert.deepEqual(by("build"), without("/r/build/z"));
    assert.deepEqual(by("src/gen"), without("/r/src/gen/x.c"));
    assert.deepEqual(by("**/src/gen/"), without("/r/src/gen/x.c", "/r/lib/src/gen/y.c"));
    assert.deepEqual(by("/src/gen"), Object.keys(TREE));
    assert.deepEqual(by("/r/src/gen"), without("/r/src/gen/x.c"));
    assert.deepEqual(by("/**/gen"), without("/r/src/gen/x.c", "/r/lib/src/gen/y.c"));
    assert.deepEqual(by("a.o/"), Object.keys(TREE));
    assert.deepEqual(by("r"), Object.keys(TREE));
  });

  test("start anew at each of several backed-up paths", () => {
    const roots = ["/r/src", "/r/lib"] as RawPath[];
    const files = { "/r/src/gen/x.c": "", "/r/lib/gen/x.c": "", "/r/lib/src/gen/y.c": "" };
    assert.deepEqual(kept(files, { roots, patterns: ["gen/*.c"] }), ["/r/lib/src/gen/y.c"]);
  });

  test("work when the root of the file system is backed up", () => {
    const excluder = createExcluder({ roots: ["/" as RawPath], patterns: ["proc/*", "/tmp/x"] });
    const top = excluder.enterDirectory("/" as RawPath, ["proc", "tmp"]);
    const inside = (folder: string, name: string) =>
      excluder.excludes(
        excluder.enterDirectory(folder as RawPath, [name], top),
        name,
        `${folder}/${name}` as RawPath,
        false,
        0,
      );
    assert.deepEqual([inside("/proc", "1"), inside("/tmp", "x"), inside("/tmp", "y")], [true, true, false]);
  });

  test("are asked the last first, files before flags, and can keep again", () => {
    assert.deepEqual(kept(TREE, { patterns: ["*.o", "!/r/a.o"] }), without("/r/src/a.o"));
    assert.deepEqual(kept(TREE, { patterns: ["!/r/a.o", "*.o"] }), without("/r/a.o", "/r/src/a.o"));
    const patternFiles = [rawToBytes("# objects\n*.o\n" as RawPath)];
    assert.deepEqual(kept(TREE, { patternFiles, patterns: ["!src/*.o"] }), without("/r/a.o"));
    assert.deepEqual(kept(TREE, { patterns: ["!*.o"], caselessPatterns: ["*.O"] }), without("/r/a.o", "/r/src/a.o"));
  });

  test("take a hash sign and spaces as they are", () => {
    const files = { "/r/#a": "", "/r/b ": "", "/r/b": "" };
    assert.deepEqual(kept(files, { patterns: ["#a", "b "] }), ["/r/b"]);
  });
});

describe("ignore files", () => {
  const nested = { ...TREE, [`/r/${IGNORE_FILE}`]: "*.o\n/build\n", [`/r/src/${IGNORE_FILE}`]: "!a.o\n/gen\n" };

  test("count from their folder on, the innermost first, and are kept themselves", () => {
    const rest = Object.keys(nested).filter((path) => !["/r/a.o", "/r/build/z", "/r/src/gen/x.c"].includes(path));
    assert.deepEqual(kept(nested, {}).sort(), rest.sort());
  });

  test("give way to the command line and can be turned off", () => {
    assert.ok(kept(nested, { patterns: ["!*.o"] }).includes("/r/a.o"));
    assert.ok(!kept(nested, { patterns: ["*.o"] }).includes("/r/src/a.o"));
    assert.deepEqual(kept(nested, { ignoreFiles: false }).sort(), Object.keys(nested).sort());
  });

  test("that are too long, are no files or cannot be read leave nothing out", () => {
    const long = { ...TREE, [`/r/${IGNORE_FILE}`]: `*\n${"#".repeat(1 << 20)}` };
    assert.equal(kept(long, {}).length, 7);
    assert.equal(kept({ ...TREE, [`/r/${IGNORE_FILE}`]: "*" }, { readHead: () => undefined }).length, 7);
    assert.equal(kept({ ...TREE, [`/r/${IGNORE_FILE}`]: "*" }, {}).length, 0);
  });

  test("may hold and meet names that are not UTF-8", () => {
    const files = {
      [`/r/${IGNORE_FILE}`]: "\xff*\n",
      "/r/\xffa": "",
      "/r/\xfe\xff": "",
      [`/r/${rawFromText("ü")}`]: "",
    };
    assert.deepEqual(kept(files, {}), [`/r/${IGNORE_FILE}`, "/r/\xfe\xff", `/r/${rawFromText("ü")}`]);
  });
});

describe("cache folders", () => {
  const files = { "/r/c/x": "", "/r/c/d/y": "", "/r/c/CACHEDIR.TAG": `${TAG}\n# made by a test`, "/r/z": "" };

  test("keep nothing but their tag, when asked", () => {
    assert.deepEqual(kept(files, { excludeCaches: true }), ["/r/c/CACHEDIR.TAG", "/r/z"]);
    assert.deepEqual(kept(files, { excludeCaches: true, patterns: ["!x"] }), ["/r/c/CACHEDIR.TAG", "/r/z"]);
    assert.deepEqual(kept(files, {}), Object.keys(files));
  });

  test("are known by the whole signature", () => {
    for (const tag of ["", TAG.slice(0, -1), TAG.toUpperCase(), ` ${TAG}`]) {
      const other = { ...files, "/r/c/CACHEDIR.TAG": tag };
      assert.deepEqual(kept(other, { excludeCaches: true }), Object.keys(other), tag);
    }
  });
});

test("files over the limit are left out, folders and files of just that size are not", () => {
  const files = { "/r/a": "x".repeat(11), "/r/b": "x".repeat(10), "/r/c/d": "" };
  assert.deepEqual(kept(files, { excludeLargerThan: 10 }), ["/r/b", "/r/c/d"]);
  assert.deepEqual(kept(files, { excludeLargerThan: 0 }), ["/r/c/d"]);
});

test("where no rule applies, a directory has none", () => {
  const excluder = createExcluder({ roots: ["/r" as RawPath], excludeCaches: true, excludeLargerThan: 5 });
  assert.equal(excluder.enterDirectory("/r" as RawPath, ["a", "b"]), undefined);
  const given = createExcluder({ roots: ["/r" as RawPath], patterns: ["x"] });
  const top = given.enterDirectory("/r" as RawPath, ["a"]);
  assert.equal(given.enterDirectory("/r/a" as RawPath, ["a"], top), top);
});

test("the disk is read without following links or waiting for FIFOs", { skip: process.platform === "win32" }, () => {
  const folder = mkdtempSync(join(tmpdir(), "cb-excludes-"));
  const excluder = createExcluder({ roots: [rawFromText(folder)], excludeCaches: true });
  const rulesOf = (name: string, content: (path: string) => void, file = IGNORE_FILE) => {
    const path = join(folder, name);
    mkdirSync(path);
    content(join(path, file));
    return excluder.enterDirectory(rawFromText(path), [file]);
  };
  try {
    assert.equal(rulesOf("plain", (path) => writeFileSync(path, "*.o"))?.layers.length, 1);
    assert.equal(rulesOf("tagged", (path) => writeFileSync(path, TAG), CACHE_TAG)?.isCache, true);
    assert.equal(
      rulesOf("empty", (path) => writeFileSync(path, "")),
      undefined,
    );
    assert.equal(
      rulesOf("link", (path) => symlinkSync(join(folder, "plain", IGNORE_FILE), path)),
      undefined,
    );
    assert.equal(
      rulesOf("folder", (path) => mkdirSync(path)),
      undefined,
    );
    assert.equal(
      rulesOf("none", () => undefined),
      undefined,
    );
    assert.equal(
      rulesOf("fifo", (path) => spawnSync("mkfifo", [path])),
      undefined,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
