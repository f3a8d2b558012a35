// The cryptography of protocol 3, in one narrow place: RSA at 1024 bits and AES-256-CBC with an IV of zeros (docs/protocol-v3.md,
// Cryptography). None of it protects what it should by today's measure. Only the gateway and the v3 client may use it.

import {
  constants,
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
} from "node:crypto";
import { promisify } from "node:util";
import type { Bytes } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import { V3_BYTES } from "../wire/v3/messages.ts";

export const FILE_KEY_BYTES = 32;
export const CIPHER_BLOCK_BYTES = 16;
/** The size of its ciphertext, a multiple of 16, must fit into 32 bits. */
export const PLAIN_BYTES_MAX = 2 ** 32 - CIPHER_BLOCK_BYTES - 1;

const RSA_BITS = 1024;
/** The default of Crypto++: with it an encoded public key has the 160 bytes that old servers insist on. */
const RSA_EXPONENT = 17;
const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" } as const;
const CIPHER = "aes-256-cbc";
const ZERO_IV = new Uint8Array(CIPHER_BLOCK_BYTES);

export type LegacyKeyPair = {
  /** SPKI DER, 160 bytes. */
  readonly publicKey: Bytes;
  /** PKCS#8 DER, as `priv.key` holds it. */
  readonly privateKey: Bytes;
};

export async function makeLegacyKeyPair(): Promise<LegacyKeyPair> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)("rsa", {
    modulusLength: RSA_BITS,
    publicExponent: RSA_EXPONENT,
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "der" },
  });
  return { publicKey: Uint8Array.from(publicKey), privateKey: Uint8Array.from(privateKey) };
}

/** The public half of a PKCS#8 DER key. Throws `v3_key_invalid` for anything but RSA of 1024 bits. */
export function publicKeyOf(privateKey: Uint8Array): Bytes {
  const key = createPublicKey(requirePrivateKey(privateKey));
  return Uint8Array.from(key.export({ type: "spki", format: "der" }));
}

/** True when a key can be sealed to it: SPKI DER of RSA-1024, with either exponent that clients use. */
export function isLegacyPublicKey(publicKey: Uint8Array): boolean {
  return readPublicKey(publicKey) !== undefined;
}

/** 128 bytes: the file key, sealed to a client. Undefined when the public key is not one. */
export function wrapFileKey(publicKey: Uint8Array, fileKey: Uint8Array): Bytes | undefined {
  const key = readPublicKey(publicKey);
  if (!key) return undefined;
  try {
    return Uint8Array.from(publicEncrypt({ key, ...OAEP }, fileKey));
  } catch {
    // A modulus that is even, or smaller than it says: the encoding was sound, the number is not.
    return undefined;
  }
}

/** Undefined when it was not sealed to this key. Throws `v3_key_invalid` when that is none. */
export function unwrapFileKey(privateKey: Uint8Array, wrapped: Uint8Array): Bytes | undefined {
  const key = requirePrivateKey(privateKey);
  try {
    const fileKey = privateDecrypt({ key, ...OAEP }, wrapped);
    return fileKey.length === FILE_KEY_BYTES ? Uint8Array.from(fileKey) : undefined;
  } catch {
    return undefined;
  }
}

export type LegacyCipher = {
  /** What the bytes so far give; may be empty. */
  update(bytes: Uint8Array): Uint8Array;
  /** The rest. Undefined when what was decrypted does not end as it must: on a block, with padding. */
  end(): Uint8Array | undefined;
};

/** One file's ciphertext in pieces of any size, cut anywhere. */
export function decryptFile(fileKey: Uint8Array): LegacyCipher {
  return piecewise(createDecipheriv(CIPHER, fileKey, ZERO_IV));
}

export function encryptFile(fileKey: Uint8Array): LegacyCipher {
  return piecewise(createCipheriv(CIPHER, fileKey, ZERO_IV));
}

/** Length of the ciphertext of a file: PKCS#7 adds 1 to 16 bytes. */
export function cipherLength(plainBytes: number): number {
  return plainBytes - (plainBytes % CIPHER_BLOCK_BYTES) + CIPHER_BLOCK_BYTES;
}

function piecewise(cipher: { update(bytes: Uint8Array): Uint8Array; final(): Uint8Array }): LegacyCipher {
  return {
    update: (bytes) => cipher.update(bytes),
    end() {
      try {
        return cipher.final();
      } catch {
        return undefined;
      }
    },
  };
}

function readPublicKey(der: Uint8Array): KeyObject | undefined {
  if (der.length !== V3_BYTES.publicKey && der.length !== V3_BYTES.longPublicKey) return undefined;
  try {
    const key = createPublicKey({ key: Buffer.from(der), format: "der", type: "spki" });
    return isLegacyRsa(key) ? key : undefined;
  } catch {
    return undefined;
  }
}

function requirePrivateKey(der: Uint8Array): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey({ key: Buffer.from(der), format: "der", type: "pkcs8" });
  } catch {
    key = undefined;
  }
  if (key && isLegacyRsa(key)) return key;
  throw new AppError("v3_key_invalid", { context: { detail: "it is no RSA key of 1024 bits in PKCS#8 DER" } });
}

function isLegacyRsa(key: KeyObject): boolean {
  return key.asymmetricKeyType === "rsa" && key.asymmetricKeyDetails?.modulusLength === RSA_BITS;
}
