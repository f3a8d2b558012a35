// What a new vault starts with, made where its owner is: secrets, a keyslot for the passphrase and one for a new recovery key, the first
// record, and the statements by which the first device introduces itself. Whoever takes the result in learns no key.

import { type Bytes, toHex } from "../../core/bytes.ts";
import type { Clock, RandomSource } from "../../core/clock.ts";
import { ID_BYTES, type KeyslotId, type VaultId } from "../../core/ids.ts";
import { sha256 } from "../../core/sha256.ts";
import { type KeyslotLock, type ScryptRecipientFactory, sealKeyslot } from "../../crypto/keyslot.ts";
import { generateSecrets, type ReaderSecrets } from "../../crypto/secrets.ts";
import type { Signer } from "../../crypto/signature.ts";
import type { KeyslotKind } from "../../wire/v4/log-entry.ts";
import type { SignedStatement } from "../../wire/v4/vault-port.ts";
import { encodeVaultRecord } from "../../wire/v4/vault-record.ts";
import { introduction, requireDeviceName, signStatement } from "./statements.ts";

/** What a new vault starts with; `createVault` of vault/ and `POST /vaults` take it as it is. */
export type NewVault = {
  readonly record: Bytes;
  readonly statements: readonly SignedStatement[];
  readonly keyslotFiles: readonly Bytes[];
};

export type NewVaultParts = {
  readonly vaultId: VaultId;
  readonly secrets: ReaderSecrets;
  /** `AGE-SECRET-KEY-PQ-1…`: to be shown to its owner, and kept nowhere. */
  readonly recoveryIdentity: string;
  readonly contents: NewVault;
};

export type NewVaultInput = {
  readonly passphrase: string;
  /** The first device: it introduces itself and vouches for the keyslots. */
  readonly signer: Signer;
  readonly deviceName: string;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** scrypt work factor of the passphrase's keyslot; default 17. */
  readonly logN?: number | undefined;
  /** The platform's own scrypt, where it has one: the library's takes seconds and lets nothing else run meanwhile. */
  readonly scrypt: ScryptRecipientFactory | undefined;
};

export async function makeNewVault(input: NewVaultInput): Promise<NewVaultParts> {
  const { signer, clock, random, scrypt } = input;
  const deviceName = requireDeviceName(input.deviceName);
  const vaultId = toHex(random.bytes(ID_BYTES.vault)) as VaultId;
  const secrets = await generateSecrets(random);
  const recovery = await generateRecoveryKey(random);
  const record = await encodeVaultRecord({ vault: vaultId, createdAt: clock.now(), chunker: 1 });
  const slot = { secrets, vaultId, signer, scrypt };
  const lock: KeyslotLock = { passphrase: input.passphrase, ...(input.logN === undefined ? {} : { logN: input.logN }) };
  const byPassphrase = await makeKeyslot({ ...slot, lock, kind: "passphrase", label: "passphrase" });
  const byRecovery = await makeKeyslot({ ...slot, lock: recovery, kind: "recovery", label: "recovery key" });
  return {
    vaultId,
    secrets,
    recoveryIdentity: recovery.identity,
    contents: {
      record: record.bytes,
      statements: [await introduction(signer, vaultId, deviceName), byPassphrase.statement, byRecovery.statement],
      keyslotFiles: [byPassphrase.file, byRecovery.file],
    },
  };
}

export type NewKeyslot = { readonly file: Bytes; readonly id: KeyslotId; readonly statement: SignedStatement };

/** A keyslot file and the statement that announces it. */
export async function makeKeyslot(input: {
  readonly secrets: ReaderSecrets;
  readonly vaultId: VaultId;
  readonly signer: Signer;
  readonly lock: KeyslotLock;
  readonly kind: KeyslotKind;
  readonly label: string;
  readonly scrypt: ScryptRecipientFactory | undefined;
}): Promise<NewKeyslot> {
  const { vaultId, kind, label } = input;
  const file = await sealKeyslot(input.secrets, vaultId, input.lock, input.scrypt);
  const hash = toHex(await sha256(file));
  const id = hash.slice(0, ID_BYTES.keyslot * 2) as KeyslotId;
  return { file, id, statement: await signStatement(input.signer, vaultId, "keyslot-add", { hash, id, kind, label }) };
}

/** A fresh hybrid age identity and its recipient: the same pair that a vault's reader is, so it is made the same way. */
export async function generateRecoveryKey(random: RandomSource): Promise<{ identity: string; recipient: string }> {
  const { identity, writer } = await generateSecrets(random);
  return { identity, recipient: writer.recipient };
}
