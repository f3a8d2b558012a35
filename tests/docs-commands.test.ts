// The commands that the guides tell people to type exist, with the options that they give them.

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { Command } from "commander";
import { CrashHandling } from "../src/cli/crash.ts";
import { processHost } from "../src/cli/host.ts";
import { Output } from "../src/cli/output.ts";
import { buildProgram, loadAll } from "../src/cli/program.ts";

const GUIDES = [
  "README.md",
  ...["agent", "from-cyberbackup-3", "migration", "server", "tutorial"].map((name) => `docs/${name}.md`),
  ...globSync("docs/how-to/*.md", { cwd: new URL("..", import.meta.url).pathname }),
];

const host = processHost(new AbortController().signal);
const cli = {
  host,
  output: new Output(host, { isJson: false, isQuiet: false }),
  crash: new CrashHandling(),
  exitCode: 0,
};
const program = buildProgram(cli);
await loadAll(program, cli);

/** What is wrong with a line that a person would type; undefined when nothing is, or when it is no command of ours. */
function problemOf(line: string): string | undefined {
  const [, words = ""] = /(?:^|[|&]\s*)(?:\.\/)?cyberbackup((?: [^|&>]+)+)/.exec(line.trim()) ?? [];
  const list = words
    .trim()
    .split(/\s+/)
    .filter((word) => word !== "");
  if (list.length === 0) return undefined;
  let command: Command = program;
  while (list.length > 0) {
    const below = command.commands.find((one) => one.name() === list[0]);
    if (!below) break;
    command = below;
    list.shift();
  }
  if (command === program) return `there is no command ${list[0]}`;
  const known = new Set([...command.options, ...program.options].flatMap(({ long, short }) => [long, short]));
  const end = list.indexOf("--");
  const unknown = (end < 0 ? list : list.slice(0, end)).find((word) => word.startsWith("-") && !known.has(word));
  return unknown === undefined ? undefined : `${command.name()} has no option ${unknown}`;
}

describe("the commands in the guides", () => {
  for (const guide of GUIDES) {
    test(guide, () => {
      const text = readFileSync(new URL(`../${guide}`, import.meta.url), "utf8");
      const lines = text.split("\n").filter((line) => /^ {4}\S/.test(line));
      const inline = [...text.matchAll(/`(cyberbackup [^`]+)`/g)].map(([, line]) => line!);
      const ours = [...lines, ...inline].filter((line) => line.includes("cyberbackup"));
      assert.ok(ours.length > 0, "the guide has no commands: does this test still find them?");
      const problems = ours.flatMap((line) => problemOf(line.replace(/--keep-…|…/g, "")) ?? []);
      assert.deepEqual(problems, []);
    });
  }

  test("a command or option that does not exist would be found", () => {
    assert.match(problemOf("cyberbackup bakcup ~")!, /no command bakcup/);
    assert.match(problemOf("pg_dump | ./cyberbackup backup --stdout")!, /no option --stdout/);
    assert.match(problemOf("cyberbackup v3 import DIR --databse F")!, /no option --databse/);
    assert.equal(problemOf("cyberbackup v3 import DIR --database F --vault V --json"), undefined);
    assert.equal(problemOf("npm test"), undefined);
  });
});
