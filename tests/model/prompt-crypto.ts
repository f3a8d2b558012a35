// The hashes and signatures that the vault asks WebCrypto for, computed in the same turn of the event loop by node:crypto: the
// same answers, but no thread whose timing would make two runs of one schedule differ.

import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { type Bytes, concatBytes, fromHex, toHex } from "../../src/core/bytes.ts";
import type { DeviceId } from "../../src/core/ids.ts";
import type { Signer } from "../../src/crypto/signature.ts";

/** RFC 8410: what comes before the 32 bytes of an Ed25519 key in PKCS#8 and in SubjectPublicKeyInfo. */
const PKCS8 = fromHex("302e020100300506032b657004220420");
const SPKI = fromHex("302a300506032b6570032100");

/** Signatures of `seededSigner`: what was just signed need not be verified by arithmetic, which takes a tenth of a schedule. */
const made = new Map<string, ReadonlySet<string>>();

/** Replaces `crypto.subtle` in this process as far as the vault uses it; anything else throws. Answers how to undo it. */
export function makeCryptoPrompt(): () => void {
  const before = Object.getOwnPropertyDescriptor(globalThis, "crypto")!;
  const keys = new Map<string, KeyObject>();
  const answers = new WeakMap<KeyObject, Map<string, boolean>>();
  const subtle = {
    digest: async (algorithm: string, data: Uint8Array) => {
      if (algorithm !== "SHA-256") throw new Error(`No prompt ${algorithm}`);
      return new Uint8Array(createHash("sha256").update(data).digest()).buffer;
    },
    importKey: async (format: string, data: Uint8Array, { name }: { name: string }) => {
      if (format !== "raw" || name !== "Ed25519") throw new Error(`No prompt ${format} ${name}`);
      const hex = toHex(data);
      const known = keys.get(hex) ?? publicKeyOf(data);
      keys.set(hex, known);
      return known;
    },
    verify: async (_: unknown, key: KeyObject, signature: Uint8Array, message: Uint8Array) => {
      // The same question is asked by every check; it costs more than all else of a small schedule.
      const question = questionOf(signature, message);
      const known =
        answers.get(key)?.get(question) ??
        (made.get(publicHexOf(key))?.has(question) || verify(null, message, key, signature));
      const ofKey = answers.get(key) ?? new Map<string, boolean>();
      answers.set(key, ofKey.set(question, known));
      return known;
    },
  };
  Object.defineProperty(globalThis, "crypto", { configurable: true, value: { subtle } });
  return () => Object.defineProperty(globalThis, "crypto", before);
}

/** The same device for the same seed, so that ids and signatures come out the same in each run. */
export function seededSigner(seed: number): Signer {
  const key = createPrivateKey({
    key: Buffer.from(concatBytes([PKCS8, createHash("sha256").update(`device ${seed}`).digest()])),
    format: "der",
    type: "pkcs8",
  });
  const publicKey = new Uint8Array(createPublicKey(key).export({ format: "der", type: "spki" }).subarray(SPKI.length));
  const device = createHash("sha256").update(publicKey).digest("hex").slice(0, 32) as DeviceId;
  const signed = new Set<string>();
  made.set(toHex(publicKey), signed);
  return {
    ...{ device, publicKey },
    async sign(message) {
      const signature = new Uint8Array(sign(null, message, key));
      signed.add(questionOf(signature, message));
      return signature;
    },
  };
}

function questionOf(signature: Uint8Array, message: Uint8Array): string {
  return createHash("sha256").update(signature).update(message).digest("base64");
}

function publicHexOf(key: KeyObject): string {
  return toHex(new Uint8Array(key.export({ format: "der", type: "spki" }).subarray(SPKI.length)));
}

function publicKeyOf(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(concatBytes([SPKI, raw]) as Bytes), format: "der", type: "spki" });
}
