// What may and may not be printed where: nothing when quiet, no escape codes on pipes, no complaints when a reader goes away.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { cli, ended, newPlace, start } from "./run-cli.ts";

const place = newPlace();
const source = join(place.folder, "source");
const identityFile = join(place.folder, "recovery.txt");
const IDENTITY = ["--identity-file", identityFile];

before(async () => {
  mkdirSync(source);
  for (let i = 0; i < 400; i++) writeFileSync(join(source, `file with a rather long name, number ${i}`), `${i}\n`);
  const { text, stderr } = await cli(place, ["init", "--quiet"]);
  // Quiet leaves the one thing that would otherwise be lost.
  assert.match(text, /^AGE-SECRET-KEY-[A-Z0-9-]+\n$/);
  assert.equal(stderr, "");
  writeFileSync(identityFile, text);
});

after(() => place.remove());

describe("--quiet", () => {
  for (const args of [
    ["backup", source],
    ["restore", "latest", "--target", join(place.folder, "back"), ...IDENTITY],
    ["verify", "--read-data", ...IDENTITY],
    ["forget", "--keep-last", "3"],
    ["prune"],
    ["scrub"],
    ["rebuild"],
    ["pin", "latest"],
    ["unpin", "latest"],
    ["doctor"],
  ]) {
    test(`${args[0]} says nothing when all is well`, async () => {
      const { text, stderr } = await cli(place, [...args, "--quiet"]);
      assert.deepEqual([text, stderr], ["", ""]);
    });
  }

  test("what was asked for is still said", async () => {
    const { text } = await cli(place, ["snapshots", "--quiet", ...IDENTITY]);
    assert.match(text, /^ID /);
    assert.doesNotMatch(text, /snapshots?$/m);
  });
});

describe("on a pipe", () => {
  test("there is no escape code and no live display, whatever the command", async () => {
    for (const args of [
      ["backup", source, "--force"],
      ["snapshots", ...IDENTITY],
      ["ls", "-l", "latest", source, ...IDENTITY],
      ["verify", "--read-data", ...IDENTITY],
      ["doctor"],
      ["forget", "--keep-last", "1", "--dry-run"],
    ]) {
      const { text, stderr } = await cli(place, args);
      assert.doesNotMatch(text + stderr, /\x1b|\r/, args.join(" "));
      assert.notEqual(text, "");
      assert.equal(stderr, "", args.join(" "));
    }
  });

  test("colours can be ordered", async () => {
    const { text } = await cli(place, ["snapshots", "--color", "always", ...IDENTITY]);
    assert.match(text, /\x1b\[1m/);
  });

  test("a reader that goes away ends the run without a word", async () => {
    const child = start(place, ["ls", "latest", "-r", "--long", ...IDENTITY]);
    const run = ended(child);
    child.stdout!.destroy();
    const { exit, stderr } = await run;
    assert.deepEqual([exit, stderr], [0, ""]);
  });
});

test("beside a file's own bytes, an error as JSON goes to standard error", async () => {
  const { text, stderr } = await cli(place, ["cat", "latest", "/nowhere", "--json", ...IDENTITY], { exit: 1 });
  assert.equal(text, "");
  assert.equal(JSON.parse(stderr).code, "not_found");
});

test("a variable that looks like ours and is none is told, once", async () => {
  const { stderr } = await cli(place, ["log"], { env: { CYBERBACKUP_VALT: "x" } });
  assert.match(stderr, /^warning: The variable CYBERBACKUP_VALT is not known.* CYBERBACKUP_VAULT\?\n$/);
});
