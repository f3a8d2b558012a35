// Writes docs/cli.md, docs/json.md and docs/api.md from the commands, schemas and routes that they describe. `--check` writes nothing and fails when a page
// is stale.

import { readFileSync, writeFileSync } from "node:fs";
import type { Command } from "commander";
import { CrashHandling } from "../src/cli/crash.ts";
import { helpPage } from "../src/cli/help-page.ts";
import { processHost } from "../src/cli/host.ts";
import { jsonPage } from "../src/cli/json-page.ts";
import { Output } from "../src/cli/output.ts";
import { buildProgram, loadAll } from "../src/cli/program.ts";
import { apiPage } from "./api-page.ts";

/** Page (in docs/) → its text. */
export async function cliPages(): Promise<Record<string, string>> {
  return { "cli.md": helpPage(await loadedProgram()), "json.md": jsonPage(), "api.md": await apiPage() };
}

/** The program with all its commands. */
export async function loadedProgram(): Promise<Command> {
  const host = processHost(new AbortController().signal);
  const cli = {
    host,
    output: new Output(host, { isJson: false, isQuiet: false }),
    crash: new CrashHandling(),
    exitCode: 0,
  };
  const program = buildProgram(cli);
  await loadAll(program, cli);
  return program;
}

if (import.meta.main) {
  const isCheck = process.argv.includes("--check");
  for (const [name, text] of Object.entries(await cliPages())) {
    const path = new URL(`../docs/${name}`, import.meta.url);
    if (isCheck) {
      if (readFileSync(path, "utf8") === text) continue;
      console.error(`docs/${name} is stale. Run: node scripts/docs-cli.ts`);
      process.exitCode = 1;
    } else {
      writeFileSync(path, text);
      console.log(`docs/${name} written`);
    }
  }
}
