import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { type FakeAuthenticator, installAuthenticator } from "../../tests/fake-passkeys.ts";
import { counting, VAULT } from "../../tests/samples.ts";
import { systemRandom } from "../core/clock.ts";
import { openKeyslot, sealKeyslot } from "./keyslot.ts";
import { createPasskey, passkeyIdentity, passkeyRecipient, windowPasskeys } from "./passkey.ts";
import { generateSecrets } from "./secrets.ts";

const SECRET = counting(7, 32);
const CREDENTIAL_ID = counting(0x40, 16);
const secrets = await generateSecrets(systemRandom);
let authenticator: FakeAuthenticator;

before(() => {
  authenticator = installAuthenticator(SECRET, CREDENTIAL_ID);
  // The library takes the name of the host for the relying party.
  if (typeof window === "undefined") Object.assign(globalThis, { window: { origin: "https://backup.example" } });
});
after(() => authenticator.restore());
beforeEach(() => {
  authenticator.secret = SECRET;
  authenticator.onAsk = () => undefined;
});

async function sealed() {
  const credential = await createPasskey("Ann's vault");
  const file = await sealKeyslot(secrets, VAULT, { recipient: passkeyRecipient(credential, windowPasskeys) });
  return { credential, file };
}

test("a passkey opens what was sealed for it, and is asked for by its own id", async () => {
  const { credential, file } = await sealed();
  assert.match(credential, /^AGE-PLUGIN-FIDO2PRF-1/);
  assert.deepEqual(await openKeyslot(file, VAULT, { identity: passkeyIdentity(windowPasskeys) }), secrets);
  assert.deepEqual(authenticator.asked.at(-1), CREDENTIAL_ID);
});

test("another passkey gives nothing; so does a keyslot of another kind, which asks nobody", async () => {
  const { file } = await sealed();
  authenticator.secret = counting(8, 32);
  assert.equal(await openKeyslot(file, VAULT, { identity: passkeyIdentity(windowPasskeys) }), undefined);
  const other = await sealKeyslot(secrets, VAULT, { recipient: secrets.writer.recipient });
  authenticator.onAsk = () => assert.fail("it was asked");
  assert.equal(await openKeyslot(other, VAULT, { identity: passkeyIdentity(windowPasskeys) }), undefined);
});

test("a person who says no, and a passkey that makes no keys, are told apart", async () => {
  const { file } = await sealed();
  const open = () => openKeyslot(file, VAULT, { identity: passkeyIdentity(windowPasskeys) });
  authenticator.onAsk = () => {
    throw new DOMException("no", "NotAllowedError");
  };
  await assert.rejects(open(), { code: "passkey_refused", message: /nobody confirmed/ });
  authenticator.onAsk = () => {
    throw new Error("PRF extension not available");
  };
  await assert.rejects(open(), { code: "passkey_refused", message: /cannot make keys/ });
});
