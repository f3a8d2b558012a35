// Our reading of ignore files against git's own: `git check-ignore` on generated trees of folders, files and rules.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { createExcluder, type DirectoryRules, IGNORE_FILE } from "../../src/client/excludes.ts";
import { type RawPath, rawFromText, rawJoin, rawToBytes, rawToText } from "../../src/core/raw-path.ts";
import { fc } from "../fast-check.ts";

const missing = spawnSync("git", ["--version"]).status !== 0 && "there is no git here";

/** Folders to their entries: null is a file. Names that patterns are likely to hit. */
type Tree = { readonly [name: string]: Tree | null };
type Case = { readonly tree: Tree; readonly rules: ReadonlyMap<string, string> };

/** Raw relative paths that are left out, those below a left-out folder included. */
function ours(root: RawPath, { tree, rules }: Case): Set<string> {
  const excluder = createExcluder({
    roots: [root],
    readHead: (path) => {
      const content = rules.get(path.slice(root.length + 1, -IGNORE_FILE.length));
      return content === undefined ? undefined : rawToBytes(content as RawPath);
    },
  });
  const left = new Set<string>();
  const walk = (entries: Tree, path: RawPath, above: DirectoryRules | undefined, isOut: boolean): void => {
    const here = path === root ? "" : `${path.slice(root.length + 1)}/`;
    const names = [...Object.keys(entries), ...(rules.has(here) ? [IGNORE_FILE] : [])];
    const own = isOut ? undefined : excluder.enterDirectory(path, names, above);
    for (const [name, below] of Object.entries(entries)) {
      const child = rawJoin(path, name as RawPath);
      const isLeft = isOut || excluder.excludes(own, name, child, below !== null, 0);
      if (isLeft) left.add(`${here}${name}`);
      if (below !== null) walk(below, child, own, isLeft);
    }
  };
  walk(tree, root, undefined, false);
  return left;
}

function gits(folder: string, { tree, rules }: Case): Set<string> {
  rmSync(folder, { recursive: true, force: true });
  const paths: string[] = [];
  const make = (entries: Tree, here: string): void => {
    mkdirSync(join(folder, rawToText(here as RawPath)), { recursive: true });
    for (const [name, below] of Object.entries(entries)) {
      const path = `${here}${name}`;
      if (below === null) writeFileSync(join(folder, rawToText(path as RawPath)), "");
      else make(below, `${path}/`);
      paths.push(path);
    }
  };
  make(tree, "");
  for (const [here, content] of rules) {
    writeFileSync(join(folder, rawToText(here as RawPath), ".gitignore"), rawToBytes(content as RawPath));
  }
  const git = (args: string[], input = "") =>
    spawnSync("git", ["-c", "core.excludesFile=", "-c", "core.ignoreCase=false", ...args], {
      cwd: folder,
      input: Buffer.from(input, "latin1"),
      encoding: "latin1",
      env: { PATH: process.env.PATH, GIT_CONFIG_NOSYSTEM: "1", HOME: folder },
    });
  assert.equal(git(["init", "-q"]).status, 0);
  const run = git(["check-ignore", "-z", "--no-index", "--stdin"], paths.map((path) => `${path}\0`).join(""));
  assert.ok(run.status === 0 || run.status === 1, run.stderr);
  return new Set(run.stdout.split("\0").slice(0, -1));
}

const name = fc.constantFrom(
  "a",
  "b",
  "ab",
  "a.b",
  "foo",
  "foo.o",
  "Foo",
  " x",
  "x ",
  "#h",
  "!n",
  "[z]",
  "\\",
  "é",
  "-",
  "*",
);
const raw = (text: string) => rawFromText(text) as string;
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.dictionary(
    name.map(raw),
    fc.oneof({ maxDepth: 3, withCrossShrink: true }, fc.constant(null), tie("tree") as fc.Arbitrary<Tree>),
    { maxKeys: 5 },
  ),
}));

const segment = fc.oneof(
  { weight: 4, arbitrary: name.map((text) => raw(text).replace(/[\\[*]/g, "\\$&")) },
  { weight: 3, arbitrary: fc.constantFrom("*", "**", "?", "a*", "*.o", "f?o", "*o*", "***", "a**b", "**o") },
  {
    weight: 2,
    arbitrary: fc.constantFrom("[ab]", "[!a]*", "[^f]oo", "[a-f]", "[]z[]*", "[[:alpha:]]", "[[:upper:]]oo", "[a"),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("[a/]", "[!-~]", "[\\]z]*", "[[:x:]]", "[[:]", "\\a", "a\\", "", "\\*", "[z-a]", "[a-]"),
  },
  { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom(..."ab[]!^-\\*?:/. "), maxLength: 6 }) },
);
const line = fc
  .tuple(
    fc.constantFrom("", "", "", "!", "#", "\\", " "),
    fc.constantFrom("", "", "/", "**/", "//"),
    fc.array(segment, { minLength: 1, maxLength: 3 }),
    fc.constantFrom("", "", "", "/", "/**", "//", " ", "\\ ", "\r", "\t"),
  )
  .map(([before, root, segments, end]) => before + root + segments.join("/") + end);
const content = fc.array(line, { minLength: 1, maxLength: 4 }).map((lines) => lines.join("\n"));

function foldersOf(tree: Tree, here = ""): string[] {
  return Object.entries(tree).flatMap(([name, below]) =>
    below === null ? [] : [`${here}${name}/`, ...foldersOf(below, `${here}${name}/`)],
  );
}

const generated: fc.Arbitrary<Case> = tree.chain((tree) =>
  fc.dictionary(fc.constantFrom("", "", ...foldersOf(tree)), content, { minKeys: 1, maxKeys: 3 }).map((rules) => ({
    tree,
    rules: new Map(Object.entries(rules)),
  })),
);

const PATTERNS = [
  ..."* ** *** ? ?? a* *a *b a*b *a*b *a*a* a?b ?a* *o* **o o** f*o *f* * ** d d/ d/* d/** d/**/ **/d **/d/ /d /d/ /d/d d/d".split(
    " ",
  ),
  ..."*/foo */*/foo **/foo /**/foo d/**/foo d/**/d/foo **/d/**/foo d/*/foo d/*o d/**o **/**/foo a/** /** /* //a a//b d//".split(
    " ",
  ),
  ..."[ab] [!ab] [^ab] [a-f]oo [f-a]oo [!!] [^^] [-] [a-] [-a] []] []a] [!]] [a]] [[] [[a] [a\\]b]* [\\]]* [\\[:alpha:]] [\\!]".split(
    " ",
  ),
  ..."[[:alpha:]] [[:digit:]] [[:upper:]]oo [![:alpha:]] [[:punct:]] [[:alpha:][:digit:]] [[:alpha:]-z] [[:nope:]] [[:] [[:a]".split(
    " ",
  ),
  ..."[a [ a[ [] [! [!] [[:alpha:] [\\ \\ a\\ \\a \\\\ \\[ \\* \\? \\! \\# a\\]b [d/]foo d[/]foo d\\/foo d/\\foo \\/d d\\/**".split(
    " ",
  ),
  ..."[0-9] [a-zA-Z] [*-^] [!-~] [x:] x[:] [.-0]o f[-.]o f[!a-z]o é ?? [é] [é]*".split(" "),
  ...[
    "*\n!foo",
    "!*\n!a",
    "a \nb\\ ",
    " a",
    "#a",
    "*\n!*/",
    "d/*\n!d/foo",
    "!",
    "/",
    "!/",
    "a\r\nb\r",
    " **/*",
    "f**/o",
    "d/f**",
  ],
];

describe("git", { skip: missing }, () => {
  const folder = mkdtempSync(join(tmpdir(), "cb-gitignore-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const agrees = (example: Case) =>
    assert.deepEqual([...ours("/r" as RawPath, example)].sort(), [...gits(join(folder, "r"), example)].sort());

  test("agrees on generated trees and rules", () => {
    fc.assert(fc.property(generated, agrees), { numRuns: Number(process.env.CB_GITIGNORE_RUNS ?? 80) });
  });

  test("agrees on every pattern of a table, over the same names each", () => {
    const names = [
      "a",
      "b",
      "ab",
      "aab",
      "abab",
      "aXb",
      "foo",
      "foo.o",
      "Foo",
      "f-o",
      "a]",
      "a[",
      "[",
      "-",
      "^",
      "!",
      "\\",
      "é",
      "0",
      "x:",
    ];
    const below: Tree = Object.fromEntries(names.map((name) => [raw(name), null]));
    const tree = { ...below, d: { ...below, d: { ...below, e: { foo: null } } } };
    const folders = Object.fromEntries(PATTERNS.map((_, i) => [`p${i}`, tree]));
    const rules = new Map(PATTERNS.map((pattern, i) => [`p${i}/`, `${raw(pattern)}\n`]));
    agrees({ tree: folders, rules });
  });

  test("agrees that a folder kept by an inner file keeps what is in it", () => {
    const rules = new Map([
      ["", "b\n"],
      ["a/", "!b\n"],
    ]);
    agrees({ tree: { a: { b: { c: null, b: { d: null } } }, b: { c: null } }, rules });
    assert.deepEqual(ours("/r" as RawPath, { tree: { a: { b: { c: null } } }, rules }), new Set());
  });

  test("agrees on byte order marks, line ends and a file without a last line end", () => {
    const tree = { a: null, b: null, "a ": null, c: { a: null } };
    for (const text of [
      "\xef\xbb\xbfa\r\nb",
      "a\\ \r\n",
      "a  \nb\r",
      "#a\n\\#a\n",
      "/a\n!/a\n",
      "c\n!c/a\n",
      "c/*\n!c/a",
    ]) {
      agrees({ tree, rules: new Map([["", text]]) });
    }
  });
});
