import assert from "node:assert/strict";
import { test } from "node:test";
import { DEVICE, PUBLIC_KEY } from "../../tests/samples.ts";
import { fromHex, toHex, utf8 } from "../core/bytes.ts";
import {
  deviceIdOf,
  generateDeviceKey,
  generateHiddenKey,
  importSigner,
  signerOfKey,
  verifySignature,
} from "./signature.ts";

/** RFC 8032, 7.1, test 1: its secret key as PKCS#8 (RFC 8410), and its signature of the empty message. */
const PKCS8 = fromHex(
  "302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
);
const SIGNATURE =
  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";

test("the vector of RFC 8032 holds", async () => {
  const signer = await importSigner(PKCS8);
  assert.deepEqual(signer.publicKey, PUBLIC_KEY);
  assert.equal(signer.device, DEVICE);
  assert.equal(toHex(await signer.sign(new Uint8Array(0))), SIGNATURE);
  assert.ok(await verifySignature(PUBLIC_KEY, new Uint8Array(0), fromHex(SIGNATURE)));
});

test("a new key signs, and any change is noticed", async () => {
  const { pkcs8, publicKey, device } = await generateDeviceKey();
  const signer = await importSigner(pkcs8);
  assert.deepEqual([signer.publicKey, signer.device], [publicKey, device]);
  assert.equal(await deviceIdOf(publicKey), device);
  const message = utf8("I was here.");
  const signature = await signer.sign(message);
  assert.ok(await verifySignature(publicKey, message, signature));
  assert.ok(!(await verifySignature(publicKey, utf8("I was there."), signature)));
  assert.ok(!(await verifySignature(PUBLIC_KEY, message, signature)));
  assert.ok(!(await verifySignature(publicKey, message, signature.with(0, signature[0]! ^ 1))));
});

test("a hidden key signs as any other, and its private half cannot be read", async () => {
  const pair = await generateHiddenKey();
  const signer = await signerOfKey(pair);
  const message = utf8("I was here.");
  assert.equal(await deviceIdOf(signer.publicKey), signer.device);
  assert.ok(await verifySignature(signer.publicKey, message, await signer.sign(message)));
  for (const format of ["pkcs8", "jwk"] as const) {
    await assert.rejects(crypto.subtle.exportKey(format, pair.privateKey));
  }
});

test("what is no key or no signature is false or refused, not an exception", async () => {
  assert.equal(await verifySignature(new Uint8Array(31), new Uint8Array(0), new Uint8Array(64)), false);
  assert.equal(await verifySignature(PUBLIC_KEY, new Uint8Array(0), new Uint8Array(63)), false);
  for (const fill of [0, 2, 255]) {
    assert.equal(await verifySignature(new Uint8Array(32).fill(fill), utf8("x"), new Uint8Array(64).fill(7)), false);
  }
  await assert.rejects(importSigner(new Uint8Array(48)), { code: "key_invalid" });
});
