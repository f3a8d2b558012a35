// Ed25519 identities of devices, by WebCrypto (RFC 8032; PKCS#8 as in RFC 8410). The only file of this room that the vault and
// the server may import: it signs and verifies, it opens nothing.

import { type Bytes, toHex } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import { type DeviceId, ID_BYTES } from "../core/ids.ts";
import { sha256 } from "../core/sha256.ts";

const ED25519 = { name: "Ed25519" };

export type Signer = {
  readonly device: DeviceId;
  /** 32 bytes. */
  readonly publicKey: Bytes;
  /** 64 bytes. */
  sign(message: Uint8Array): Promise<Bytes>;
};

export async function generateDeviceKey(): Promise<{ pkcs8: Bytes; publicKey: Bytes; device: DeviceId }> {
  const pair = (await crypto.subtle.generateKey(ED25519, true, ["sign", "verify"])) as CryptoKeyPair;
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return { pkcs8, publicKey, device: await deviceIdOf(publicKey) };
}

/** A key pair whose private half no script can read, for browsers: it can be kept in IndexedDB, and goes nowhere else. */
export async function generateHiddenKey(): Promise<CryptoKeyPair> {
  return (await crypto.subtle.generateKey(ED25519, false, ["sign", "verify"])) as CryptoKeyPair;
}

export async function signerOfKey({ privateKey, publicKey }: CryptoKeyPair): Promise<Signer> {
  const bytes = new Uint8Array(await crypto.subtle.exportKey("raw", publicKey));
  return { device: await deviceIdOf(bytes), publicKey: bytes, sign: (message) => signBy(privateKey, message) };
}

/** Throws `key_invalid`. */
export async function importSigner(pkcs8: Uint8Array): Promise<Signer> {
  const { privateKey, publicKey } = await importPrivateKey(pkcs8);
  return {
    device: await deviceIdOf(publicKey),
    publicKey,
    sign: (message) => signBy(privateKey, message),
  };
}

/** False for a signature or a key that is not one, too. */
export async function verifySignature(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    const key = await crypto.subtle.importKey("raw", publicKey as Bytes, ED25519, false, ["verify"]);
    return await crypto.subtle.verify(ED25519, key, signature as Bytes, message as Bytes);
  } catch (error) {
    if (error instanceof DOMException && error.name === "DataError") return false;
    throw error;
  }
}

export async function deviceIdOf(publicKey: Uint8Array): Promise<DeviceId> {
  return toHex((await sha256(publicKey)).subarray(0, ID_BYTES.device)) as DeviceId;
}

async function signBy(privateKey: CryptoKey, message: Uint8Array): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign(ED25519, privateKey, message as Bytes));
}

async function importPrivateKey(pkcs8: Uint8Array): Promise<{ privateKey: CryptoKey; publicKey: Bytes }> {
  try {
    const extractable = await crypto.subtle.importKey("pkcs8", pkcs8 as Bytes, ED25519, true, ["sign"]);
    // WebCrypto gives the public half of a private key only as part of its JWK (RFC 8037, 2: "x").
    const { x } = await crypto.subtle.exportKey("jwk", extractable);
    const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8 as Bytes, ED25519, false, ["sign"]);
    return { privateKey, publicKey: Uint8Array.fromBase64(x!, { alphabet: "base64url" }) };
  } catch (cause) {
    throw new AppError("key_invalid", { cause, context: { detail: "it is not an Ed25519 key in PKCS#8." } });
  }
}
