import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Decrypter, Encrypter } from "age-encryption";
import { deriveAhead } from "../client/scrypt.ts";
import { nativeScryptIdentity, nativeScryptRecipient } from "../client/scrypt-identity.ts";
import { utf8 } from "../core/bytes.ts";
import { unlockAhead } from "./unlock-ahead.ts";

const PASSPHRASE = "Übung macht den Meister";
const folder = mkdtempSync(join(tmpdir(), "unlock-ahead-"));
after(() => rmSync(folder, { recursive: true }));

async function keyslot(passphrase: string, logN = 5): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(nativeScryptRecipient(passphrase, logN));
  return encrypter.encrypt(utf8("the secrets"));
}

/** The path of a vault's folder with these keyslots. */
function vaultWith(name: string, keyslots: readonly Uint8Array[]): string {
  const path = join(folder, name);
  mkdirSync(join(path, "keys"), { recursive: true });
  for (const [i, bytes] of keyslots.entries()) writeFileSync(join(path, "keys", String(i)), bytes);
  return path;
}

async function opens(file: Uint8Array, passphrase: string): Promise<boolean> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(nativeScryptIdentity(passphrase));
  return decrypter.decrypt(file).then(
    () => true,
    () => false,
  );
}

test("it begins for commands that read a vault of one passphrase, given by a flag or a variable", async () => {
  const slot = await keyslot(PASSPHRASE);
  const vault = vaultWith("one", [slot, utf8("age-encryption.org/v1\n-> X25519 abc\n")]);
  const file = join(folder, "passphrase.txt");
  writeFileSync(file, `\ufeff${PASSPHRASE}\r\nmore\n`);
  const env = { CYBERBACKUP_PASSPHRASE: PASSPHRASE };
  assert.ok(unlockAhead(["ls", "latest", "--vault", vault], env));
  assert.ok(await opens(slot, PASSPHRASE));
  assert.ok(unlockAhead(["restore", `--vault=${vault}`, `--passphrase-file=${file}`], {}));
  assert.ok(await opens(slot, PASSPHRASE));
  assert.ok(unlockAhead(["snapshots"], { CYBERBACKUP_VAULT: vault, CYBERBACKUP_PASSPHRASE_FILE: file }));
  assert.ok(await opens(slot, PASSPHRASE));
});

test("it leaves everything else to the command", async () => {
  const env = { CYBERBACKUP_PASSPHRASE: PASSPHRASE };
  const slot = await keyslot(PASSPHRASE);
  const vault = vaultWith("plain", [slot]);
  const begins = (argv: readonly string[], given: Readonly<Record<string, string>> = env) => unlockAhead(argv, given);
  assert.equal(begins(["backup", "/etc", "--vault", vault]), false);
  assert.equal(begins(["snapshots", "--vault", vault, "--help"]), false);
  assert.equal(begins(["snapshots", "--vault", vault, "--identity-file", "k.txt"]), false);
  assert.equal(begins(["snapshots", "--vault", vault], {}), false);
  assert.equal(begins(["snapshots", "--vault", "https://host/home"]), false);
  assert.equal(begins(["snapshots", "--vault", join(folder, "nowhere")]), false);
  assert.equal(begins(["snapshots", "--vault"]), false);
  assert.equal(begins(["snapshots"]), false);
  assert.equal(begins(["snapshots", "--vault", vault, "--passphrase-file", join(folder, "none")], {}), false);
  assert.equal(begins(["cat", "--vault", vaultWith("two", [slot, await keyslot("another")])]), false);
  assert.equal(begins(["cat", "--vault", vaultWith("odd", [utf8("-> scrypt AAAAAAAAAAAAAAAAAAAAAA 30\n")])]), false);
});

test("a head start with something else changes no answer", async () => {
  const slot = await keyslot(PASSPHRASE);
  deriveAhead({ passphrase: "wrong", salt: new Uint8Array(16), logN: 5 });
  assert.ok(await opens(slot, PASSPHRASE));
  const vault = vaultWith("wrong", [slot]);
  assert.ok(unlockAhead(["ls", "--vault", vault], { CYBERBACKUP_PASSPHRASE: "wrong" }));
  assert.equal(await opens(slot, "wrong"), false);
  assert.ok(unlockAhead(["ls", "--vault", vault], { CYBERBACKUP_PASSPHRASE: "wrong" }));
  assert.ok(await opens(slot, PASSPHRASE));
});
