// The package as people get it: packed, installed from its tarball into an empty prefix by the machine's own npm and Node, and used.
// Then a newer version takes its place and the older one comes back, and the data is what it was.

import assert from "node:assert/strict";
import { type ExecFileOptions, execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { COMMANDS } from "../../src/cli/command-list.ts";
import { compareTrees } from "../../src/cli/compare-trees.ts";
import { readVersion } from "../../src/node/version.ts";

const exec = promisify(execFile);
const ROOT = join(import.meta.dirname, "..", "..");
const folder = mkdtempSync(join(tmpdir(), "cb-package-"));
const prefix = join(folder, "prefix");
const installed = join(prefix, ...(process.platform === "win32" ? [] : ["lib"]), "node_modules", "cyberbackup");
const program = join(prefix, ...(process.platform === "win32" ? ["cyberbackup.cmd"] : ["bin", "cyberbackup"]));

before(async () => {
  // With the repository's own tools on the path: what a release is made with.
  await exec("npm", ["pack", "--pack-destination", folder], {
    cwd: ROOT,
    env: { ...process.env, PATH: `${join(ROOT, "node_modules", ".bin")}${delimiter}${process.env.PATH}` },
    maxBuffer: 2 ** 26,
  });
  const tarball = join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz"))!);
  await exec("tar", ["-xzf", tarball], { cwd: folder });
  const args = ["install", "--global", "--prefix", prefix, "--prefer-offline", "--no-audit", "--no-fund", tarball];
  await exec("npm", args, { cwd: folder, env: environment(), maxBuffer: 2 ** 26 });
});

after(() => rmSync(folder, { recursive: true, force: true }));

test("it brings the program, its page, manual and completions, and no sources or tests", () => {
  const files = readdirSync(installed, { recursive: true, encoding: "utf8" }).filter(
    (path) => !path.startsWith("node_modules"),
  );
  assert.deepEqual(
    files.filter((path) => /\.ts$|\.test\.|^tests|^src/.test(path)),
    [],
  );
  for (const path of ["dist/web/index.html", "docs/format.md", "LICENSE", "npm-shrinkwrap.json"])
    assert.ok(existsSync(join(installed, path)), path);
  const manual = readFileSync(join(installed, "dist", "man", "cyberbackup.1"), "utf8");
  for (const { name } of COMMANDS) assert.ok(manual.includes(`.SS "cyberbackup ${name}`), name);
  for (const shell of ["bash", "zsh", "fish"])
    assert.match(readFileSync(join(installed, "dist", "completions", `cyberbackup.${shell}`), "utf8"), /cyberbackup/);
  assert.ok(!existsSync(join(ROOT, "npm-shrinkwrap.json")), "packing has left its lock behind");
});

test("it runs under the Node that came with it, whatever the machine's own is", async () => {
  const { stdout } = await run(["doctor", "--json"]);
  const { findings } = JSON.parse(stdout) as { findings: { check: string; detail: string }[] };
  const pinned = (JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Manifest).dependencies.node;
  assert.match(findings.find(({ check }) => check === "runtime")!.detail, new RegExp(`^Node ${pinned} `));
  assert.equal((await run(["--version"])).stdout.trim(), `cyberbackup ${readVersion()}`);
  await assert.rejects(run(["snapshots", "--vault", join(folder, "none")]), { code: 10 });
});

test("it starts a server in the background, with the page, and stops it", async () => {
  const { stdout } = await run(["up", "--listen", "127.0.0.1:0", "--no-open", "--json"]);
  try {
    const last = JSON.parse(stdout.trim().split("\n").at(-1)!) as { page: boolean; version: string };
    assert.deepEqual([last.page, last.version], [true, readVersion()]);
  } finally {
    await run(["down"]);
  }
});

test("an upgrade and the way back keep the data", async () => {
  const [vault, source] = [join(folder, "vault"), join(folder, "source")];
  mkdirSync(source);
  const write = (name: string) => writeFileSync(join(source, name), `${name}\n`.repeat(5000));
  const restore = async (target: string) => {
    await run(["restore", "latest", "--vault", vault, "--target", join(folder, target)]);
    assert.deepEqual(await compareTrees(source, join(folder, target, source)), []);
  };
  write("by the old version");
  await run(["init", "--vault", vault]);
  await run(["backup", source, "--vault", vault, "--plan", "all"]);

  replaceProgram("99.0.0");
  assert.equal((await run(["--version"])).stdout.trim(), "cyberbackup 99.0.0");
  write("by the new version");
  await run(["backup", source, "--vault", vault, "--plan", "all"]);
  await restore("new");

  replaceProgram(readVersion());
  assert.equal((await run(["--version"])).stdout.trim(), `cyberbackup ${readVersion()}`);
  await restore("old");
  write("by the old version again");
  await run(["backup", source, "--vault", vault, "--plan", "all"]);
  const { stdout } = await run(["verify", "--read-data", "--vault", vault, "--json"]);
  const result = JSON.parse(stdout.trim().split("\n").at(-1)!) as { ok: boolean; snapshots: number };
  assert.deepEqual([result.ok, result.snapshots], [true, 3]);
});

type Manifest = { version: string; dependencies: Record<string, string> };

/** What npm does at an upgrade when no dependency has changed: the package's files are replaced by those of another tarball. */
function replaceProgram(version: string): void {
  const unpacked = join(folder, "package");
  for (const name of readdirSync(unpacked)) {
    rmSync(join(installed, name), { recursive: true });
    cpSync(join(unpacked, name), join(installed, name), { recursive: true });
  }
  const path = join(installed, "package.json");
  const manifest = JSON.parse(readFileSync(path, "utf8")) as Manifest;
  writeFileSync(path, JSON.stringify({ ...manifest, version }));
}

function run(args: readonly string[]) {
  const options: ExecFileOptions = { cwd: folder, env: environment(), maxBuffer: 2 ** 26 };
  return exec(program, args, { ...options, encoding: "utf8", shell: process.platform === "win32" });
}

/** The machine's own: nothing of this checkout is on the path, and nothing that npm sets for its scripts is there. */
function environment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_|CYBERBACKUP_)/i.test(name));
  const path = (process.env.PATH ?? "").split(delimiter).filter((entry) => !entry.includes("node_modules"));
  return {
    ...Object.fromEntries(inherited),
    PATH: path.join(delimiter),
    NODE_COMPILE_CACHE: join(folder, "compile-cache"),
    CYBERBACKUP_HOME: join(folder, "home"),
    CYBERBACKUP_PASSPHRASE: "correct horse battery staple",
  };
}
