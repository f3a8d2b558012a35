// age-encryption.org/v1 files by the age-encryption library: the one place that calls it. Whole files in memory, so small ones.

import {
  Decrypter,
  Encrypter,
  generateHybridIdentity,
  type Identity,
  identityToRecipient,
  type Recipient,
} from "age-encryption";
import type { Bytes } from "../core/bytes.ts";
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
  return (await encrypter.encrypt(plaintext)) as Bytes;
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
    return (await decrypter.decrypt(file)) as Bytes;
  } catch (cause) {
    if (!fits) return undefined;
    if (isAppError(cause, "passkey_refused")) throw cause;
    throw new AppError("record_corrupt", { cause, context: { what, detail: "it is not an intact age file" } });
  }
}

let warmed: Promise<unknown> | undefined;

/**
 * Loads and compiles what the first decryption needs, with a key that is thrown away: for whoever has to wait for a passphrase's
 * derivation, and would wait for this afterwards. (Node loads the classes of fetch, which the library reads streams with, when
 * they are first named.)
 */
export function warmAge(): Promise<unknown> {
  warmed ??= generateHybridIdentity().then(async (identity) => [await identityToRecipient(identity), Response]);
  return warmed;
}

function requireKey(what: "identity" | "recipient", add: () => void): void {
  try {
    add();
  } catch (cause) {
    throw new AppError("key_invalid", { cause, context: { detail: `it is not an age ${what}.` } });
  }
}
