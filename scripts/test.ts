// npm test [-- WORD… --FLAG…]: runs the tests. A word picks the files whose path holds it; a flag goes to the Node that runs each file
// (--test-name-pattern=…, --test-only). A few files run at a time, each in its own process.
import { globSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { run } from "node:test";
import { fileURLToPath } from "node:url";
import { requireNode } from "./node-version.ts";
import report from "./test-reporter.ts";

const FOLDERS = ["src", "tests", "scripts", "bench"];
/** One more than there are cores: many files wait for a browser, a process or a clock most of the time. */
const AT_ONCE = Math.min(8, availableParallelism()) + 1;
/** Of one test, or of a group of them. */
const LONGEST_MS = 240_000;
/** These take longest, so they begin first: at the end no core should wait for one long file. */
const FIRST = [
  "tests/browser/run",
  "tests/package/package",
  "tests/model/",
  "tests/v3/gateway-process",
  "tests/security/hostile-client",
  "tests/web/",
  "tests/mutation/",
  "tests/server/kill",
  "tests/cli/up",
  "tests/crash/",
  "tests/vault/crash-matrix",
  "tests/remote/walk",
  "tests/remote/remote-vault",
  "tests/server/route-roles",
  "tests/vault/gc",
];

requireNode();
const root = fileURLToPath(new URL("..", import.meta.url));
const words = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const flags = process.argv.slice(2).filter((argument) => argument.startsWith("-"));

const files = FOLDERS.flatMap((folder) => globSync(`${folder}/**/*.test.ts`, { cwd: root }))
  .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
  .sort((a, b) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1));
if (files.length === 0) {
  console.error(`No test file's path holds ${words.join(" or ")}.`);
  process.exit(1);
}

// What one process has compiled the hundreds after it need not: the folder of the launcher.
process.env.NODE_COMPILE_CACHE ??= join(root, ".cyberbackup", "compile-cache");
const events = run({
  files: files.map((path) => join(root, path)),
  cwd: root,
  concurrency: AT_ONCE,
  timeout: LONGEST_MS,
  execArgv: ["--disable-warning=ExperimentalWarning", `--import=${new URL("test-end.ts", import.meta.url)}`, ...flags],
});
events.on("test:fail", () => {
  process.exitCode = 1;
});
events.compose(report).pipe(process.stdout);

function rankOf(path: string): number {
  const rank = FIRST.findIndex((beginning) => path.startsWith(beginning));
  return rank < 0 ? FIRST.length : rank;
}
