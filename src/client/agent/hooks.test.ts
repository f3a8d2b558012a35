// A plan's programs must end with their time, all of them, and what they print must neither fill memory nor carry secrets.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { SimTimers } from "../../../tests/agent/sim-timers.ts";
import { until } from "../../../tests/until.ts";
import { type HookRequest, runHook } from "./hooks.ts";
import { systemTimers } from "./timers.ts";

const POSIX_ONLY = { skip: process.platform === "win32" };

function ask(script: string, more: Partial<HookRequest> = {}): HookRequest {
  return {
    argv: [process.execPath, "-e", script],
    seconds: 60,
    variables: { HOOK: "before", PLAN: "documents", ERROR: undefined },
    env: { PATH: process.env.PATH, CYBERBACKUP_PASSPHRASE: "canary-passphrase", LANG: "C" },
    timers: systemTimers,
    ...more,
  };
}

test("a program hears what it is run for, and no secret", async () => {
  const { isOk, output } = await runHook(ask("console.log(JSON.stringify(process.env))"));
  const env = JSON.parse(output);
  assert.ok(isOk);
  assert.equal(env.CB_PLAN, "documents");
  assert.equal(env.LANG, "C");
  assert.ok(!("CB_ERROR" in env) && !output.includes("canary"));
});

test("how a program failed is said, with the end of what it printed", async () => {
  const failed = await runHook(ask("process.stdout.write('x'.repeat(1e6) + 'the end'); process.exitCode = 7"));
  assert.equal(failed.detail, "it ended with exit code 7");
  assert.ok(failed.output.length <= 16 * 1024 && failed.output.endsWith("the end"));
  const missing = await runHook(ask("", { argv: ["/no/such/program"] }));
  assert.match(missing.detail, /could not be started \(ENOENT\)/);
});

test("when the time is up the whole group is killed, also what ignores being asked", POSIX_ONLY, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "hook-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const timers = new SimTimers(0);
  // The child tells its own child's pid once that ignores SIGTERM.
  const inner =
    "process.on('SIGTERM', () => {}); require('fs').renameSync(process.argv[1] + '.tmp', process.argv[1]); setInterval(() => {}, 1000)";
  const script = `const fs = require("fs"), { spawn } = require("child_process");
    process.on("SIGTERM", () => {});
    fs.writeFileSync(${JSON.stringify(join(folder, "pid.tmp"))}, "");
    const child = spawn(process.execPath, ["-e", ${JSON.stringify(inner)}, ${JSON.stringify(join(folder, "pid"))}], { stdio: "inherit" });
    fs.writeFileSync(${JSON.stringify(join(folder, "pid.tmp"))}, String(child.pid));
    setInterval(() => {}, 1000)`;
  const ready = new Promise<void>((resolve) => {
    const watcher = watch(folder, (_, name) => {
      if (name !== "pid") return;
      watcher.close();
      resolve();
    });
  });
  const running = runHook(ask(script, { seconds: 5, timers }));
  await ready;
  await timers.advanceTo(5000);
  await timers.advanceTo(10_000);
  const { isOk, detail } = await running;
  assert.ok(!isOk);
  assert.match(detail, /did not end within 5 s and was killed/);
  const grandchild = Number(readFileSync(join(folder, "pid"), "utf8"));
  // Who is killed has closed its files a moment before it counts as dead.
  await until("nothing of the group is left", () => !isAlive(grandchild));
});

test("a program is stopped with the run that it belongs to", async () => {
  const stop = new AbortController();
  const running = runHook(ask("setInterval(() => {}, 1000)", { signal: stop.signal }));
  stop.abort();
  assert.deepEqual(await running, { isOk: false, detail: "it was stopped", output: "" });
});

/** A process that was killed but not waited for yet is as good as gone. */
function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
