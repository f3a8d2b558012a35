import assert from "node:assert/strict";
import { test } from "node:test";
import { Decrypter, Encrypter, Stanza } from "age-encryption";
import { utf8 } from "../core/bytes.ts";
import { nativeScryptIdentity, nativeScryptRecipient } from "./scrypt-identity.ts";

const passphrase = "Übung macht den Meister";
const message = utf8("hello");

/** Processor time since `start`, all threads: the clock on the wall would measure this machine's other work. */
function cpuMs(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

/** Seals with one implementation and opens with the other. */
async function roundTrip(encrypter: Encrypter, decrypter: Decrypter): Promise<void> {
  assert.deepEqual(await decrypter.decrypt(await encrypter.encrypt(message)), message);
}

test("it opens what the library's scrypt sealed, and the other way round", async () => {
  const [encrypter, decrypter] = [new Encrypter(), new Decrypter()];
  encrypter.setPassphrase(passphrase);
  encrypter.setScryptWorkFactor(10);
  decrypter.addIdentity(nativeScryptIdentity(passphrase));
  await roundTrip(encrypter, decrypter);
  const [nativeEncrypter, plainDecrypter] = [new Encrypter(), new Decrypter()];
  nativeEncrypter.addRecipient(nativeScryptRecipient(passphrase, 10));
  plainDecrypter.addPassphrase(passphrase);
  await roundTrip(nativeEncrypter, plainDecrypter);
});

test("the everyday work factor takes well under a second", async () => {
  const [stanza] = await nativeScryptRecipient(passphrase, 17).wrapFileKey(new Uint8Array(16));
  const start = process.cpuUsage();
  assert.deepEqual(await nativeScryptIdentity(passphrase).unwrapFileKey([stanza!]), new Uint8Array(16));
  assert.ok(cpuMs(start) < 1000);
});

test("another passphrase and other kinds of stanza give null", async () => {
  const stanzas = await nativeScryptRecipient(passphrase, 10).wrapFileKey(new Uint8Array(16));
  assert.equal(await nativeScryptIdentity("wrong").unwrapFileKey(stanzas), null);
  assert.equal(
    await nativeScryptIdentity(passphrase).unwrapFileKey([new Stanza(["X25519", "x"], new Uint8Array(32))]),
    null,
  );
});

test("malformed and hostile stanzas are refused before any work", async () => {
  const [good] = await nativeScryptRecipient(passphrase, 10).wrapFileKey(new Uint8Array(16));
  const [, salt] = good!.args as [string, string, string];
  const corrupt = { code: "record_corrupt" };
  const start = process.cpuUsage();
  for (const args of [
    ["scrypt", salt],
    ["scrypt", salt, "10", "x"],
    ["scrypt", salt, "010"],
    ["scrypt", salt, "+10"],
    ["scrypt", salt, "0"],
    ["scrypt", salt, "100"],
    ["scrypt", `${salt}==`, "10"],
    ["scrypt", salt.slice(1), "10"],
    ["scrypt", `${salt.slice(0, -1)}B`, "10"],
  ]) {
    await assert.rejects(
      async () => nativeScryptIdentity(passphrase).unwrapFileKey([new Stanza(args, good!.body)]),
      corrupt,
    );
  }
  const beside = [good!, new Stanza(["X25519", "x"], new Uint8Array(32))];
  await assert.rejects(async () => nativeScryptIdentity(passphrase).unwrapFileKey(beside), corrupt);
  const short = new Stanza(good!.args, good!.body.subarray(1));
  await assert.rejects(async () => nativeScryptIdentity(passphrase).unwrapFileKey([short]), corrupt);
  const dear = new Stanza(["scrypt", salt, "21"], good!.body);
  await assert.rejects(async () => nativeScryptIdentity(passphrase).unwrapFileKey([dear]), { code: "limit" });
  assert.throws(() => nativeScryptRecipient(passphrase, 21), { code: "limit" });
  assert.ok(cpuMs(start) < 300);
});
