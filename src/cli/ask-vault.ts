// What this machine asks a vault to write into its log, signed by its device key; and snapshots named without any reader key.

import { nodePlatform } from "../client/platform.ts";
import { signStatement } from "../engine/enrol/statements.ts";
import { openReader, type VaultReader } from "../engine/reader/reader.ts";
import { resolveRow } from "../engine/reader/resolve.ts";
import type { LogBodies, LogType } from "../wire/v4/log-entry.ts";
import type { SnapshotRow } from "../wire/v4/vault-port.ts";
import type { OpenedVault } from "./open-vault.ts";

/** Appends one entry; `keyslotFile` goes with a `keyslot-add`. Throws `not_enrolled` and what the vault refuses. */
export async function askVault<Type extends LogType>(
  opened: OpenedVault,
  type: Type,
  body: LogBodies[Type],
  keyslotFile?: Uint8Array,
): Promise<void> {
  const statement = await signStatement(await opened.signer(), opened.vault.vaultId, type, body);
  await opened.admin.apply(statement, keyslotFile);
}

/** The row of a snapshot expression: needs this machine's enrolment, but no passphrase. */
export async function findRow(opened: OpenedVault, expression: string): Promise<SnapshotRow> {
  return resolveRow(await keylessReader(opened), expression);
}

/** It knows the tokens of plans and tags, and can open nothing. */
async function keylessReader({ vault, device }: OpenedVault): Promise<VaultReader> {
  const { writer } = await device();
  return openReader({ vault, platform: nodePlatform, secrets: { identity: "", writer } });
}
