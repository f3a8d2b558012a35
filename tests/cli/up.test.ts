// `up`, `status`, `logs` and `down` with real processes: what they start they find again, and what keeps a server from starting is said
// with what to do. Whatever a test starts it stops, also when it fails.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, describe, type TestContext, test } from "node:test";
import { findRunning, lockPath } from "../../src/server/instance.ts";
import { lockData } from "../../src/server/lock.ts";
import { until } from "../until.ts";
import { cli, cliError, cliResult, newPlace, PASSPHRASE, type Place } from "./run-cli.ts";

const ANY_PORT = ["--listen", "127.0.0.1:0", "--no-open"];

/** A place whose server, if one runs, is stopped at the end. */
function place(t: TestContext): Place & { readonly data: string } {
  const made = newPlace();
  const data = join(made.home, "server");
  t.after(async () => {
    const running = await findRunning(data);
    if (running?.holder) process.kill(running.holder.pid, "SIGKILL");
    made.remove();
  });
  return { ...made, data };
}

test("up starts once, tells how to reach and own it, survives a kill; status, logs and down find it", async (t) => {
  const at = place(t);
  const first = await cliResult(at, "up", ANY_PORT);
  assert.equal(first.started, true);
  assert.match(first.fingerprint!, /^[0-9a-f]{64}$/);
  assert.ok(first.setup!.startsWith(`${first.address}/#/setup/`));
  assert.equal(JSON.parse(readFileSync(first.config, "utf8")).listen, "127.0.0.1:0");

  const again = await cliResult(at, "up", ANY_PORT);
  assert.deepEqual([again.started, again.pid, again.address], [false, first.pid, first.address]);

  const status = await cliResult(at, "status");
  assert.deepEqual([status.ready, status.pid, status.address, status.vaults], [true, first.pid, first.address, 0]);
  const logs = readdirSync(first.logs).map((name) => readFileSync(join(first.logs, name), "utf8"));
  assert.ok(logs.length >= 2 && logs.every((text) => !text.includes("setup/")), "the set-up link is in a file");
  assert.match((await cli(at, ["logs", "-n", "20"])).text, / info {3}the server is up {2}vaults=0/);
  if (process.platform === "linux") {
    const environment = readFileSync(`/proc/${first.pid}/environ`, "utf8");
    assert.ok(environment.includes("CYBERBACKUP_HOME=") && !environment.includes(PASSPHRASE));
  }

  process.kill(first.pid, "SIGKILL");
  writeFileSync(join(at.data, "tmp", "half-a-pack"), "x");
  writeFileSync(join(at.data, ".running.json.0123456789ab.tmp"), "x");
  await untilGone(at.data);
  assert.equal((await cliResult(at, "status", [], { exit: 1 })).running, false);
  const second = await cliResult(at, "up", ["--no-open"]);
  assert.ok(second.started && second.pid !== first.pid);
  assert.equal(second.fingerprint, first.fingerprint);
  assert.ok(!existsSync(join(at.data, "tmp", "half-a-pack")));
  assert.ok(!existsSync(join(at.data, ".running.json.0123456789ab.tmp")));

  assert.deepEqual(await cliResult(at, "down"), { type: "result", command: "down", wasRunning: true, pid: second.pid });
  assert.equal(await findRunning(at.data), undefined);
  assert.equal((await cliResult(at, "down")).wasRunning, false);
  assert.ok(!existsSync(join(at.data, "running.json")));
  assert.match((await cli(at, ["status"], { exit: 1 })).text, /does not run +start it: cyberbackup up/);
});

describe("what keeps a server from starting is said, and nothing is left running", () => {
  test("a port that is taken", async (t) => {
    const at = place(t);
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    t.after(() => other.close());
    const { port } = other.address() as { port: number };
    const error = await cliError(at, ["up", "--listen", `127.0.0.1:${port}`, "--no-open"], { exit: 1 });
    assert.equal(error.code, "port_unusable");
    assert.match(error.message, new RegExp(`127.0.0.1:${port}: another program listens there`));
    assert.match(error.hint, /choose another .* with --listen/);
    await untilGone(at.data);
  });

  test("a settings file that is no JSON", async (t) => {
    const at = place(t);
    mkdirSync(at.home);
    writeFileSync(join(at.home, "config.json"), '{"listen": ":9443"');
    const error = await cliError(at, ["up", "--no-open"], { exit: 2 });
    assert.equal(error.code, "config_invalid");
    assert.match(error.message, /config\.json is not JSON \(line 1 column \d+\)\. Correct it, or move it away/);
  });

  test("a setting that is not valid", async (t) => {
    const at = place(t);
    mkdirSync(at.home);
    writeFileSync(join(at.home, "config.json"), '{"reserveMiB": "much"}');
    const error = await cliError(at, ["up", "--no-open"], { exit: 2 });
    assert.match(error.message, /reserveMiB \(file .*config\.json\)/);
  });

  test("a folder that cannot be written to", async (t) => {
    const at = place(t);
    const file = join(at.folder, "file");
    writeFileSync(file, "");
    const error = await cliError(at, ["up", ...ANY_PORT, "--data", join(file, "srv")], { exit: 1 });
    assert.equal(error.code, "folder_unusable");
    const said = await cli(at, ["up", ...ANY_PORT, "--data", join(file, "srv")], { exit: 1 });
    const words = `${said.text}${said.stderr}`;
    assert.equal(words.split(error.message).length, 2, `the reason stands once: ${words}`);
    assert.match(words, /✖ folder .* failed/);
    assert.match(error.hint, /--data/);
  });

  test("a disk that is full", async (t) => {
    const at = place(t);
    const data = join(at.folder, "small");
    mkdirSync(data);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=16k", "cyberbackup-test", data], { stdio: "pipe" });
    } catch (error) {
      t.skip(`a small file system cannot be mounted here: ${(error as Error).message.split("\n")[0]}`);
      return;
    }
    try {
      const error = await cliError(at, ["up", ...ANY_PORT, "--data", data], { exit: 15 });
      assert.equal(error.code, "disk_full");
      assert.match(error.message, /small/);
    } finally {
      execFileSync("umount", [data]);
    }
  });
});

describe("who runs in a data folder", () => {
  const made = newPlace();
  after(() => made.remove());

  test("is known by the lock alone: what an earlier server has left there does not count", async () => {
    const { folder } = made;
    const left = { pid: 1, version: "4", address: "https://x:1", socket: "s", page: false };
    writeFileSync(join(folder, "running.json"), JSON.stringify(left));
    assert.equal(await findRunning(folder), undefined);
    const unlock = lockData(lockPath(folder), Date.UTC(2026, 10, 23));
    try {
      const running = await findRunning(folder);
      assert.equal(running?.holder?.pid, process.pid);
      assert.equal(running?.instance, undefined);
      writeFileSync(join(folder, "running.json"), JSON.stringify({ ...left, pid: process.pid }));
      assert.equal((await findRunning(folder))?.instance?.address, "https://x:1");
      writeFileSync(join(folder, "running.json"), "{");
      assert.equal((await findRunning(folder))?.instance, undefined);
    } finally {
      unlock();
    }
    assert.equal(await findRunning(folder), undefined);
    rmSync(join(folder, "running.json"));
  });
});

/** The system takes the lock away with the process; its parent may see that a moment later. */
async function untilGone(data: string): Promise<void> {
  await until("nothing runs there", async () => (await findRunning(data)) === undefined);
}
