// Completion scripts parse in their shells, and bash really completes with its one.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { completionScript, SHELLS } from "../../src/cli/completion-script.ts";
import { CrashHandling } from "../../src/cli/crash.ts";
import { processHost } from "../../src/cli/host.ts";
import { Output } from "../../src/cli/output.ts";
import { buildProgram, loadAll } from "../../src/cli/program.ts";

const folder = mkdtempSync(join(tmpdir(), "completion-"));
mkdirSync(join(folder, "scripts"));
const scripts = new Map<string, string>();

before(async () => {
  const host = processHost(new AbortController().signal);
  const cli = {
    host,
    output: new Output(host, { isJson: false, isQuiet: false }),
    crash: new CrashHandling(),
    exitCode: 0,
  };
  const program = buildProgram(cli);
  await loadAll(program, cli);
  for (const shell of SHELLS) {
    const path = join(folder, "scripts", shell);
    writeFileSync(path, completionScript(shell, program));
    scripts.set(shell, path);
  }
});

after(() => rmSync(folder, { recursive: true, force: true }));

describe("each script parses", () => {
  for (const shell of SHELLS) {
    const isThere = spawnSync(shell, ["-c", "exit 0"]).status === 0;
    test(`in ${shell}`, { skip: isThere ? false : `${shell} is not installed here` }, () => {
      const { status, stderr } = spawnSync(shell, ["-n", scripts.get(shell)!], { encoding: "utf8" });
      assert.deepEqual([status, stderr], [0, ""]);
    });
  }
});

describe("bash completes", () => {
  const cases: readonly [words: string[], expected: string[], also?: string[]][] = [
    [["sn"], ["snapshots"]],
    [["un"], ["undelete", "unpin"]],
    [
      ["key", ""],
      ["list", "add", "remove"],
    ],
    [
      ["key", "add", "--reci"],
      ["--recipient", "--recipient-file"],
    ],
    [["restore", "--ov"], ["--overwrite"]],
    [
      ["restore", "latest", "--overwrite", "if"],
      ["if-changed", "if-newer"],
    ],
    [
      ["backup", "--compression", ""],
      ["fastest", "default", "better", "max", "off"],
    ],
    [["--vault", "backup", "forg"], ["forget"]],
    [["completion", "z"], ["zsh"]],
    [["backup", "--exclude-c"], ["--exclude-caches"]],
    [["writer", "e"], ["export"]],
  ];
  for (const [words, expected] of cases) {
    test(`cyberbackup ${words.join(" ")}<Tab>`, () => assert.deepEqual(complete(words), expected.toSorted()));
  }

  test("files where files are meant", () => {
    writeFileSync(join(folder, "passphrase.txt"), "");
    assert.deepEqual(complete(["backup", "--passphrase-file", "passph"]), ["passphrase.txt"]);
    assert.deepEqual(complete(["backup", "passph"]), ["passphrase.txt"]);
  });
});

function complete(words: readonly string[]): string[] {
  const quoted = ["cyberbackup", ...words].map((word) => `'${word}'`).join(" ");
  const script = `
    source ${scripts.get("bash")}
    COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}
    _cyberbackup
    printf '%s\\n' "\${COMPREPLY[@]}"
  `;
  const { stdout, stderr, status } = spawnSync("bash", ["--norc", "-c", script], { encoding: "utf8", cwd: folder });
  assert.deepEqual([status, stderr], [0, ""]);
  return stdout.trimEnd().split("\n").toSorted();
}
