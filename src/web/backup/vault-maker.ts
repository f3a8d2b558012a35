// Making a vault as the page does it: keys in the backup worker (scrypt would hold the page up for seconds), the vault itself by whoever
// is signed in. Between the two the page shows the recovery kit and has it checked (RecoveryKit.tsx).

import { VAULT_ROUTES } from "../../wire/v4/api/vault-routes.ts";
import { call } from "../api/call.ts";
import { guarded } from "../api/use-api.ts";
import { backups } from "./controller.ts";
import type { BrowserDevice } from "./device-store.ts";
import { type PreparedVault, sendVault, type VaultWish } from "./make-vault.ts";
import type { Kit } from "./RecoveryKit.tsx";
import { backupWorker } from "./worker.ts";

/** Makes all keys; nothing leaves the tab. Throws `usage` for names that are none. */
export function prepareNewVault(wish: VaultWish): Promise<PreparedVault> {
  return backupWorker().call("prepareVault", wish);
}

/** What the kit of a prepared vault shows. */
export function kitOf({ name, vaultId, recoveryIdentity, createdAt }: PreparedVault): Kit {
  return { vaultName: name, vaultId, address: `${location.origin}/${name}`, identity: recoveryIdentity, createdAt };
}

/** Makes it on the server, and this browser its first device. May be called again with the same when the server was not heard. */
export async function makePreparedVault(prepared: PreparedVault): Promise<BrowserDevice> {
  return sendVault(await backups.store(), prepared, (body) => guarded(() => call(VAULT_ROUTES.makeVault, { body })));
}
