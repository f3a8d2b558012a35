// Our keyslots and session keys against the `age` program of this machine: it must open them without us.
// age before 1.3 knows no post-quantum keys, so X25519 stands in for them here; age-encryption has its own vectors for those.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { nativeScryptIdentity, nativeScryptRecipient } from "../../src/client/scrypt-identity.ts";
import { systemRandom } from "../../src/core/clock.ts";
import { openKeyslot, sealKeyslot } from "../../src/crypto/keyslot.ts";
import { generateSecrets } from "../../src/crypto/secrets.ts";
import { openSessionKey, sealSessionKey } from "../../src/crypto/session-key.ts";
import { VAULT } from "../samples.ts";

const missing = spawnSync("age", ["--version"]).status !== 0 && "there is no age program here";
const noTerminal =
  spawnSync("script", ["--version"]).status !== 0 && "there is no script program here to give age a terminal";

describe("the age program", { skip: missing }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "cb-age-"));
  after(() => rmSync(folder, { recursive: true }));
  const path = (name: string) => join(folder, name);
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const secrets = await generateSecrets(systemRandom);
  writeFileSync(path("identity"), `${identity}\n`);

  const age = (args: readonly string[], input?: Uint8Array): Buffer => {
    const run = spawnSync("age", args, input ? { input } : {});
    assert.equal(run.status, 0, String(run.stderr));
    return run.stdout;
  };

  /** Runs age on a terminal of its own, for it asks for passphrases nowhere else. */
  const ageAsking = (command: string, answers: string): void => {
    const run = spawnSync("script", ["-qec", command, "/dev/null"], { input: answers, timeout: 60_000 });
    assert.equal(run.status, 0, String(run.stdout));
  };

  test("opens a keyslot with an identity", async () => {
    const line = age(["-d", "-i", path("identity")], await sealKeyslot(secrets, VAULT, { recipient })).toString();
    assert.equal(JSON.parse(line).reader, secrets.identity);
  });

  test("opens a keyslot with a passphrase", { skip: noTerminal }, async () => {
    writeFileSync(
      path("slot.age"),
      await sealKeyslot(secrets, VAULT, { passphrase: "a b c", logN: 12 }, nativeScryptRecipient),
    );
    ageAsking(`age -d -o ${path("slot.json")} ${path("slot.age")}`, "a b c\n");
    assert.equal(JSON.parse(readFileSync(path("slot.json"), "utf8")).vault, VAULT);
  });

  test("seals with a passphrase what our native scrypt opens", { skip: noTerminal }, async () => {
    const plain = age(["-d", "-i", path("identity")], await sealKeyslot(secrets, VAULT, { recipient }));
    writeFileSync(path("plain.json"), plain);
    ageAsking(`age -p -o ${path("theirs.age")} ${path("plain.json")}`, "x y z\nx y z\n");
    const opened = await openKeyslot(
      readFileSync(path("theirs.age")),
      VAULT,
      { passphrase: "x y z" },
      { passphraseIdentity: nativeScryptIdentity },
    );
    assert.deepEqual(opened, secrets);
  });

  test("opens a session key, and we open one of its own", async () => {
    const key = systemRandom.bytes(32);
    assert.deepEqual(new Uint8Array(age(["-d", "-i", path("identity")], await sealSessionKey(key, recipient))), key);
    assert.deepEqual(await openSessionKey(age(["-r", recipient], key), identity), key);
  });
});
