import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { COMMAND_FLAGS, ownProgram } from "./own-program.ts";

const CHECKOUT = join(import.meta.dirname, "..", "..");
const SELF = { execPath: "/bin/node", execArgv: ["--a"], argv: ["/bin/node", "main.ts", "up"] };

test("the program is started again by Node's path, its flags, the command's flags, the script and the command", () => {
  const { file, args } = ownProgram(SELF, "serve", false);
  assert.deepEqual([file, ...args], ["/bin/node", "--a", ...COMMAND_FLAGS.serve!, "main.ts", "serve"]);
  assert.deepEqual(ownProgram(SELF, "agent", false).args, ["--a", "main.ts", "agent"]);
  assert.deepEqual(ownProgram(SELF, "serve", true).args, ["serve"]);
});

test("each launcher gives a command the same flags", () => {
  const read = (name: string): string => readFileSync(join(CHECKOUT, name), "utf8");
  for (const [command, flags] of Object.entries(COMMAND_FLAGS)) {
    const words = flags.join(" ");
    const shell = new RegExp(`= ${command} \\]; then[^]*?NODE_FLAGS="\\$NODE_FLAGS (.*)"`).exec(read("cyberbackup"));
    assert.equal(shell?.[1], words);
    const batch = new RegExp(`"%~1"=="${command}" set "NODE_FLAGS=%NODE_FLAGS% (.*)"`).exec(read("cyberbackup.cmd"));
    assert.equal(batch?.[1], words);
    const installed = new RegExp(`${command}: \\[(.*)\\]`).exec(read("bin/cyberbackup.js"));
    assert.equal(installed?.[1], flags.map((flag) => JSON.stringify(flag)).join(", "));
  }
});
