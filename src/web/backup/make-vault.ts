// A new vault, made in the browser in two steps, so that nobody has a vault whose recovery key was never saved: `prepareVault` makes all
// keys, the page shows the recovery kit and checks that it was saved, then `sendVault` makes the vault on the server and this browser
// its first device. Between the two everything is in memory only.

import type { Clock, RandomSource } from "../../core/clock.ts";
import { isAppError } from "../../core/errors.ts";
import type { VaultId } from "../../core/ids.ts";
import type { WriterSecrets } from "../../crypto/secrets.ts";
import { generateHiddenKey, signerOfKey } from "../../crypto/signature.ts";
import { makeNewVault, type NewVault } from "../../engine/enrol/new-vault.ts";
import { requireDeviceName, statementMessage } from "../../engine/enrol/statements.ts";
import { keepDevice } from "./browser-device.ts";
import type { BrowserDevice, DeviceStore } from "./device-store.ts";

/** Goes through postMessage as it is. */
export type PreparedVault = {
  readonly vaultId: VaultId;
  readonly name: string;
  readonly createdAt: number;
  /** `AGE-SECRET-KEY-PQ-1…`: for the recovery kit. */
  readonly recoveryIdentity: string;
  readonly contents: NewVault;
  readonly device: { readonly name: string; readonly signingKey: CryptoKeyPair; readonly writer: WriterSecrets };
};

export type VaultWish = {
  readonly name: string;
  readonly passphrase: string;
  /** What this browser is called in the vault. */
  readonly deviceName: string;
  /** scrypt work factor; for tests. */
  readonly logN?: number | undefined;
};

/** Takes seconds of processor time (scrypt in JavaScript): in a worker, never on the page's own thread. */
export async function prepareVault(
  wish: VaultWish,
  at: { clock: Clock; random: RandomSource },
): Promise<PreparedVault> {
  const { name, passphrase, logN } = wish;
  const { clock, random } = at;
  const deviceName = requireDeviceName(wish.deviceName);
  const signingKey = await generateHiddenKey();
  const signer = await signerOfKey(signingKey);
  const { vaultId, secrets, recoveryIdentity, contents } = await makeNewVault({
    ...{ passphrase, signer, deviceName, clock, random, logN },
    scrypt: undefined,
  });
  return {
    ...{ vaultId, name, createdAt: clock.now(), recoveryIdentity, contents },
    device: { name: deviceName, signingKey, writer: secrets.writer },
  };
}

/** The body of `POST /vaults`. */
export function vaultMessage({ name, contents }: PreparedVault) {
  return {
    name,
    record: contents.record,
    statements: contents.statements.map(statementMessage),
    keyslotFiles: [...contents.keyslotFiles],
  };
}

/**
 * `post` sends the body as the person who is signed in. Kept before it is sent: a browser that is closed in between has a device of a
 * vault that may not be there, which costs nothing; the other way round nobody could write to the vault from here.
 */
export async function sendVault(
  store: DeviceStore,
  prepared: PreparedVault,
  post: (body: ReturnType<typeof vaultMessage>) => Promise<unknown>,
): Promise<BrowserDevice> {
  const { vaultId: vault, name: vaultName, createdAt, device } = prepared;
  const kept = await keepDevice(store, { vault, vaultName, ...device }, createdAt);
  try {
    await post(vaultMessage(prepared));
    return kept;
  } catch (error) {
    // When nobody knows whether it arrived, the same vault can be sent again.
    if (isAppError(error) && !error.retry) await store.forget(vault);
    throw error;
  }
}
