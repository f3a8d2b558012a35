// The 32-byte key of a session as an age file to the vault's reader recipient: devices seal it, only readers open it.

import type { Bytes } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import { decryptAge, encryptAge } from "./age.ts";

const WHAT = "A sealed session key";
export const SESSION_KEY_BYTES = 32;

export async function sealSessionKey(key: Bytes, recipient: string): Promise<Bytes> {
  if (key.length !== SESSION_KEY_BYTES) {
    throw new AppError("internal", { context: { detail: `a session key has 32 bytes, not ${key.length}` } });
  }
  return encryptAge(key, { recipient });
}

/** Throws `record_corrupt` when it is damaged or was sealed to somebody else. */
export async function openSessionKey(sealed: Uint8Array, identity: string): Promise<Bytes> {
  const key = await decryptAge(sealed, { identity }, WHAT);
  if (key?.length === SESSION_KEY_BYTES) return key;
  const detail = key ? "it has the wrong length" : "it was not sealed to this vault's readers";
  throw new AppError("record_corrupt", { context: { what: WHAT, detail } });
}
