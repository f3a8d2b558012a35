// Changes of a vault's log are signed by a device: here, by the one that this browser is. Its key never leaves the browser, and no
// script can read it.

import type { Bytes } from "../../../core/bytes.ts";
import type { VaultId } from "../../../core/ids.ts";
import { signerOfKey } from "../../../crypto/signature.ts";
import { signStatement, statementMessage } from "../../../engine/enrol/statements.ts";
import { VAULT_ROUTES } from "../../../wire/v4/api/vault-routes.ts";
import type { LogBodies, LogType } from "../../../wire/v4/log-entry.ts";
import type { SignedStatement } from "../../../wire/v4/vault-port.ts";
import { call } from "../../api/call.ts";
import { guarded } from "../../api/use-api.ts";
import { type BrowserDevice, openDeviceStore } from "../../backup/device-store.ts";

export async function deviceHere(vault: string): Promise<BrowserDevice | null> {
  const store = await openDeviceStore();
  try {
    return (await store.device(vault as VaultId)) ?? null;
  } finally {
    store.close();
  }
}

/** Throws what the server refuses. */
export async function signAndSend<Type extends LogType>(
  device: BrowserDevice,
  type: Type,
  body: LogBodies[Type],
): Promise<void> {
  const signer = await signerOfKey(device.signingKey);
  await sendStatement(device.vault, await signStatement(signer, device.vault, type, body), null);
}

export async function sendStatement(
  vault: VaultId,
  statement: SignedStatement,
  keyslotFile: Bytes | null,
): Promise<void> {
  const body = { statement: statementMessage(statement), keyslotFile };
  await guarded(() => call(VAULT_ROUTES.statement, { params: { vault }, body }));
}
