// npm test [-- WORD… --FLAG…]: runs the tests. A word picks the files whose path holds it; a flag goes to Node's runner
// (--test-name-pattern=…, --test-only). Two files run at a time, each in its own process.
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { requireNode } from "./node-version.ts";

const FOLDERS = ["src", "tests", "scripts", "bench"];
const AT_ONCE = 2;
const LONGEST_MS = 600_000;

requireNode();
const root = fileURLToPath(new URL("..", import.meta.url));
const words = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const flags = process.argv.slice(2).filter((argument) => argument.startsWith("-"));

const files = FOLDERS.flatMap((folder) => globSync(`${folder}/**/*.test.ts`, { cwd: root }))
  .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
  .sort();
if (files.length === 0) {
  console.error(`No test file's path holds ${words.join(" or ")}.`);
  process.exit(1);
}

const defaults = [
  `--test-concurrency=${AT_ONCE}`,
  `--test-timeout=${LONGEST_MS}`,
  "--test-reporter=./scripts/test-reporter.ts",
  "--test-reporter-destination=stdout",
];
const run = spawnSync(
  process.execPath,
  ["--disable-warning=ExperimentalWarning", "--test", ...defaults, ...flags, ...files],
  {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    // What one process has compiled the hundreds after it need not: the folder of the launcher.
    env: { NODE_COMPILE_CACHE: join(root, ".cyberbackup", "compile-cache"), ...process.env },
  },
);
process.exitCode = run.status ?? 1;
