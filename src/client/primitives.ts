// The engine's primitives by node:crypto: synchronous, so that a worker runs them without waking the event loop.
// Results never share an ArrayBuffer with Node's buffer pool: workers transfer them.

import { createCipheriv, createDecipheriv, createHmac, hash } from "node:crypto";
import { type Bytes, releaseBytes } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import type { MacKey, Primitives } from "../crypto/primitives.ts";

const CIPHER = "aes-256-gcm";
const TAG_BYTES = 16;

export const nodePrimitives: Primitives = {
  sha256: (data) => plain(hash("sha256", data, "buffer")),

  hmacSha256: (key, prefix, data) => plain(createHmac("sha256", rawKey(key)).update(prefix).update(data).digest()),

  gcmSeal(key, nonce, aad, plaintext) {
    const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(aad);
    const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
    const ciphertext = cipher.update(plaintext);
    sealed.set(ciphertext);
    releaseBytes(ciphertext);
    cipher.final();
    sealed.set(cipher.getAuthTag(), plaintext.length);
    return sealed;
  },

  gcmOpen(key, nonce, aad, sealed) {
    const end = sealed.length - TAG_BYTES;
    if (end < 0) return undefined;
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(aad);
    decipher.setAuthTag(sealed.subarray(end));
    const plaintext = plain(decipher.update(sealed.subarray(0, end)));
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    return plaintext;
  },
};

function rawKey(key: MacKey): Uint8Array {
  if (key instanceof Uint8Array) return key;
  throw new AppError("internal", { context: { detail: "a key that only a browser can use" } });
}

function plain(buffer: Buffer): Bytes {
  return new Uint8Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.length);
}
