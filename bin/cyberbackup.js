#!/usr/bin/env node
// Starts the installed program, under the Node that came with it: the machine's own may be any from version 18 on, so this file uses
// nothing newer. A checkout is started by ./cyberbackup instead.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** As in ./cyberbackup, where the reasons are. */
const NODE_FLAGS = ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=4", "--heap-growing-percent=15"];
/** Of what runs for long; the last one of a name counts. */
const COMMAND_FLAGS = {
  serve: ["--max-semi-space-size=8", "--heap-growing-percent=60"],
  gateway: ["--heap-growing-percent=60"],
};
/** `engines` in package.json. */
const OLDEST = [24, 12];

const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
if (!existsSync(main)) fail("it is not compiled. In a checkout, start ./cyberbackup; else install the package again.");
const node = pinnedNode() || ownNode();
if (!node) {
  fail(
    `it needs Node.js ${OLDEST.join(".")} or later, and the one that comes with it is not there (this is ${process.version}).\n` +
      "Install the package again and let its package `node` run its install script: npm install --global cyberbackup",
  );
}
start(node, [...NODE_FLAGS, ...(COMMAND_FLAGS[process.argv[2]] || []), main, ...process.argv.slice(2)], environment());

function pinnedNode() {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve("node/package.json"));
    return ["bin/node", "bin/node.exe"].map((path) => join(folder, path)).find((path) => existsSync(path));
  } catch {
    return undefined;
  }
}

function ownNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]) ? process.execPath : undefined;
}

function environment() {
  const cache = cacheFolder();
  const defaults = {
    ...(cache ? { NODE_COMPILE_CACHE: join(cache, "cyberbackup", "compile-cache") } : {}),
    MALLOC_ARENA_MAX: "2",
  };
  const steady = { MALLOC_MMAP_THRESHOLD_: "262144", MALLOC_TRIM_THRESHOLD_: "1048576" };
  return { ...defaults, ...(process.argv[2] === "gateway" ? steady : {}), ...process.env };
}

function cacheFolder() {
  const { LOCALAPPDATA, XDG_CACHE_HOME } = process.env;
  try {
    if (process.platform === "win32") return LOCALAPPDATA || join(homedir(), "AppData", "Local");
    return XDG_CACHE_HOME || join(homedir(), ".cache");
  } catch {
    // A user that the system has no name for has no home either.
    return undefined;
  }
}

/** In place of this process where the system and this Node can; else beside it, handing on signals and how it ended. */
function start(file, args, env) {
  if (typeof process.execve === "function" && process.platform !== "win32") process.execve(file, [file, ...args], env);
  const child = spawn(file, args, { env, stdio: "inherit", windowsHide: true });
  child.on("error", (error) => fail(`${file} cannot be started: ${error.message}`));
  // Ctrl-C reaches the child by itself; this one waits for it.
  process.on("SIGINT", () => undefined);
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function fail(reason) {
  process.stderr.write(`cyberbackup: ${reason}\n`);
  process.exit(1);
}
