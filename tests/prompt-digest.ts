// SHA-256 of small inputs without a thread: WebCrypto hands each of them to another thread and back, which costs many times the hash.
// The same answers, by node:crypto. For tests that hash hundreds of thousands of times and are not about hashing.

import { hash } from "node:crypto";
import { after } from "node:test";

/** From now on until the tests of this file are over. */
export function makeDigestsPrompt(): void {
  const { subtle } = globalThis.crypto;
  const { digest } = subtle;
  subtle.digest = async (algorithm, data) => {
    if (algorithm !== "SHA-256" || !(data instanceof Uint8Array)) return digest.call(subtle, algorithm, data);
    return new Uint8Array(hash("sha256", data, "buffer")).buffer;
  };
  after(() => {
    subtle.digest = digest;
  });
}
