// What a device keeps of its plans must survive people's editors, damage and restarts.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { isAppError } from "../../core/errors.ts";
import type { SessionId, VaultId } from "../../core/ids.ts";
import type { RunReport } from "../../wire/v4/api/run-routes.ts";
import { readPlan } from "../../wire/v4/plan-body.ts";
import { reportFiles } from "./outbox.ts";
import { ALL_PLANS, FOREVER, pausedUntil, pauseFiles, withPause } from "./pauses.ts";
import { planFiles } from "./plan-files.ts";
import { memoryFiles, newMemory } from "./plan-memory.ts";

const dir = mkdtempSync(join(tmpdir(), "plans-"));
after(() => rmSync(dir, { recursive: true }));
const vault = "ab".repeat(16) as VaultId;
const plans = planFiles(dir);
const path = (name: string): string => join(dir, "plans", vault, name);
const documents = readPlan({ name: "documents", sources: ["/home/ann"], hooks: { before: { argv: ["sync"] } } });

test("a plan comes back as it was, and its file holds no more than was said", async () => {
  await plans.savePlace(vault, { vault: "/mnt/vault", remotePrograms: "refuse" });
  await plans.save(vault, documents);
  assert.deepEqual(await plans.read(vault, "documents"), documents);
  assert.deepEqual(Object.keys(JSON.parse(readFileSync(path("documents.json"), "utf8"))), ["name", "sources", "hooks"]);
  assert.equal(statSync(path("documents.json")).mode & 0o777, 0o600);
  assert.deepEqual(await plans.vaults(), [vault]);
  assert.deepEqual(
    (await plans.list(vault)).map(({ name }) => name),
    ["documents"],
  );
});

test("a file with a mistake is told apart, quotes nothing of itself, and keeps no other from being read", async () => {
  writeFileSync(path("broken.json"), '{ "name": "broken", "sources": ["/secret/place" }');
  writeFileSync(path("other.json"), JSON.stringify({ name: "another", sources: ["/x"] }));
  writeFileSync(path("documents.conflict-1.json"), "{}");
  writeFileSync(path(".documents.json.tmp"), "{}");
  const listed = await plans.list(vault);
  assert.deepEqual(
    listed.map(({ name, plan }) => [name, plan !== undefined]),
    [
      ["broken", false],
      ["documents", true],
      ["other", false],
    ],
  );
  assert.match(listed[0]!.problem!.message, /is not JSON/);
  assert.ok(!listed[0]!.problem!.message.includes("secret"));
  assert.match(listed[2]!.problem!.message, /must be "other"/);
  await assert.rejects(plans.read(vault, "../x"), (error) => isAppError(error, "plan_invalid"));
  assert.equal(await plans.saveConflict(vault, documents), "documents.conflict-2.json");
});

test("memories change one after the other, and a damaged one counts as none", async () => {
  const memories = memoryFiles(dir);
  const id = "cd".repeat(16);
  await memories.update(vault, "documents", () => newMemory(id, 1));
  await Promise.all(
    Array.from({ length: 20 }, () =>
      memories.update(vault, "documents", (before) => ({ ...before!, handled: before!.handled + 1 })),
    ),
  );
  assert.equal((await memoryFiles(dir).read(vault, "documents"))!.handled, 21);
  assert.deepEqual(await memories.list(vault), ["documents"]);
  writeFileSync(join(dir, "agent", vault, "documents.json"), '{"id": 3}');
  assert.equal(await memories.read(vault, "documents"), undefined);
});

test("pauses are for one plan or for all, and end by themselves", async () => {
  const pauses = pauseFiles(dir);
  await pauses.write(vault, withPause(withPause({}, "documents", 50), undefined, 20));
  const read = await pauses.read(vault);
  assert.deepEqual(
    [pausedUntil(read, "documents", 10), pausedUntil(read, "mail", 10), pausedUntil(read, "mail", 20)],
    [50, 20, undefined],
  );
  assert.deepEqual(withPause(read, "documents", undefined), { [ALL_PLANS]: 20 });
  assert.deepEqual(withPause(withPause(read, "mail", FOREVER), undefined, undefined), {});
});

test("reports that could not be delivered are kept, the newest hundred", async () => {
  const reports = reportFiles(dir);
  const counts = {
    files: 1,
    directories: 0,
    others: 0,
    newFiles: 1,
    changedFiles: 0,
    unchangedFiles: 0,
    problems: 0,
    changedWhileRead: 0,
  };
  const report: RunReport = {
    ...{
      n: 3,
      kind: "backup",
      state: "failed",
      phase: "ended",
      plan: null,
      planId: null,
      trigger: "schedule",
      startedAt: 5,
      elapsedMs: 6,
      counts,
    },
    ...{
      bytes: { done: 1, read: 1, new: 1, added: 1 },
      expected: null,
      snapshot: null,
      error: "server_unreachable",
      details: Uint8Array.of(1, 2),
    },
  };
  const all = Array.from({ length: 120 }, (_, n) => ({ run: n.toString(16).padStart(32, "0") as SessionId, report }));
  await reports.write(vault, all);
  assert.deepEqual(await reports.read(vault), all.slice(20));
});
