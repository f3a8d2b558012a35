// Makes vaults and enrols machines in them: keys are made here, what the vault is to remember is said in signed statements.
// This room may not know how a vault works (scripts/layers.ts), so the two calls that reach one are given to it.

import { type Bytes, toHex } from "../core/bytes.ts";
import type { Clock, RandomSource } from "../core/clock.ts";
import { AppError } from "../core/errors.ts";
import { ID_BYTES, type KeyslotId, type VaultId } from "../core/ids.ts";
import { sha256 } from "../core/sha256.ts";
import type { DeviceFile } from "../crypto/device-file.ts";
import { type KeyslotLock, sealKeyslot } from "../crypto/keyslot.ts";
import { generateSecrets, type ReaderSecrets, type WriterSecrets } from "../crypto/secrets.ts";
import { generateDeviceKey, importSigner, type Signer } from "../crypto/signature.ts";
import {
  encodeLogBody,
  type KeyslotKind,
  type LogBodies,
  type LogEvent,
  type LogType,
  logStatement,
} from "../wire/v4/log-entry.ts";
import type { SignedStatement, VaultPort } from "../wire/v4/vault-port.ts";
import { encodeVaultRecord } from "../wire/v4/vault-record.ts";
import { acceptHead } from "./heads.ts";
import type { Home } from "./home.ts";
import { nativeScryptRecipient } from "./scrypt-identity.ts";
import { encodeWriterFile } from "./writer-file.ts";

/** What a new vault starts with; `createVault` of vault/ takes it as it is. */
export type NewVault = {
  readonly record: Bytes;
  readonly statements: readonly SignedStatement[];
  readonly keyslotFiles: readonly Bytes[];
};

export type NewVaultInput<V> = {
  /** Makes the vault: `(contents) => createVault(dir, contents)`. */
  readonly create: (contents: NewVault) => Promise<V>;
  readonly passphrase: string;
  readonly home: Home;
  readonly deviceName: string;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** scrypt work factor of the passphrase's keyslot; default 17. */
  readonly logN?: number;
};

/** Appends to the vault's log. */
export type AppendStatement = (statement: SignedStatement) => Promise<unknown>;

/** Makes a vault with one keyslot for the passphrase and one for a new recovery key, and enrols this machine in it. */
export async function createNewVault<V extends Pick<VaultPort, "vaultId" | "head" | "logAfter">>(
  input: NewVaultInput<V>,
): Promise<{ vault: V; vaultId: VaultId; recoveryIdentity: string }> {
  const { clock, random, home } = input;
  const vaultId = toHex(random.bytes(ID_BYTES.vault)) as VaultId;
  const secrets = await generateSecrets(random);
  const recovery = await generateRecoveryKey(random);
  const { file: device, signer } = await newDevice(vaultId, input.deviceName, secrets.writer);
  const record = await encodeVaultRecord({ vault: vaultId, createdAt: clock.now(), chunker: 1 });
  const slot = { secrets, vaultId, signer };
  const lock: KeyslotLock = { passphrase: input.passphrase, ...(input.logN === undefined ? {} : { logN: input.logN }) };
  const byPassphrase = await makeKeyslot({ ...slot, lock, kind: "passphrase", label: "passphrase" });
  const byRecovery = await makeKeyslot({ ...slot, lock: recovery, kind: "recovery", label: "recovery key" });

  // Before the vault: a failure must not leave a vault whose recovery key nobody was shown.
  await home.saveDevice(device);
  try {
    const vault = await input.create({
      record: record.bytes,
      statements: [await deviceStatement(signer, device), byPassphrase.statement, byRecovery.statement],
      keyslotFiles: [byPassphrase.file, byRecovery.file],
    });
    await acceptHead({ vault, home });
    return { vault, vaultId, recoveryIdentity: recovery.identity };
  } catch (error) {
    await home.removeDevice(vaultId);
    throw error;
  }
}

export type EnrolInput = {
  readonly vaultId: VaultId;
  readonly name: string;
  readonly writer: WriterSecrets;
  /** The enrolled device that vouches for the new one; without one the new device introduces itself. */
  readonly by?: Signer | undefined;
  readonly append: AppendStatement;
};

/** A new device of the vault. To enrol this machine, give the answer to `home.saveDevice`. */
export async function enrolDevice({ vaultId, name, writer, by, append }: EnrolInput): Promise<DeviceFile> {
  const { file, signer } = await newDevice(vaultId, name, writer);
  await append(await deviceStatement(by ?? signer, file, signer));
  return file;
}

/** Enrols a further device with this machine's writer secrets; its armored writer file. */
export async function exportWriter(input: {
  readonly home: Home;
  readonly vaultId: VaultId;
  readonly name: string;
  readonly append: AppendStatement;
  /** Where the vault is, if it is on a server. */
  readonly server?: DeviceFile["server"];
}): Promise<string> {
  const own = await input.home.requireDevice(input.vaultId);
  const by = await importSigner(own.signingKey);
  const file = await enrolDevice({ ...input, writer: own.writer, by });
  return encodeWriterFile(input.server ? { ...file, server: input.server } : file);
}

/** Signs a request for a log entry. */
export async function signStatement<Type extends LogType>(
  signer: Signer,
  vaultId: VaultId,
  type: Type,
  body: LogBodies[Type],
): Promise<SignedStatement> {
  return {
    type,
    body: encodeLogBody({ type, body } as LogEvent),
    by: signer.device,
    sig: await signer.sign(logStatement(vaultId, type, body)),
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
}): Promise<NewKeyslot> {
  const { vaultId, kind, label } = input;
  const file = await sealKeyslot(input.secrets, vaultId, input.lock, nativeScryptRecipient);
  const hash = toHex(await sha256(file));
  const id = hash.slice(0, ID_BYTES.keyslot * 2) as KeyslotId;
  return { file, id, statement: await signStatement(input.signer, vaultId, "keyslot-add", { hash, id, kind, label }) };
}

/** A fresh hybrid age identity and its recipient: the same pair that a vault's reader is, so it is made the same way. */
export async function generateRecoveryKey(random: RandomSource): Promise<{ identity: string; recipient: string }> {
  const { identity, writer } = await generateSecrets(random);
  return { identity, recipient: writer.recipient };
}

async function newDevice(
  vault: VaultId,
  name: string,
  writer: WriterSecrets,
): Promise<{ file: DeviceFile; signer: Signer }> {
  const { pkcs8, device } = await generateDeviceKey();
  const file = { vault, device, name: requireDeviceName(name), signingKey: pkcs8, writer };
  return { file, signer: await importSigner(pkcs8) };
}

/** The statement by which a device introduces itself. */
export function introduction(signer: Signer, vault: VaultId, name: string): Promise<SignedStatement> {
  const { device, publicKey } = signer;
  return signStatement(signer, vault, "device-add", { device, name, publicKey });
}

function deviceStatement(by: Signer, { vault, device, name }: DeviceFile, added = by): Promise<SignedStatement> {
  return signStatement(by, vault, "device-add", { device, name, publicKey: added.publicKey });
}

/** It is shown to people on every device, so it must be one line of text. Throws `usage`. */
export function requireDeviceName(name: string): string {
  const trimmed = name.trim();
  if (trimmed !== "" && Buffer.byteLength(trimmed) <= 255 && !/\p{Cc}/u.test(trimmed) && trimmed.isWellFormed()) {
    return trimmed;
  }
  throw new AppError("usage", { context: { detail: "A device's name is one line of at most 255 bytes." } });
}
