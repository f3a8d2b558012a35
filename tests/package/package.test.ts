// The package as people get it: packed, installed from its tarball into an empty prefix by the machine's own npm and Node, and used.
// Then a newer version takes its place and the older one comes back, and the data is what it was. All of this happens as the first
// stage of the Dockerfiles says; the images' last stages are tried in the end, as a user without rights.

import assert from "node:assert/strict";
import { type ExecFileOptions, execFile, execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { run as lint } from "dockerfilelint";
import { parse } from "yaml";
import { PAGE_FOLDER } from "../../scripts/build-page.ts";
import { COMMANDS } from "../../src/cli/command-list.ts";
import { compareTrees } from "../../src/cli/compare-trees.ts";
import { readVersion } from "../../src/node/version.ts";
import { builtPage } from "../web/page-build.ts";
import { carryOut, settingsOf, stagesOf } from "./dockerfile.ts";

const exec = promisify(execFile);
const ROOT = join(import.meta.dirname, "..", "..");
const DOCKER = join(ROOT, "deploy", "docker");
const folder = mkdtempSync(join(tmpdir(), "cb-package-"));
const build = join(folder, "build");
const prefix = join(build, "opt", "cyberbackup");
const installed = join(prefix, "lib", "node_modules", "cyberbackup");
const program = join(prefix, "bin", "cyberbackup");
const dockerfiles = { server: read("server.Dockerfile"), web: read("web.Dockerfile") };

before(async () => {
  await builtPage();
  const [stage] = stagesOf(dockerfiles.server);
  await carryOut({
    stage: stage!,
    context: ROOT,
    folder,
    env: { ...environment(), npm_config_prefer_offline: "true" },
    instead(command, workdir) {
      // This checkout has been installed in this very way; doing it once more would take as long as all the rest.
      if (!command.startsWith("npm ci")) return false;
      execFileSync("cp", ["-al", join(ROOT, "node_modules"), join(workdir, "node_modules")]);
      // And the page was built of the same sources, for all test files: the build finds nothing to be done.
      cpSync(PAGE_FOLDER, join(workdir, "dist", "web"), { recursive: true });
      return true;
    },
  });
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
  assert.ok(!existsSync(join(build, "src", "npm-shrinkwrap.json")), "packing has left its lock behind");
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

describe("the images", () => {
  test("are made alike, and a linter finds nothing", () => {
    const [server, web] = [stagesOf(dockerfiles.server), stagesOf(dockerfiles.web)];
    const own = web[0]!.instructions;
    assert.deepEqual(server[0]!.instructions.slice(0, own.length), own);
    for (const [name, text] of Object.entries(dockerfiles)) assert.deepEqual(lint(DOCKER, text), [], name);
    for (const stages of [server, web]) assert.equal(settingsOf(stages.at(-1)!).user, "10001:10001");
  });

  test("what compose.yaml names is there, and nothing in it may write or has rights", () => {
    const compose = parse(read("compose.yaml"), { merge: true }) as { services: Record<string, Service> };
    for (const [name, service] of Object.entries(compose.services)) {
      assert.deepEqual([service.read_only, service.cap_drop], [true, ["ALL"]], name);
      assert.ok(existsSync(join(DOCKER, service.build.context, service.build.dockerfile)), name);
    }
    const options = compose.services.web!.command!.slice(1).map((word) => word.split("=")[0]!);
    for (const option of options) assert.ok(read("../../docs/cli.md").includes(`  ${option} <`), option);
  });

  test("of the server: runs and is healthy as a user who can write nothing but its volume", async (t) => {
    if (process.getuid?.() !== 0) return t.skip("only root can become another user");
    const stage = stagesOf(dockerfiles.server).at(-1)!;
    const root = await carryOut({ stage, context: ROOT, folder, env: environment() });
    const { entrypoint, cmd, health, env, user } = settingsOf(stage);
    const [uid, gid] = user.split(":").map(Number) as [number, number];
    const below = Object.entries(env).map(([name, value]) => [
      name,
      value.replace(/(?<=^|:)\/(?=opt|var|tmp)/g, `${root}/`),
    ]);
    chmodSync(folder, 0o755);
    mkdirSync(join(root, "tmp"), { mode: 0o777 });
    chmodSync(join(root, "tmp"), 0o777);
    const data = join(root, "var", "lib", "cyberbackup");
    chownSync(data, uid, gid);
    const options = { cwd: root, env: Object.fromEntries(below) as NodeJS.ProcessEnv, uid, gid };
    const at = (file: string): string => join(root, "opt", "cyberbackup", "bin", file);
    const child = spawn(at(entrypoint[0]!), [...entrypoint.slice(1), ...cmd, "--listen", "127.0.0.1:0", "--json"], {
      ...options,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
    try {
      for await (const line of createInterface(child.stdout)) if (line.includes('"started"')) break;
      const { stdout } = await exec(at(health[0]!), health.slice(1), options);
      assert.match(stdout, /takes requests/);
    } finally {
      child.kill("SIGTERM");
    }
    assert.equal(await ended, 0);
    await assert.rejects(exec(at(health[0]!), health.slice(1), options), { code: 1 });
  });
});

type Service = {
  read_only: boolean;
  cap_drop: string[];
  build: { context: string; dockerfile: string };
  command?: string[];
};

function read(name: string): string {
  return readFileSync(join(DOCKER, name), "utf8");
}

/** What npm does at an upgrade when no dependency has changed: the package's files are replaced by those of another tarball. */
function replaceProgram(version: string): void {
  const unpacked = join(folder, "package");
  const packed = join(build, "out");
  if (!existsSync(unpacked))
    execFileSync("tar", ["-xzf", join(packed, readdirSync(packed).find((name) => name.endsWith(".tgz"))!)], {
      cwd: folder,
    });
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
  return exec(program, args, { ...options, encoding: "utf8" });
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
