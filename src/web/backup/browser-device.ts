// Makes this browser a device of a vault: by an enrolment code, or by the secrets of a vault that a person unlocked in this tab. Secrets
// pass through here once; what is kept is in device-store.ts.

import type { VaultId } from "../../core/ids.ts";
import { invitationId } from "../../crypto/invitation.ts";
import { importMacKey } from "../../crypto/primitives.ts";
import type { WriterKeys, WriterSecrets } from "../../crypto/secrets.ts";
import { generateHiddenKey, signerOfKey } from "../../crypto/signature.ts";
import { joinByCode } from "../../engine/enrol/join.ts";
import { introduction, requireDeviceName } from "../../engine/enrol/statements.ts";
import type { ApiClient } from "../../engine/remote/api-client.ts";
import type { InviteCode } from "../../wire/v4/invite-code.ts";
import type { SignedStatement } from "../../wire/v4/vault-port.ts";
import type { BrowserDevice, DeviceStore } from "./device-store.ts";

export type NewDevice = {
  readonly vault: VaultId;
  readonly vaultName: string;
  readonly name: string;
  readonly writer: WriterSecrets;
  readonly signingKey: CryptoKeyPair;
};

/** What is kept of a device that is known to its vault. */
export async function keepDevice(store: DeviceStore, added: NewDevice, now: number): Promise<BrowserDevice> {
  const { vault, vaultName, name, writer, signingKey } = added;
  const { device } = await signerOfKey(signingKey);
  const kept: BrowserDevice = {
    ...{ vault, vaultName, device, name, signingKey },
    chunkIdKey: await importMacKey(writer.chunkIdKey),
    metaKey: await importMacKey(writer.metaKey),
    chunkerKey: writer.chunkerKey,
    recipient: writer.recipient,
    enrolledAt: now,
  };
  await store.saveDevice(kept);
  return kept;
}

/** Throws what `joinByCode` throws. A run that was cut off can be repeated with the same code. */
export async function enrolByCode(input: {
  readonly store: DeviceStore;
  /** Of nobody. */
  readonly api: ApiClient;
  readonly code: InviteCode;
  readonly name: string;
  readonly now: number;
}): Promise<BrowserDevice> {
  const { store, api, code, now } = input;
  const id = await invitationId(code.key);
  const signingKey = await store.enrolmentKey(id, generateHiddenKey);
  const signer = await signerOfKey(signingKey);
  const { name, vaultName, writer } = await joinByCode({ api, code, signer, name: input.name });
  const device = await keepDevice(store, { vault: code.vault, vaultName, name, writer, signingKey }, now);
  await store.endEnrolment(id);
  return device;
}

/** For whoever unlocked the vault in this tab; `append` sends a statement as the person who is signed in. */
export async function enrolUnlocked(input: {
  readonly store: DeviceStore;
  readonly vault: VaultId;
  readonly vaultName: string;
  readonly writer: WriterSecrets;
  readonly name: string;
  readonly append: (statement: SignedStatement) => Promise<unknown>;
  readonly now: number;
}): Promise<BrowserDevice> {
  const { store, vault, vaultName, writer, append, now } = input;
  const name = requireDeviceName(input.name);
  const signingKey = await store.enrolmentKey(`unlocked ${vault}`, generateHiddenKey);
  await append(await introduction(await signerOfKey(signingKey), vault, name));
  const device = await keepDevice(store, { vault, vaultName, name, writer, signingKey }, now);
  await store.endEnrolment(`unlocked ${vault}`);
  return device;
}

export function writerOfDevice({ chunkIdKey, chunkerKey, metaKey, recipient }: BrowserDevice): WriterKeys {
  return { chunkIdKey, chunkerKey, metaKey, recipient };
}
