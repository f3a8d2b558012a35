// Opens a vault's keyslots with what a person has: a passphrase, or age identities such as the recovery key.
// Nothing that was typed, and no key, ever gets into an error.

import { toHex } from "../core/bytes.ts";
import { AppError, type ErrorCode, isAppError } from "../core/errors.ts";
import { ID_BYTES, type KeyslotId } from "../core/ids.ts";
import { sha256 } from "../core/sha256.ts";
import { type KeyslotKey, openKeyslot, type PassphraseIdentityFactory } from "../crypto/keyslot.ts";
import type { PasskeyIdentity } from "../crypto/passkey.ts";
import type { ReaderSecrets, WriterSecrets } from "../crypto/secrets.ts";
import type { KeyslotRow, VaultPort } from "../wire/v4/vault-port.ts";

type KeyslotSource = Pick<VaultPort, "vaultId" | "keyslots" | "keyslotFile">;

/** What the next keyslot would not mend. */
const OF_THE_PERSON: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["key_invalid", "passkey_refused", "interrupted"]);

export type UnlockInput = {
  readonly vault: KeyslotSource;
  /** A function is only called when there is a keyslot that a passphrase could open. */
  readonly passphrase?: string | (() => Promise<string>) | undefined;
  /** Text of an age identity file, or one identity. */
  readonly identity?: string | undefined;
  /** Asks for a passkey (crypto/passkey.ts). Only `slot`'s, if one is named: every question is a prompt that a person sees. */
  readonly passkey?: { readonly identity: PasskeyIdentity; readonly slot?: KeyslotId | undefined } | undefined;
  /** Of this machine's device file, if it is enrolled: a keyslot with other secrets is refused. */
  readonly writer?: WriterSecrets | undefined;
  /** Faster than the library's scrypt, where the platform has one. */
  readonly passphraseIdentity?: PassphraseIdentityFactory | undefined;
};

/**
 * Throws `passphrase_wrong` when no keyslot opens, `passphrase_missing` when nothing to open them with was given,
 * `record_corrupt` when none opens and one is damaged, `key_invalid` when the identity is none, `vault_mismatch`.
 */
export async function unlock(input: UnlockInput): Promise<ReaderSecrets> {
  const { passkey } = input;
  if (input.identity === undefined && input.passphrase === undefined && !passkey) {
    throw new AppError("passphrase_missing");
  }
  const identities = input.identity === undefined ? [] : parseIdentities(input.identity);
  const slots = await input.vault.keyslots();
  const attempts = new Attempts(input);

  // Identities first: they are asked in milliseconds, a passphrase takes a good part of a second and 128 MiB for each keyslot.
  for (const slot of slots.filter(({ kind }) => kind !== "passphrase" && kind !== "passkey")) {
    for (const identity of identities) {
      const secrets = await attempts.open(slot, { identity });
      if (secrets) return secrets;
    }
  }
  for (const slot of passkey ? slots.filter(({ kind }) => kind === "passkey") : []) {
    if (passkey?.slot !== undefined && passkey.slot !== slot.id) continue;
    const secrets = await attempts.open(slot, { identity: passkey!.identity });
    if (secrets) return secrets;
  }
  const locked = slots.filter(({ kind }) => kind === "passphrase");
  if (locked.length > 0 && input.passphrase !== undefined) {
    const passphrase = typeof input.passphrase === "string" ? input.passphrase : await input.passphrase();
    for (const slot of locked) {
      const secrets = await attempts.open(slot, { passphrase });
      if (secrets) return secrets;
    }
  }
  throw attempts.damage ?? new AppError("passphrase_wrong");
}

/**
 * The identities in an age identity file: one a line, `#` begins a comment, blank lines and blanks do not matter.
 * Throws `key_invalid` when there is none or a line is something else.
 */
export function parseIdentities(text: string): string[] {
  const lines = text.split(/[\r\n]+/).map((line) => line.replace(/[\s\ufeff]+/g, ""));
  const keys = lines.filter((line) => line !== "" && !line.startsWith("#")).map((line) => line.toUpperCase());
  if (keys.length === 0) throw new AppError("key_invalid", { context: { detail: "the file holds no identity." } });
  if (keys.some((key) => !key.startsWith("AGE-SECRET-KEY-"))) {
    throw new AppError("key_invalid", { context: { detail: "a line of the file is not an age identity." } });
  }
  return keys;
}

export type RecoveryKitInput = {
  readonly vaultId: string;
  /** The recovery identity, `AGE-SECRET-KEY-…`. */
  readonly identity: string;
  /** Milliseconds since 1970 UTC. */
  readonly createdAt: number;
  /** Where the vault is: a folder or URL. */
  readonly address: string;
};

/** A text to print and lock away. It is an age identity file as it stands: `--identity-file` and `age -d -i` take it. */
export function recoveryKit({ vaultId, identity, createdAt, address }: RecoveryKitInput): string {
  const shown = address.replace(/\p{Cc}/gu, "?");
  return `# CyberBackup recovery kit
#
# Vault:    ${vaultId}
# Address:  ${shown}
# Made:     ${new Date(createdAt).toISOString().slice(0, 10)}
#
# Whoever has the key below can read everything in this vault. Print this page and keep it
# where your papers are, not beside the backups, and do not send it to anybody.
# If the passphrase and every copy of this key are lost, nobody can read the vault again.
#
# To use it: save or type these lines as a file, then
#   cyberbackup restore latest --vault ADDRESS --identity-file FILE --target DIR
# Without CyberBackup, age (https://age-encryption.org) opens the vault's keyslots:
#   age -d -i FILE ADDRESS/keys/KEYSLOT.age
#
${identity}
`;
}

/** Tries keyslots one by one and remembers what was damaged: one bad keyslot must not keep the others from being tried. */
class Attempts {
  readonly #input: UnlockInput;
  damage: AppError | undefined;

  constructor(input: UnlockInput) {
    this.#input = input;
  }

  async open(slot: KeyslotRow, key: KeyslotKey): Promise<ReaderSecrets | undefined> {
    const { vault, writer, passphraseIdentity } = this.#input;
    try {
      const file = await vault.keyslotFile(slot.id);
      await requireNamed(file, slot);
      const secrets = await openKeyslot(file, vault.vaultId, key, { passphraseIdentity });
      if (secrets) requireSame(secrets.writer, writer);
      return secrets;
    } catch (error) {
      if (!isAppError(error) || OF_THE_PERSON.has(error.code)) throw error;
      this.damage ??= error;
      return undefined;
    }
  }
}

async function requireNamed(file: Uint8Array, { id }: KeyslotRow): Promise<void> {
  const hash = await sha256(file);
  if (toHex(hash.subarray(0, ID_BYTES.keyslot)) === id) return;
  throw new AppError("record_corrupt", { context: { what: "A keyslot", detail: "its bytes do not fit its id" } });
}

/** Recipients are public, so that whoever can write to the vault could lock secrets of his own to one. */
function requireSame(found: WriterSecrets, known: WriterSecrets | undefined): void {
  if (known === undefined || known.recipient === found.recipient) return;
  throw new AppError("vault_mismatch", { context: { detail: "a keyslot holds other secrets than this machine's" } });
}
