// Messages of the log are texts of the program: what varies goes into fields, which are allow-listed (src/core/log-fields.ts). A
// message that is put together could carry anything, so every call in src/ is looked at.

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const ROOT = join(import.meta.dirname, "..", "..");
const CALL = /\b(?:logger|log)\??\.(?:debug|info|warn|error)\(\s*(\S[^\n]*)/g;
const LITERAL = /^"(?:[^"\\]|\\.)*"\s*[,)]/;

function madeUp(source: string): string[] {
  const code = source.replace(/^\s*(\/\/|\/?\*).*$/gm, "");
  return [...code.matchAll(CALL)].map(([, argument]) => argument!).filter((argument) => !LITERAL.test(argument));
}

test("the rule finds what it is for", () => {
  for (const bad of [
    ["logger.info(`x $", "{name}`)"].join(""),
    'log.warn("x " + name, {})',
    "logger.error(message)",
    "logger?.debug(x, {})",
  ]) {
    assert.equal(madeUp(bad).length, 1, bad);
  }
  for (const good of [
    'logger.info("a vault was made", { vault })',
    'logger.warn(\n  "x",\n)',
    "Math.log(x)",
    "// logger.info(x)",
  ]) {
    assert.deepEqual(madeUp(good), [], good);
  }
});

test("no message of the log is put together", () => {
  const files = globSync("src/**/*.{ts,tsx}", { cwd: ROOT }).filter((path) => !path.includes(".test."));
  let calls = 0;
  for (const path of files) {
    const source = readFileSync(join(ROOT, path), "utf8");
    calls += [...source.matchAll(CALL)].length;
    assert.deepEqual(madeUp(source), [], path);
  }
  assert.ok(calls > 30, `only ${calls} calls were found`);
});
