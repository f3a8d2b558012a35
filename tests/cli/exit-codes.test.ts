// How runs end: every kind of failure has its own exit code, says what to do, and is a JSON document with --json.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, test } from "node:test";
import { ERRORS, EXIT } from "../../src/core/errors.ts";
import { endOf, followed } from "../child.ts";
import { cli, cliError, cliResult, documentsIn, ended, newPlace, start } from "./run-cli.ts";

const place = newPlace();
const source = join(place.folder, "source");
const IDENTITY = ["--identity-file", join(place.folder, "recovery.txt")];
const NO_PASSPHRASE = { CYBERBACKUP_PASSPHRASE: undefined };

before(async () => {
  mkdirSync(source);
  writeFileSync(
    join(source, "file.bin"),
    Uint8Array.from({ length: 50_000 }, (_, i) => (i * i * 31 + (i >> 3)) & 255),
  );
  const { recoveryKey } = await cliResult(place, "init");
  writeFileSync(join(place.folder, "recovery.txt"), recoveryKey);
  cpSync(place.vault, join(place.folder, "vault-before"), { recursive: true });
  await cliResult(place, "backup", [source]);
});

after(() => place.remove());

test("a second Ctrl-C while a thread loads native code ends with its code, and without a crash", async () => {
  const script = join(import.meta.dirname, "loading-process.ts");
  const child = followed(spawn(process.execPath, [script], { stdio: ["ignore", "ignore", "pipe"] }));
  let said = "";
  child.stderr.on("data", (slice) => {
    said += slice;
  });
  assert.deepEqual([await endOf(child), said], [EXIT.interrupted, ""]);
});

describe("asking wrongly", () => {
  test("unknown commands and options get a suggestion", async () => {
    const command = await cli(place, ["snapshot"], { exit: EXIT.usage });
    assert.match(command.stderr, /^error: Unknown command 'snapshot'\. Did you mean snapshots\?\nhint: /);
    assert.equal(command.text, "");
    const option = await cliError(place, ["backup", source, "--exclud", "x"], { exit: EXIT.usage });
    assert.match(option.message, /Did you mean --exclude\?/);
    const key = await cliError(place, ["key", "ad"], { exit: EXIT.usage });
    assert.match(key.message, /Did you mean add\?/);
  });

  test("no command at all is told so; half of one is told what may follow", async () => {
    assert.match((await cli(place, [], { exit: EXIT.usage })).stderr, /No command is named/);
    const half = await cliError(place, ["key"], { exit: EXIT.usage });
    assert.match(half.message, /one of: list, add, remove\./);
  });

  test("missing and nonsensical values are told by name", async () => {
    assert.match((await cliError(place, ["restore", "latest"], { exit: EXIT.usage })).message, /--target/);
    assert.match((await cliError(place, ["ls"], { exit: EXIT.usage })).message, /snap/);
    await cliError(place, ["backup"], { exit: EXIT.usage });
    await cliError(place, ["backup", source, "--compression", "best"], { exit: EXIT.usage });
    await cliError(place, ["backup", source, "--exclude-larger-than", "big"], { exit: EXIT.usage });
    await cliError(place, ["forget", "--keep-within", "soon"], { exit: EXIT.usage });
    await cliError(place, ["verify", "--sample", "0"], { exit: EXIT.usage });
    await cliError(place, ["pin", "latest", "--until", "tomorrow"], { exit: EXIT.usage });
    await cliError(place, ["config", "--workers", "many"], { exit: EXIT.usage });
    await cliError(place, ["ls", "zzzz", ...IDENTITY], { exit: EXIT.usage });
  });

  test("no vault named", async () => {
    await cliError(place, ["snapshots"], { env: { CYBERBACKUP_VAULT: undefined }, exit: EXIT.usage });
  });
});

describe("reaching the vault", () => {
  test("no vault there, and one too many", async () => {
    const error = await cliError(place, ["snapshots", "--vault", join(place.folder, "none")], { exit: EXIT.noVault });
    assert.equal(error.code, "vault_not_found");
    await cliError(place, ["init"], { exit: EXIT.failed });
  });

  test("a wrong, an empty and a missing passphrase", async () => {
    const env = { CYBERBACKUP_PASSPHRASE: "wrong" };
    const wrong = await cliError(place, ["snapshots"], { env, exit: EXIT.wrongPassphrase, apart: true });
    assert.deepEqual([wrong.code, wrong.hint], ["passphrase_wrong", ERRORS.passphrase_wrong.hint]);
    writeFileSync(join(place.folder, "empty"), "");
    await cliError(place, ["snapshots", "--passphrase-file", join(place.folder, "empty")], { exit: EXIT.usage });
    const missing = await cliError(place, ["snapshots"], { env: NO_PASSPHRASE, exit: EXIT.wrongPassphrase });
    assert.equal(missing.code, "passphrase_missing");
    await cliError(place, ["snapshots", "--identity-file", join(source, "file.bin")], { exit: EXIT.wrongPassphrase });
  });

  test("a machine that is not enrolled", async () => {
    const env = { CYBERBACKUP_HOME: join(place.folder, "stranger") };
    assert.equal((await cliError(place, ["backup", source], { env, exit: EXIT.notEnrolled })).code, "not_enrolled");
    writeFileSync(join(place.folder, "no-writer"), "nothing\n");
    const args = ["backup", source, "--writer-file", join(place.folder, "no-writer")];
    assert.equal((await cliError(place, args, { env, exit: EXIT.usage })).code, "writer_file_invalid");
  });

  test("a vault in use names who uses it", async () => {
    const index = new DatabaseSync(join(place.vault, "index.db"));
    const sql = "INSERT INTO locks (name, token, pid, host, since) VALUES ('gc', 'test', ?, ?, ?)";
    index.prepare(sql).run(process.pid, hostname(), 0);
    try {
      const error = await cliError(place, ["prune"], { exit: EXIT.vaultBusy });
      assert.match(error.message, new RegExp(`process ${process.pid} `));
    } finally {
      index.exec("DELETE FROM locks");
      index.close();
    }
  });
});

test("sources that cannot be read are listed, and the rest is stored", async () => {
  const { snapshot, problems, problemCount, exit } = await cliResult(
    place,
    "backup",
    [source, join(place.folder, "nowhere")],
    { exit: EXIT.partial },
  );
  assert.ok(snapshot);
  assert.deepEqual([problemCount, exit, problems[0]!.code], [1, EXIT.partial, "ENOENT"]);
  const spoken = await cli(place, ["backup", source, join(place.folder, "nowhere"), "--quiet"], { exit: EXIT.partial });
  assert.equal(spoken.text, "");
  assert.match(spoken.stderr, /nowhere could not be read: no such file or directory/);
  const nothing = await cliError(place, ["backup", join(place.folder, "nowhere")], { exit: EXIT.failed });
  assert.equal(nothing.code, "source_missing");
});

describe("damage", () => {
  test("a flipped byte is found by verify, scrub and restore, and told by exit code", async () => {
    const damaged = { ...place, vault: join(place.folder, "damaged"), home: join(place.folder, "damaged-home") };
    cpSync(place.home, damaged.home, { recursive: true });
    cpSync(place.vault, damaged.vault, { recursive: true });
    for (const path of packsIn(damaged.vault)) flipByte(path, 400);
    const verified = await cliResult(damaged, "verify", ["--read-data", ...IDENTITY], { exit: EXIT.damaged });
    assert.ok(!verified.ok && verified.problems.some(({ path }) => path.startsWith("packs/")));
    const target = join(place.folder, "from-damaged");
    const restored = await cliResult(damaged, "restore", ["latest", "--target", target, ...IDENTITY], {
      exit: EXIT.damaged,
    });
    assert.ok(restored.problemCount > 0);
    const { damagedBlocks } = await cliResult(damaged, "scrub", [], { exit: EXIT.damaged });
    assert.ok(damagedBlocks > 0);
    const { findings } = await cliResult(damaged, "doctor", [], { exit: EXIT.damaged });
    assert.ok(findings.some(({ state, advice }) => state === "problem" && advice));
    // The next backup that still has the data heals the vault.
    await cliResult(damaged, "backup", [source]);
    await cliResult(damaged, "restore", ["latest", "--target", join(place.folder, "healed"), ...IDENTITY]);
  });
});

describe("rollback", () => {
  test("a vault put back to an older copy is reported until a person accepts it", async () => {
    const older = { ...place, vault: join(place.folder, "rolled-back"), home: join(place.folder, "home-copy") };
    cpSync(join(place.folder, "vault-before"), older.vault, { recursive: true });
    cpSync(place.home, older.home, { recursive: true });
    for (const args of [
      ["snapshots", ...IDENTITY],
      ["backup", source],
      ["log"],
      ["restore", "latest", "--target", "/x"],
    ]) {
      assert.equal((await cliError(older, args, { exit: EXIT.rollback })).code, "rollback");
    }
    const { findings } = await cliResult(older, "doctor", [], { exit: EXIT.rollback });
    assert.match(findings.find(({ check }) => check === "log")!.advice!, /--accept-head/);
    await cliResult(older, "doctor", ["--accept-head"]);
    assert.deepEqual((await cliResult(older, "snapshots", IDENTITY)).snapshots, []);
  });
});

describe("interruption", () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    test(`${signal} ends a backup cleanly, and the next run works`, async () => {
      const child = start(place, ["backup", "--stdin", "--stdin-filename", "s", "--plan", signal, "--json"]);
      // Standard input stays open: only the signal can end this run.
      child.stdin!.write("begun");
      await new Promise((resolve) => child.stdout!.once("readable", resolve));
      child.kill(signal);
      const { exit, text } = await ended(child);
      assert.equal(exit, EXIT.interrupted, text);
      const last = documentsIn(text, "backup").at(-1);
      assert.ok(last?.type === "error" && last.code === "interrupted");
      assert.match(last.hint, /what was stored is kept/);
      const input = "begun and ended";
      await cliResult(place, "backup", ["--stdin", "--stdin-filename", "s", "--plan", signal], { input });
      assert.equal((await cli(place, ["cat", `latest@${signal}`, "/s", ...IDENTITY])).text, input);
      await assert.rejects(cli(place, ["cat", `latest:2@${signal}`, "/s", ...IDENTITY]));
    });
  }
});

function packsIn(vault: string): string[] {
  const folder = join(vault, "packs");
  return readdirSync(folder).flatMap((name) => readdirSync(join(folder, name)).map((id) => join(folder, name, id)));
}

function flipByte(path: string, fromEnd: number): void {
  const bytes = readFileSync(path);
  // Behind header and session key, inside the first block.
  const at = bytes.indexOf("CB4B") + 16 + Math.min(fromEnd, 20);
  bytes[at]! ^= 1;
  rmSync(path);
  writeFileSync(path, bytes, { mode: 0o600 });
}
