// WebCrypto for workers: the same few keys over and over, and large messages. Keys are imported once; a prefix is written before its message
// where there is room, and what has to be put together is put together in one buffer that is used again. WebCrypto takes a copy of what it
// is given before anything waits (Web Cryptography API, "get a copy of the bytes held by data"), so both are free at once.

import { type Bytes, releaseBytes } from "../../core/bytes.ts";
import { importMacKey, type Primitives, webPrimitives } from "../../crypto/primitives.ts";

/** For one thread. */
export function workerPrimitives(): Primitives {
  const macKeys = new WeakMap<Uint8Array, Promise<CryptoKey>>();
  const gcmKeys = new WeakMap<Uint8Array, Promise<CryptoKey>>();
  const scratch = new Scratch();
  return {
    ...webPrimitives,

    async hmacSha256(key, prefix, data) {
      const imported = await (key instanceof Uint8Array ? cached(macKeys, key, importMacKey) : key);
      if (data.byteOffset < prefix.length)
        return new Uint8Array(await crypto.subtle.sign("HMAC", imported, scratch.join([prefix, data])));
      const whole = new Uint8Array(data.buffer, data.byteOffset - prefix.length, prefix.length + data.length);
      const before = whole.slice(0, prefix.length);
      whole.set(prefix);
      const signing = crypto.subtle.sign("HMAC", imported, whole as Bytes);
      whole.set(before);
      return new Uint8Array(await signing);
    },

    async gcmSeal(key, nonce, aad, plaintext, headroom = 0) {
      const imported = await cached(gcmKeys, key, importGcmKey);
      const whole = plaintext instanceof Uint8Array ? plaintext : scratch.join(plaintext);
      const sealed = new Uint8Array(await crypto.subtle.encrypt(paramsOf(nonce, aad), imported, whole as Bytes));
      if (headroom === 0) return sealed;
      const framed = new Uint8Array(headroom + sealed.length);
      framed.set(sealed, headroom);
      releaseBytes(sealed);
      return framed;
    },

    async gcmOpen(key, nonce, aad, sealed) {
      if (sealed.length < TAG_BYTES) return undefined;
      const imported = await cached(gcmKeys, key, importGcmKey);
      try {
        return new Uint8Array(await crypto.subtle.decrypt(paramsOf(nonce, aad), imported, sealed as Bytes));
      } catch (error) {
        if ((error as Error).name === "OperationError") return undefined;
        throw error;
      }
    },
  };
}

const TAG_BYTES = 16;

/** What is put together is valid until the next time. */
class Scratch {
  #buffer = new Uint8Array(64 * 1024);

  join(parts: readonly Uint8Array[]): Bytes {
    let length = 0;
    for (const part of parts) length += part.length;
    if (length > this.#buffer.length) this.#buffer = new Uint8Array(length + length / 4);
    let at = 0;
    for (const part of parts) {
      this.#buffer.set(part, at);
      at += part.length;
    }
    return this.#buffer.subarray(0, length);
  }
}

function paramsOf(nonce: Uint8Array, aad: Uint8Array): AesGcmParams {
  return { name: "AES-GCM", iv: nonce as Bytes, additionalData: aad as Bytes, tagLength: 8 * TAG_BYTES };
}

function importGcmKey(key: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", key as Bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
}

function cached(
  known: WeakMap<Uint8Array, Promise<CryptoKey>>,
  key: Uint8Array,
  make: (key: Uint8Array) => Promise<CryptoKey>,
): Promise<CryptoKey> {
  const found = known.get(key) ?? make(key);
  known.set(key, found);
  return found;
}
