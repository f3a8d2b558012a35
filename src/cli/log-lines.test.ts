import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { addedLines, lastLines, shownLine } from "./log-lines.ts";

const folder = mkdtempSync(join(tmpdir(), "log-lines-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, "a.log");

test("the last lines of a file of any size, and then what is added, in whole lines", async () => {
  const all = Array.from({ length: 5000 }, (_, i) => `line ${i} ${"ä".repeat(i % 60)}`);
  writeFileSync(path, `${all.join("\n")}\nhalf`);
  const { lines, end } = await lastLines(path, 3000);
  assert.deepEqual(lines, all.slice(-3000));
  assert.deepEqual((await lastLines(path, 9000)).lines, all);
  assert.deepEqual((await lastLines(path, 0)).lines, []);
  assert.deepEqual(await addedLines(path, end), { lines: [], end });
  appendFileSync(path, " of it\nmore\n");
  assert.deepEqual((await addedLines(path, end)).lines, ["half of it", "more"]);
});

test("a file that was cut is read anew", async () => {
  writeFileSync(path, "one\ntwo\nthree\n");
  const { end } = await lastLines(path, 1);
  writeFileSync(path, "new\n");
  assert.deepEqual((await addedLines(path, end)).lines, ["new"]);
});

test("records become words, and nothing reaches the terminal as it is", () => {
  const line = JSON.stringify({
    level: "warn",
    time: "2026-11-23T03:42:36.837Z",
    pid: 3,
    message: "slow \u001b[31mdisk",
    bytes: 5,
  });
  assert.match(shownLine(line), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}warn {3}slow .*disk {2}bytes=5$/);
  assert.ok(!shownLine(line).includes("\u001b"));
  assert.ok(!shownLine("plain \u001b[2J").includes("\u001b"));
  assert.equal(shownLine('{"no": "words"}'), '{"no": "words"}');
});
