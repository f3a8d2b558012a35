import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { endOf, firstLine, followed } from "../../tests/child.ts";
import { sweepTemporaries } from "./temporaries.ts";

const home = mkdtempSync(join(tmpdir(), "cb-sweep-"));
after(() => rmSync(home, { recursive: true, force: true }));

const STATE_STORE = pathToFileURL(join(import.meta.dirname, "..", "client", "state-store.ts")).href;

/** A process that has begun to write a state file, as a backup does, and waits. */
async function writing(path: string): Promise<ChildProcess> {
  const code = `import { StateWriter } from ${JSON.stringify(STATE_STORE)};
    new StateWriter(${JSON.stringify(path)}, "00".repeat(16), "00".repeat(16));
    console.log("ready"); setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await firstLine(followed(child));
  return child;
}

test("what a killed backup has left is swept; what a living one writes, and everything else, stays", async () => {
  const state = join(home, "state", "ab".repeat(16));
  mkdirSync(state, { recursive: true });
  const killed = await writing(join(state, "one.state"));
  const living = await writing(join(state, "two.state"));
  try {
    killed.kill("SIGKILL");
    await endOf(killed);
    writeFileSync(join(state, "kept.state"), "x");
    writeFileSync(join(state, "notes.tmp"), "a person's own");
    const old = join(home, ".config.json.0123456789ab.tmp");
    const fresh = join(home, ".config.json.ba9876543210.tmp");
    for (const path of [old, fresh]) writeFileSync(path, "x");
    const now = Date.now();
    utimesSync(old, new Date(now - 2 * 3_600_000), new Date(now - 2 * 3_600_000));
    mkdirSync(join(home, "server", "vaults"), { recursive: true });
    writeFileSync(join(home, "server", "vaults", ".x.0123456789ab.tmp"), "somebody else's");
    assert.equal(await sweepTemporaries(home, now + 1, { dryRun: true }), 2);
    assert.ok(existsSync(old));
    assert.equal(await sweepTemporaries(home, now + 1), 2);
    assert.deepEqual(readdirSync(state).sort(), ["kept.state", "notes.tmp", `two.state.${living.pid}.tmp`].sort());
    assert.deepEqual([existsSync(old), existsSync(fresh)], [false, true]);
    assert.ok(existsSync(join(home, "server", "vaults", ".x.0123456789ab.tmp")));
    assert.equal(await sweepTemporaries(join(home, "nowhere"), now), 0);
  } finally {
    living.kill("SIGKILL");
    await endOf(living);
  }
});
