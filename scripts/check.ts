// npm run check [-- NAME…]: everything that can be said about the code without running it, a line for each check as it ends.
// It fails if any of them does, and shows what that one printed.
import { spawn } from "node:child_process";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { requireNode } from "./node-version.ts";

/** Code and settings. Pages of prose keep the line breaks that their authors gave them. */
const FORMATTED = [
  "bin",
  "src",
  "tests",
  "scripts",
  "bench",
  "biome.json",
  "knip.json",
  "package.json",
  "tsconfig.json",
];

type Check = { readonly name: string; readonly what: string; readonly script: string; readonly args?: string[] };

/** Side by side. */
const AT_ONCE = 2;
/** Those that take longest begin first. */
const CHECKS: readonly Check[] = [
  { name: "types", what: "types", script: "node_modules/typescript/bin/tsc", args: ["-p", "tsconfig.json"] },
  {
    name: "web",
    what: "types of the page, which knows no Node",
    script: "node_modules/typescript/bin/tsc",
    args: ["-p", "src/web/tsconfig.json"],
  },
  {
    name: "format",
    what: "format and lint",
    script: "node_modules/@biomejs/biome/bin/biome",
    args: ["ci", "--colors=off", ...FORMATTED],
  },
  {
    name: "isomorphic",
    what: "types of the rooms that also run in a browser",
    script: "node_modules/typescript/bin/tsc",
    args: ["-p", "tsconfig.isomorphic.json"],
  },
  { name: "layers", what: "no import climbs", script: "scripts/layers.ts" },
  { name: "knip", what: "no dead code, no unused dependency", script: "node_modules/knip/bin/knip.js" },
  { name: "docs", what: "reference pages agree with the code", script: "scripts/docs.ts", args: ["--check"] },
  { name: "cli-docs", what: "pages of commands, JSON and API too", script: "scripts/docs-cli.ts", args: ["--check"] },
  { name: "lock", what: "npm ci can use the lock", script: "scripts/lock.ts" },
];

requireNode();
const root = fileURLToPath(new URL("..", import.meta.url));
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !CHECKS.some((check) => check.name === name));
if (unknown.length > 0) {
  console.error(`There is no check ${unknown.join(", ")}; there are ${CHECKS.map(({ name }) => name).join(", ")}.`);
  process.exit(2);
}

const waiting = CHECKS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
await Promise.all(Array.from({ length: AT_ONCE }, work));

async function work(): Promise<void> {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await carryOut(next);
}

async function carryOut({ name, what, script, args = [] }: Check): Promise<void> {
  const start = performance.now();
  const child = spawn(process.execPath, [script, ...args], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on("close", resolve).on("error", reject);
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${status === 0 ? "✔" : "✖"} ${name.padEnd(10)} ${seconds.padStart(5)} s  ${what}`);
  if (status === 0) return;
  process.exitCode = 1;
  console.log(said.trimEnd().replace(/^/gm, "    "));
}
