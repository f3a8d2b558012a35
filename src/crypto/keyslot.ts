// Keyslots: standard age files, each of which holds the vault's secrets for one passphrase or key. `age -d` opens them without us.
// Layout: docs/format.md, Keyslots. scrypt in JavaScript takes seconds: on Node give the native one (node/scrypt-identity.ts).

import { type Identity, identityToRecipient, type Recipient } from "age-encryption";
import { z } from "zod";
import { type Bytes, tryUtf8Decode, utf8 } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import type { VaultId } from "../core/ids.ts";
import { decryptAge, encryptAge } from "./age.ts";
import { type ReaderSecrets, tryParseJson, writerSchema, writerToJson } from "./secrets.ts";

const FORMAT = "cyberbackup-keyslot/1";
const WHAT = "A keyslot";
const DEFAULT_LOG_N = 17;
/** A keyslot takes a few kilobytes. */
const MAX_FILE_BYTES = 64 * 1024;

const keyslotSchema = z.strictObject({
  format: z.literal(FORMAT),
  vault: z.string(),
  reader: z.string().startsWith("AGE-SECRET-KEY-").max(256),
  writer: writerSchema,
});

export type KeyslotLock =
  | { readonly passphrase: string; readonly logN?: number }
  | { readonly recipient: string | Recipient };
export type KeyslotKey = { readonly passphrase: string } | { readonly identity: string | Identity };

/** Makes the recipient of a passphrase with scrypt work factor 2^logN. */
export type ScryptRecipientFactory = (passphrase: string, logN: number) => Recipient;
/** Makes the identity that opens what the same passphrase locked. */
export type PassphraseIdentityFactory = (passphrase: string) => Identity;

export async function sealKeyslot(
  secrets: ReaderSecrets,
  vaultId: VaultId,
  how: KeyslotLock,
  scrypt?: ScryptRecipientFactory,
): Promise<Bytes> {
  const content: z.input<typeof keyslotSchema> = {
    format: FORMAT,
    vault: vaultId,
    reader: secrets.identity,
    writer: writerToJson(secrets.writer),
  };
  const line = utf8(`${JSON.stringify(content)}\n`);
  if ("recipient" in how) return encryptAge(line, how);
  const { passphrase, logN = DEFAULT_LOG_N } = how;
  return encryptAge(line, scrypt ? { recipient: scrypt(passphrase, logN) } : { passphrase, logN });
}

/**
 * The secrets, or undefined when this passphrase or key does not open the keyslot. Throws `record_corrupt` when it is damaged,
 * `vault_mismatch` when it belongs to another vault, `key_invalid` when the identity is not one.
 */
export async function openKeyslot(
  file: Uint8Array,
  vaultId: VaultId,
  key: KeyslotKey,
  options: { readonly passphraseIdentity?: PassphraseIdentityFactory | undefined } = {},
): Promise<ReaderSecrets | undefined> {
  if (file.length > MAX_FILE_BYTES) throw corrupt("it is too long");
  const native = "passphrase" in key ? options.passphraseIdentity?.(key.passphrase) : undefined;
  const plaintext = await decryptAge(file, native ? { identity: native } : key, WHAT);
  return plaintext && decodeContent(plaintext, vaultId);
}

async function decodeContent(plaintext: Uint8Array, vaultId: VaultId): Promise<ReaderSecrets> {
  const parsed = keyslotSchema.safeParse(tryParseJson(tryUtf8Decode(plaintext) ?? ""));
  if (!parsed.success) throw corrupt("its content is not what it should be");
  const { vault, reader, writer } = parsed.data;
  if (vault !== vaultId) {
    throw new AppError("vault_mismatch", { context: { detail: "a keyslot names another vault" } });
  }
  if ((await recipientOf(reader)) !== writer.recipient) throw corrupt("its recipient is not that of its reader");
  return { identity: reader, writer };
}

async function recipientOf(identity: string): Promise<string> {
  try {
    return await identityToRecipient(identity);
  } catch {
    throw corrupt("its reader identity is not one");
  }
}

function corrupt(detail: string): AppError {
  return new AppError("record_corrupt", { context: { what: WHAT, detail } });
}
