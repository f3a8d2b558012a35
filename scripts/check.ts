// npm run check [-- NAME…]: everything that can be said about the code without running it, a line for each check.
// It fails if any of them does, and shows what that one printed.
import { spawnSync } from "node:child_process";
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

const CHECKS: readonly { name: string; what: string; script: string; args?: string[] }[] = [
  { name: "lock", what: "npm ci can use the lock", script: "scripts/lock.ts" },
  {
    name: "format",
    what: "format and lint",
    script: "node_modules/@biomejs/biome/bin/biome",
    args: ["ci", "--colors=off", ...FORMATTED],
  },
  { name: "types", what: "types", script: "node_modules/typescript/bin/tsc", args: ["-p", "tsconfig.json"] },
  {
    name: "isomorphic",
    what: "types of the rooms that also run in a browser",
    script: "node_modules/typescript/bin/tsc",
    args: ["-p", "tsconfig.isomorphic.json"],
  },
  {
    name: "web",
    what: "types of the page, which knows no Node",
    script: "node_modules/typescript/bin/tsc",
    args: ["-p", "src/web/tsconfig.json"],
  },
  { name: "layers", what: "no import climbs", script: "scripts/layers.ts" },
  { name: "knip", what: "no dead code, no unused dependency", script: "node_modules/knip/bin/knip.js" },
  { name: "docs", what: "reference pages agree with the code", script: "scripts/docs.ts", args: ["--check"] },
  { name: "cli-docs", what: "pages of commands, JSON and API too", script: "scripts/docs-cli.ts", args: ["--check"] },
];

requireNode();
const root = fileURLToPath(new URL("..", import.meta.url));
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !CHECKS.some((check) => check.name === name));
if (unknown.length > 0) {
  console.error(`There is no check ${unknown.join(", ")}; there are ${CHECKS.map(({ name }) => name).join(", ")}.`);
  process.exit(2);
}

for (const { name, what, script, args = [] } of CHECKS) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const start = performance.now();
  const run = spawnSync(process.execPath, [script, ...args], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${run.status === 0 ? "✔" : "✖"} ${name.padEnd(10)} ${seconds.padStart(5)} s  ${what}`);
  if (run.status === 0) continue;
  process.exitCode = 1;
  console.log(`${run.stdout}${run.stderr}`.trimEnd().replace(/^/gm, "    "));
}
