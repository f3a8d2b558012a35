// The engine's primitives by node:crypto: synchronous, so that a worker runs them without waking the event loop.
// Results never share an ArrayBuffer with Node's buffer pool: workers transfer them.

import { createCipheriv, createDecipheriv, createHmac, hash } from "node:crypto";
import { type Bytes, releaseWhole } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import type { MacKey, Primitives } from "../crypto/primitives.ts";

const CIPHER = "aes-256-gcm";
const TAG_BYTES = 16;
/** Node's cipher allocates what it gives. In pieces that stay in the processor's cache, that costs half of what 2 MiB at once do. */
const PIECE_BYTES = 128 * 1024;

export const nodePrimitives: Primitives = {
  sha256: (data) => plain(hash("sha256", data, "buffer")),

  hmacSha256: (key, prefix, data) => plain(createHmac("sha256", rawKey(key)).update(prefix).update(data).digest()),

  gcmSeal(key, nonce, aad, plaintext, headroom = 0) {
    const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(aad);
    const parts = plaintext instanceof Uint8Array ? [plaintext] : plaintext;
    const length = parts.reduce((sum, part) => sum + part.length, headroom);
    // All of it is written: clearing 2 MiB first would cost a third of what sealing them does.
    const sealed = plain(Buffer.allocUnsafeSlow(length + TAG_BYTES)).fill(0, 0, headroom);
    let at = headroom;
    for (const part of parts) {
      for (let from = 0; from < part.length; from += PIECE_BYTES) {
        const ciphertext = cipher.update(part.subarray(from, from + PIECE_BYTES));
        sealed.set(ciphertext, at);
        at += ciphertext.length;
        releaseWhole(ciphertext);
      }
    }
    cipher.final();
    sealed.set(cipher.getAuthTag(), length);
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
