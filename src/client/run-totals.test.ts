import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { silentLogger } from "../core/log.ts";
import { readTotals, saveTotals } from "./run-totals.ts";

const folder = mkdtempSync(join(tmpdir(), "totals-"));
const state = join(folder, "x.state");
after(() => rmSync(folder, { recursive: true, force: true }));

test("totals come back, for their owner alone", () => {
  assert.equal(readTotals(state), undefined);
  saveTotals(state, { files: 3, bytes: 2 ** 40 }, silentLogger);
  assert.deepEqual(readTotals(state), { files: 3, bytes: 2 ** 40 });
  if (process.platform !== "win32") assert.equal(statSync(join(folder, "x.totals.json")).mode & 0o777, 0o600);
});

test("what is no total is none, and what cannot be kept harms nothing", () => {
  for (const text of ["", "{}", "[]", "null", '{"files":-1,"bytes":2}', '{"files":1,"bytes":"2"}']) {
    writeFileSync(join(folder, "x.totals.json"), text);
    assert.equal(readTotals(state), undefined, text);
  }
  const warnings: string[] = [];
  const logger = { ...silentLogger, warn: (message: string) => warnings.push(message) };
  saveTotals(join(folder, "nowhere", "x.state"), { files: 1, bytes: 1 }, logger);
  assert.equal(warnings.length, 1);
});
