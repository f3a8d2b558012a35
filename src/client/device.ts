// Makes vaults and enrols machines in them: keys are made here, what the vault is to remember is said in signed statements.
// This room may not know how a vault works (scripts/layers.ts), so the two calls that reach one are given to it.

import type { Clock, RandomSource } from "../core/clock.ts";
import type { VaultId } from "../core/ids.ts";
import type { DeviceFile } from "../crypto/device-file.ts";
import type { WriterSecrets } from "../crypto/secrets.ts";
import { generateDeviceKey, importSigner, type Signer } from "../crypto/signature.ts";
import { makeNewVault, type NewVault } from "../engine/enrol/new-vault.ts";
import { deviceStatement, requireDeviceName } from "../engine/enrol/statements.ts";
import { acceptHead } from "../engine/heads.ts";
import type { SignedStatement, VaultPort } from "../wire/v4/vault-port.ts";
import type { Home } from "./home.ts";
import { nativeScryptRecipient } from "./scrypt-identity.ts";
import { encodeWriterFile } from "./writer-file.ts";

export type NewVaultInput<V> = {
  /** Makes the vault: `(contents) => createVault(dir, contents)`. */
  readonly create: (contents: NewVault) => Promise<V>;
  readonly passphrase: string;
  readonly home: Home;
  readonly deviceName: string;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** scrypt work factor of the passphrase's keyslot; default 17. */
  readonly logN?: number | undefined;
};

/** Appends to the vault's log. */
export type AppendStatement = (statement: SignedStatement) => Promise<unknown>;

/** Makes a vault with one keyslot for the passphrase and one for a new recovery key, and enrols this machine in it. */
export async function createNewVault<V extends Pick<VaultPort, "vaultId" | "head" | "logAfter">>(
  input: NewVaultInput<V>,
): Promise<{ vault: V; vaultId: VaultId; recoveryIdentity: string }> {
  const { clock, random, home, logN } = input;
  const { pkcs8 } = await generateDeviceKey();
  const signer = await importSigner(pkcs8);
  const name = requireDeviceName(input.deviceName);
  const { vaultId, secrets, recoveryIdentity, contents } = await makeNewVault({
    ...{ passphrase: input.passphrase, signer, deviceName: name, clock, random, logN },
    scrypt: nativeScryptRecipient,
  });

  // Before the vault: a failure must not leave a vault whose recovery key nobody was shown.
  await home.saveDevice({ vault: vaultId, device: signer.device, name, signingKey: pkcs8, writer: secrets.writer });
  try {
    const vault = await input.create(contents);
    await acceptHead({ vault, home });
    return { vault, vaultId, recoveryIdentity };
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
  const { device, publicKey } = signer;
  await append(await deviceStatement(by ?? signer, vaultId, { device, name: file.name, publicKey }));
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

async function newDevice(
  vault: VaultId,
  name: string,
  writer: WriterSecrets,
): Promise<{ file: DeviceFile; signer: Signer }> {
  const { pkcs8, device } = await generateDeviceKey();
  const file = { vault, device, name: requireDeviceName(name), signingKey: pkcs8, writer };
  return { file, signer: await importSigner(pkcs8) };
}
