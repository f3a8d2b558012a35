// WebCrypto for reading: the same few keys over and over, and large messages. Keys are imported once, and a prefix is written before its
// message where there is room, instead of copying the message behind it.

import type { Bytes } from "../../core/bytes.ts";
import { importMacKey, type Primitives, webPrimitives } from "../../crypto/primitives.ts";

export function readingPrimitives(): Primitives {
  const macKeys = new WeakMap<Uint8Array, Promise<CryptoKey>>();
  const openKeys = new WeakMap<Uint8Array, Promise<CryptoKey>>();
  return {
    ...webPrimitives,

    async hmacSha256(key, prefix, data) {
      const imported = await (key instanceof Uint8Array ? cached(macKeys, key, importMacKey) : key);
      if (data.byteOffset < prefix.length) return webPrimitives.hmacSha256(imported, prefix, data);
      const whole = new Uint8Array(data.buffer, data.byteOffset - prefix.length, prefix.length + data.length);
      const before = whole.slice(0, prefix.length);
      whole.set(prefix);
      // "Let message be the result of getting a copy of the bytes" comes before anything waits (Web Cryptography API, sign).
      const signing = crypto.subtle.sign("HMAC", imported, whole as Bytes);
      whole.set(before);
      return new Uint8Array(await signing);
    },

    async gcmOpen(key, nonce, aad, sealed) {
      if (sealed.length < TAG_BYTES) return undefined;
      const imported = await cached(openKeys, key, importOpenKey);
      const params = { name: "AES-GCM", iv: nonce as Bytes, additionalData: aad as Bytes, tagLength: 8 * TAG_BYTES };
      try {
        return new Uint8Array(await crypto.subtle.decrypt(params, imported, sealed as Bytes));
      } catch (error) {
        if ((error as Error).name === "OperationError") return undefined;
        throw error;
      }
    },
  };
}

const TAG_BYTES = 16;

function importOpenKey(key: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", key as Bytes, "AES-GCM", false, ["decrypt"]);
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
