// The reference pages say what the program says, and every command can be asked for help.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { cliPages } from "../../scripts/docs-cli.ts";
import { COMMANDS } from "../../src/cli/command-list.ts";
import { DOCUMENTS } from "../../src/cli/json-schema.ts";
import { cli, newPlace } from "./run-cli.ts";

const place = newPlace();
after(() => place.remove());

const read = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");

describe("generated pages", async () => {
  for (const [name, text] of Object.entries(await cliPages())) {
    test(`docs/${name} is up to date (else: node scripts/docs-cli.ts)`, () => assert.equal(read(name), text));
  }

  test("every command has its help with examples, and its documents", () => {
    for (const { name } of COMMANDS) {
      const section = read("cli.md").split(`\n## cyberbackup ${name}\n`)[1]?.split("\n## ")[0] ?? "";
      const sections = read("cli.md").split(`\n## cyberbackup ${name}`).slice(1).join();
      assert.match(section, /Usage: cyberbackup/, name);
      assert.match(sections, /\nExamples:\n/, name);
      const isData = name === "cat" || name === "dump";
      assert.ok(isData || Object.keys(DOCUMENTS).some((command) => command.split(" ")[0] === name), name);
    }
  });
});

describe("help as printed", () => {
  test("is what the page says, of the program, a command and a command of a command", async () => {
    for (const args of [[], ["backup"], ["key", "add"]]) {
      const { text, stderr } = await cli(place, [...args, "--help"]);
      assert.equal(stderr, "");
      assert.ok(read("cli.md").includes(`\`\`\`text\n${text.trimEnd()}\n\`\`\``), args.join(" "));
    }
  });

  test("help COMMAND is the same", async () => {
    const [asked, flagged] = [await cli(place, ["help", "forget"]), await cli(place, ["forget", "--help"])];
    assert.equal(asked.text, flagged.text);
  });

  test("--version says name and version, and nothing at all is an error with help as its hint", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    assert.equal((await cli(place, ["--version"])).text, `cyberbackup ${version}\n`);
    const { stderr } = await cli(place, [], { exit: 2 });
    assert.match(stderr, /--help/);
  });
});
