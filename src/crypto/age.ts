// age-encryption.org/v1 files by the age-encryption library: the one place that calls it. Whole files in memory, so small ones.

import {
  Decrypter,
  Encrypter,
  generateHybridIdentity,
  type Identity,
  identityToRecipient,
  type Recipient,
} from "age-encryption";
import { type Bytes, concatBytes } from "../core/bytes.ts";
import { AppError, isAppError } from "../core/errors.ts";

/** scrypt with work factor 2^logN, in JavaScript: slow. */
export type AgeLock =
  | { readonly recipient: string | Recipient }
  | { readonly passphrase: string; readonly logN: number };
export type AgeKey = { readonly identity: string | Identity } | { readonly passphrase: string };

/** Throws `key_invalid` when the recipient is not one. */
export async function encryptAge(plaintext: Uint8Array, lock: AgeLock): Promise<Bytes> {
  const encrypter = new Encrypter();
  if ("recipient" in lock) {
    requireKey("recipient", () => encrypter.addRecipient(lock.recipient));
  } else {
    encrypter.setPassphrase(lock.passphrase);
    encrypter.setScryptWorkFactor(lock.logN);
  }
  return readAll(await encrypter.encrypt(streamOf(plaintext)));
}

/**
 * The plaintext; undefined when the file is not for this key. Throws `record_corrupt`, about `what`, when the file is
 * damaged, and `key_invalid` when the identity is not one.
 */
export async function decryptAge(file: Uint8Array, key: AgeKey, what: string): Promise<Bytes | undefined> {
  const decrypter = new Decrypter();
  if ("identity" in key) requireKey("identity", () => decrypter.addIdentity(key.identity));
  else decrypter.addPassphrase(key.passphrase);
  // The library asks its identities one after the other: this one is only reached when the first did not fit.
  let fits = true;
  decrypter.addIdentity({
    unwrapFileKey: () => {
      fits = false;
      return null;
    },
  });
  try {
    return await readAll(await decrypter.decrypt(streamOf(file)));
  } catch (cause) {
    if (!fits) return undefined;
    if (isAppError(cause, "passkey_refused")) throw cause;
    throw new AppError("record_corrupt", { cause, context: { what, detail: "it is not an intact age file" } });
  }
}

/** Bytes go in and out as streams of ours: for bytes the library makes a Response, and Node loads all of fetch for one. */
function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) parts.push(next.value);
  return concatBytes(parts);
}

let warmed: Promise<unknown> | undefined;

/**
 * Loads and compiles what the first decryption needs, with a key that is thrown away: for whoever has to wait for a passphrase's
 * derivation, and would wait for this afterwards.
 */
export function warmAge(): Promise<unknown> {
  warmed ??= generateHybridIdentity().then(identityToRecipient);
  return warmed;
}

function requireKey(what: "identity" | "recipient", add: () => void): void {
  try {
    add();
  } catch (cause) {
    throw new AppError("key_invalid", { cause, context: { detail: `it is not an age ${what}.` } });
  }
}
