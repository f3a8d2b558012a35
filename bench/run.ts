// npm run bench [-- NAME… --runs N --settle SECONDS --heavy --list --report]: measures, prints, and writes docs/benchmarks.md.
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, statfs, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { requireNode } from "../scripts/node-version.ts";
import type { Case, Result } from "./case.ts";
import { CASES } from "./cases/all.ts";
import { missingData } from "./data.ts";
import { CHECKOUT, WORK, work } from "./folders.ts";
import { judge } from "./judge.ts";
import { missingTool } from "./measure.ts";
import { missingPeer, versions } from "./peers.ts";
import { page, spoken } from "./report.ts";
import { takeTurns } from "./turns.ts";

const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  61267: "ext4",
  1481003842: "xfs",
  2435016766: "btrfs",
  16914836: "tmpfs",
};
const PAGE = join(CHECKOUT, "docs", "benchmarks.md");

requireNode();
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "3" },
    heavy: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    report: { type: "boolean", default: false },
    settle: { type: "string", default: "0" },
  },
});
const runs = Number(values.runs);
if (!Number.isSafeInteger(runs) || runs < 1) stop("--runs takes a whole number from 1.");
const settleSeconds = Number(values.settle);
if (!(settleSeconds >= 0 && settleSeconds <= 600)) stop("--settle takes seconds up to 600: a pause before each run.");

if (values.list) {
  for (const { name, title, heavy } of CASES) console.log(`${name.padEnd(26)} ${title}${heavy ? " (--heavy)" : ""}`);
} else {
  if (!values.report) await measureAll(chosen());
  await writePage();
}

function chosen(): Case[] {
  const unknown = positionals.filter((name) => !CASES.some((benchmark) => benchmark.name === name));
  if (unknown.length > 0) stop(`There is no case ${unknown.join(", ")}; --list names them.`);
  if (positionals.length > 0) return CASES.filter(({ name }) => positionals.includes(name));
  return CASES.filter(({ heavy }) => heavy !== true || values.heavy);
}

async function measureAll(cases: readonly Case[]): Promise<void> {
  const missing = missingTool() ?? missingPeer() ?? missingData();
  if (missing !== undefined) stop(missing);
  await mkdir(work("results"), { recursive: true });
  await mkdir(work("runs"), { recursive: true });
  console.log(`Working in ${WORK}`);
  for (const benchmark of cases) {
    console.log(`\n${benchmark.name}: ${benchmark.title}`);
    try {
      await measureOne(benchmark);
    } catch (error) {
      // The other cases are still worth having.
      process.exitCode = 1;
      console.error(error instanceof Error ? error.message : error);
    }
  }
}

async function measureOne(benchmark: Case): Promise<void> {
  await mkdir(work("runs", benchmark.name), { recursive: true });
  const turns = await takeTurns(benchmark, { runs, settleSeconds, say: console.log });
  const date = new Date().toISOString().slice(0, 10);
  const result: Result = {
    name: benchmark.name,
    date,
    machine: await machine(),
    versions: await versions(),
    ...turns,
  };
  await writeFile(resultFile(benchmark), `${JSON.stringify(result, null, 2)}\n`);
  for (const { target, measured, verdict } of judge(benchmark, result))
    console.log(`  ${spoken(target, measured)}: ${verdict}`);
}

async function writePage(): Promise<void> {
  const results = CASES.map(resultFile).filter((path) => existsSync(path));
  const read = results.map((path) => JSON.parse(readFileSync(path, "utf8")) as Result);
  const before = existsSync(PAGE) ? await readFile(PAGE, "utf8") : "";
  await writeFile(PAGE, page(CASES, read, before));
  console.log(`\nWrote ${PAGE}`);
}

function resultFile({ name }: Case): string {
  return work("results", `${name}.json`);
}

async function machine(): Promise<string> {
  const { type } = await statfs(WORK);
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? "?"}, ${memory}, Linux ${release().split(".").slice(0, 2).join(".")}, ${FILE_SYSTEMS[type] ?? `file system ${type}`}`;
}

function stop(message: string): never {
  console.error(message);
  process.exit(1);
}
