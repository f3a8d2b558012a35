// Run by `npm pack` and `npm publish`: makes what is in the package and not in the repository. dist/ gets the compiled program, the
// page, the manual page and completions. The lock goes along as npm-shrinkwrap.json, so that whoever installs the package gets
// exactly the dependencies that were tested (`--after` takes it away again).
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { completionScript, SHELLS } from "../src/cli/completion-script.ts";
import { manPage } from "../src/cli/man-page.ts";
import { readVersion } from "../src/node/version.ts";
import { compile } from "./compile.ts";
import { loadedProgram } from "./docs-cli.ts";
import { requireNode } from "./node-version.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DIST = join(ROOT, "dist");
const SHRINKWRAP = join(ROOT, "npm-shrinkwrap.json");

type Lock = { packages: Record<string, { dev?: boolean }> };

requireNode();
if (process.argv.includes("--after")) {
  rmSync(SHRINKWRAP, { force: true });
} else {
  renewPage();
  await compile(DIST);
  await writePages();
  writeFileSync(SHRINKWRAP, `${JSON.stringify(withoutDevelopment(readLock()), undefined, 2)}\n`);
}

function renewPage(): void {
  const script = join(ROOT, "scripts", "build.ts");
  if (existsSync(script)) execFileSync(process.execPath, [script], { stdio: ["ignore", "ignore", "inherit"] });
}

async function writePages(): Promise<void> {
  const program = await loadedProgram();
  mkdirSync(join(DIST, "man"), { recursive: true });
  writeFileSync(join(DIST, "man", "cyberbackup.1"), manPage(program, readVersion()));
  mkdirSync(join(DIST, "completions"), { recursive: true });
  for (const shell of SHELLS)
    writeFileSync(join(DIST, "completions", `cyberbackup.${shell}`), completionScript(shell, program));
}

function readLock(): Lock {
  return JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as Lock;
}

function withoutDevelopment(lock: Lock): Lock {
  const packages = Object.entries(lock.packages).filter(([, { dev }]) => dev !== true);
  return { ...lock, packages: Object.fromEntries(packages) };
}
