// A passkey as a further key of the vault that is unlocked in this tab. What announces it is signed by this browser as a device; one that
// is not a device of the vault yet becomes one first, as the person who is signed in.

import { AppError } from "../../core/errors.ts";
import { type PasskeyPrompt, passkeyRecipient } from "../../crypto/passkey.ts";
import { type Signer, signerOfKey } from "../../crypto/signature.ts";
import { makeKeyslot } from "../../engine/enrol/new-vault.ts";
import { statementMessage } from "../../engine/enrol/statements.ts";
import { VAULT_ROUTES } from "../../wire/v4/api/vault-routes.ts";
import { openDeviceStore } from "../backup/device-store.ts";
import type { PasskeyWish } from "./reader-api.ts";
import type { ReaderSession } from "./reader-session.ts";

/** Throws `passkey_refused`, and what posting a statement throws. */
export async function addPasskey(
  session: ReaderSession,
  { credential, label, vaultName, deviceName }: PasskeyWish,
  prompt: PasskeyPrompt,
): Promise<void> {
  const { vault, reader } = session;
  const signer = await signerOf(session, vaultName, deviceName);
  const { file, statement } = await makeKeyslot({
    secrets: reader.secrets,
    vaultId: vault.vaultId,
    signer,
    lock: { recipient: passkeyRecipient(credential, prompt) },
    kind: "passkey",
    label,
    scrypt: undefined,
  });
  await vault.client.call(VAULT_ROUTES.statement, {
    params: { vault: vault.vaultId },
    body: { statement: statementMessage(statement), keyslotFile: file },
  });
}

async function signerOf(session: ReaderSession, vaultName: string, deviceName: string): Promise<Signer> {
  const { vaultId } = session.vault;
  const store = await openDeviceStore();
  try {
    if (!(await store.device(vaultId))) await session.enrol(vaultName, deviceName);
    const device = await store.device(vaultId);
    if (!device) throw new AppError("not_enrolled");
    return await signerOfKey(device.signingKey);
  } finally {
    store.close();
  }
}
