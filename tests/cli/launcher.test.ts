// The launcher of a checkout with an npm that the test gives it: what it says while it installs, when that fails, and when it is not needed.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";

const REPOSITORY = join(import.meta.dirname, "..", "..");
/** As npm ends: its hidden lock file comes last. */
const INSTALLS = `mkdir -p node_modules/node/bin
  printf '#!/bin/sh\\necho "node runs $*"\\n' >node_modules/node/bin/node
  chmod +x node_modules/node/bin/node
  echo "npm was called with $*"
  touch node_modules/.package-lock.json`;
const FAILS = `echo "npm warn EBADENGINE" >&2; echo "npm error network ENOTFOUND" >&2; exit 1`;
const isHere = process.platform !== "win32";

const folder = mkdtempSync(join(tmpdir(), "launcher-"));
let count = 0;
let home: string;

beforeEach(() => {
  home = join(folder, String(count++));
  mkdirSync(join(home, "bin"), { recursive: true });
  copyFileSync(join(REPOSITORY, "cyberbackup"), join(home, "cyberbackup"));
  writeFileSync(join(home, "package-lock.json"), "{}");
});
after(() => rmSync(folder, { recursive: true }));

test("says what it installs, where the log is and how long it took, and then runs the command", {
  skip: !isHere,
}, async () => {
  giveNpm(INSTALLS);
  const first = await launch("demo");
  assert.match(
    first.stderr,
    /^cyberbackup: installing what it runs on, which is done once[^\n]*\ncyberbackup: \(npm ci --omit=dev; the log is (.*install\.log)\)\ncyberbackup: installed in \d+ s\n$/,
  );
  assert.match(first.stdout, /^node runs .*main\.ts demo\n$/);
  giveNpm(FAILS);
  assert.deepEqual((await launch("demo")).stderr, "", "what is there is not installed again");
});

test("says for `up` that the page comes next", { skip: !isHere }, async () => {
  giveNpm(`${INSTALLS}\n  mkdir -p node_modules/vite`);
  assert.match((await launch("up")).stderr, /Then its page is built\.\n.*\(npm ci; the log/);
});

test("an install that fails says why, where the log is and what to do, and can be tried again", {
  skip: !isHere,
}, async () => {
  giveNpm(FAILS);
  const { code, stderr } = await launch("demo");
  assert.equal(code, 1);
  assert.match(
    stderr,
    /npm error network ENOTFOUND\ncyberbackup: the install failed; .*install\.log\n.*run the command again\.\n$/,
  );
  assert.doesNotMatch(stderr, /EBADENGINE/);
  assert.equal(existsSync(join(home, ".cyberbackup", "install.lock")), false);
  giveNpm(INSTALLS);
  assert.equal((await launch("demo")).code, 0);
});

function giveNpm(script: string): void {
  const path = join(home, "bin", "npm");
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

function launch(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { ...process.env, PATH: `${join(home, "bin")}:/usr/bin:/bin` };
  return new Promise((resolve) => {
    execFile(join(home, "cyberbackup"), args, { env, timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}
