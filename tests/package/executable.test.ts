// The single executable, built here and started where nothing else is: no Node, no modules, no sources. All that the demo does works,
// with its threads and the native library out of the file itself, and nothing is left behind.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { buildExecutable } from "../../scripts/sea.ts";
import { readVersion } from "../../src/node/version.ts";

const exec = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "cb-executable-"));
const [place, temporary] = [join(folder, "place"), join(folder, "tmp")];
const program = join(place, process.platform === "win32" ? "cyberbackup.exe" : "cyberbackup");

before(async () => {
  for (const each of [place, temporary]) mkdirSync(each);
  const built = join(folder, "built");
  assert.ok((await buildExecutable(built)) > 50 * 2 ** 20);
  copyFileSync(built, program);
});

after(() => rmSync(folder, { recursive: true, force: true }));

test("it knows its version, and the calls of the system that keep attributes and ACLs", async () => {
  assert.equal((await run(["--version"])).stdout, `cyberbackup ${readVersion()}\n`);
  const { findings } = JSON.parse((await run(["doctor", "--json"])).stdout) as { findings: Finding[] };
  const expected = process.platform === "linux" ? "ok" : "advice";
  assert.equal(findings.find(({ check }) => check === "file metadata")?.state, expected);
});

test("it backs up, restores and compares over a server of its own", async () => {
  const { stdout } = await run(["demo", "--json"]);
  const result = JSON.parse(stdout.trim().split("\n").at(-1)!) as { ok: boolean; files: number };
  assert.deepEqual([result.ok, result.files > 100], [true, true]);
  assert.deepEqual(readdirSync(temporary), []);
});

type Finding = { check: string; state: string };

function run(args: readonly string[]) {
  const env = { HOME: place, CYBERBACKUP_HOME: join(folder, "home"), TMPDIR: temporary, TEMP: temporary, TZ: "UTC" };
  return exec(program, args, { cwd: place, env, maxBuffer: 2 ** 26 });
}
