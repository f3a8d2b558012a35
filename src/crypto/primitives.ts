// The few primitives that the engine needs, as an interface: Node gives synchronous ones (node/primitives.ts), any other
// platform the WebCrypto ones below. Sources: FIPS 180-4 (SHA-256), RFC 2104 (HMAC), NIST SP 800-38D (GCM).
// Callers await the results; they never look whether a promise came back.

import { type Bytes, concatBytes } from "../core/bytes.ts";

export type Awaitable<T> = T | Promise<T>;

/** Key of an HMAC-SHA-256: its bytes or, in a browser, one that WebCrypto keeps and shows to no script. */
export type MacKey = Uint8Array | CryptoKey;

export type Primitives = {
  sha256(data: Uint8Array): Awaitable<Bytes>;
  /** HMAC-SHA-256 over `prefix` ‖ `data`. */
  hmacSha256(key: MacKey, prefix: Uint8Array, data: Uint8Array): Awaitable<Bytes>;
  /** AES-256-GCM: ciphertext ‖ 16-byte tag. The parts are one plaintext; `headroom` zero bytes are left before the ciphertext. */
  gcmSeal(
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array | readonly Uint8Array[],
    headroom?: number,
  ): Awaitable<Bytes>;
  /** The plaintext, or undefined when the tag does not fit. */
  gcmOpen(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Awaitable<Bytes | undefined>;
};

export const webPrimitives: Primitives = {
  async sha256(data) {
    return new Uint8Array(await crypto.subtle.digest("SHA-256", data as Bytes));
  },

  async hmacSha256(key, prefix, data) {
    const imported = key instanceof Uint8Array ? await importMacKey(key) : key;
    const message = new Uint8Array(prefix.length + data.length);
    message.set(prefix);
    message.set(data, prefix.length);
    return new Uint8Array(await crypto.subtle.sign("HMAC", imported, message));
  },

  async gcmSeal(key, nonce, aad, plaintext, headroom = 0) {
    const imported = await crypto.subtle.importKey("raw", key as Bytes, "AES-GCM", false, ["encrypt"]);
    const whole = plaintext instanceof Uint8Array ? plaintext : concatBytes(plaintext);
    const sealed = new Uint8Array(await crypto.subtle.encrypt(gcm(nonce, aad), imported, whole as Bytes));
    return headroom === 0 ? sealed : concatBytes([new Uint8Array(headroom), sealed]);
  },

  async gcmOpen(key, nonce, aad, sealed) {
    if (sealed.length < 16) return undefined;
    const imported = await crypto.subtle.importKey("raw", key as Bytes, "AES-GCM", false, ["decrypt"]);
    try {
      return new Uint8Array(await crypto.subtle.decrypt(gcm(nonce, aad), imported, sealed as Bytes));
    } catch (error) {
      if ((error as Error).name === "OperationError") return undefined;
      throw error;
    }
  },
};

/** A key that signs and that nobody reads again. */
export function importMacKey(key: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", key as Bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

function gcm(nonce: Uint8Array, aad: Uint8Array): AesGcmParams {
  return { name: "AES-GCM", iv: nonce as Bytes, additionalData: aad as Bytes, tagLength: 128 };
}
