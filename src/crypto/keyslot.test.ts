import assert from "node:assert/strict";
import { before, test } from "node:test";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { VAULT } from "../../tests/samples.ts";
import { tryUtf8Decode, utf8 } from "../core/bytes.ts";
import { systemRandom } from "../core/clock.ts";
import { decryptAge, encryptAge } from "./age.ts";
import { openKeyslot, sealKeyslot } from "./keyslot.ts";
import { generateSecrets, type ReaderSecrets } from "./secrets.ts";
import { openSessionKey, sealSessionKey } from "./session-key.ts";

const fast = { passphrase: "correct horse", logN: 8 };
let secrets: ReaderSecrets;
let recovery: { identity: string; recipient: string };

before(async () => {
  secrets = await generateSecrets(systemRandom);
  const identity = await generateX25519Identity();
  recovery = { identity, recipient: await identityToRecipient(identity) };
});

test("a passphrase, a recovery key and a post-quantum key open what was sealed for them", async () => {
  for (const [how, key] of [
    [fast, { passphrase: fast.passphrase }],
    [recovery, recovery],
    [{ recipient: secrets.writer.recipient }, { identity: secrets.identity }],
  ] as const) {
    const file = await sealKeyslot(secrets, VAULT, how);
    assert.deepEqual(await openKeyslot(file, VAULT, key), secrets);
  }
});

test("its content is one line of JSON, as the format page has it", async () => {
  const file = await sealKeyslot(secrets, VAULT, recovery);
  const text = tryUtf8Decode((await decryptAge(file, recovery, "It"))!)!;
  assert.match(text, /^\{[^\n]*\}\n$/);
  assert.deepEqual(Object.keys(JSON.parse(text)), ["format", "vault", "reader", "writer"]);
  assert.match(JSON.parse(text).reader, /^AGE-SECRET-KEY-PQ-1/);
  assert.match(JSON.parse(text).writer.recipient, /^age1pq1/);
});

test("keys that do not fit give undefined; keys that are none are refused", async () => {
  const file = await sealKeyslot(secrets, VAULT, recovery);
  assert.equal(await openKeyslot(file, VAULT, { passphrase: "x" }), undefined);
  assert.equal(await openKeyslot(file, VAULT, { identity: await generateX25519Identity() }), undefined);
  for (const identity of ["", "AGE-SECRET-KEY-1XYZ", "hello"]) {
    await assert.rejects(openKeyslot(file, VAULT, { identity }), { code: "key_invalid" });
  }
  for (const recipient of ["", "age1xyz", "ssh-ed25519 AAAA"]) {
    await assert.rejects(sealKeyslot(secrets, VAULT, { recipient }), { code: "key_invalid" });
  }
});

test("contents that are not what they should be are refused", async () => {
  const file = await sealKeyslot(secrets, VAULT, recovery);
  const content = JSON.parse(tryUtf8Decode((await decryptAge(file, recovery, "It"))!)!);
  const other = await generateSecrets(systemRandom);
  const cases = [
    ["record_corrupt", { ...content, format: "cyberbackup-keyslot/2" }],
    ["record_corrupt", { ...content, extra: 1 }],
    ["record_corrupt", { ...content, writer: { ...content.writer, chunkIdKey: "AAAA" } }],
    ["record_corrupt", { ...content, writer: { ...content.writer, chunkIdKey: `${content.writer.chunkIdKey}\n` } }],
    ["record_corrupt", { ...content, writer: { ...content.writer, recipient: other.writer.recipient } }],
    ["record_corrupt", { ...content, reader: other.identity }],
    ["record_corrupt", { ...content, reader: "AGE-SECRET-KEY-PQ-1QQQ" }],
    ["vault_mismatch", { ...content, vault: "00".repeat(16) }],
    ["record_corrupt", []],
  ] as const;
  for (const [code, wrong] of cases) {
    const forged = await encryptAge(utf8(JSON.stringify(wrong)), recovery);
    await assert.rejects(openKeyslot(forged, VAULT, recovery), { code }, JSON.stringify(wrong));
  }
  await assert.rejects(openKeyslot(file.subarray(0, -1), VAULT, recovery), { code: "record_corrupt" });
  await assert.rejects(openKeyslot(new Uint8Array(1 << 20), VAULT, recovery), { code: "record_corrupt" });
});

test("session keys open for the reader only", async () => {
  const key = systemRandom.bytes(32);
  const sealed = await sealSessionKey(key, secrets.writer.recipient);
  assert.deepEqual(await openSessionKey(sealed, secrets.identity), key);
  assert.ok(sealed.length <= 8192);
  const other = await generateSecrets(systemRandom);
  await assert.rejects(openSessionKey(sealed, other.identity), { code: "record_corrupt" });
  await assert.rejects(sealSessionKey(new Uint8Array(31), secrets.writer.recipient), { code: "internal" });
  const short = await encryptAge(new Uint8Array(31), { recipient: secrets.writer.recipient });
  await assert.rejects(openSessionKey(short, secrets.identity), { code: "record_corrupt" });
});
