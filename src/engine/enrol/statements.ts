// What devices sign for a vault's log, in Node and in browsers alike: that they exist, and whatever else changes a vault.

import { utf8 } from "../../core/bytes.ts";
import { AppError } from "../../core/errors.ts";
import type { DeviceId, VaultId } from "../../core/ids.ts";
import type { Signer } from "../../crypto/signature.ts";
import { encodeLogBody, type LogBodies, type LogEvent, type LogType, logStatement } from "../../wire/v4/log-entry.ts";
import type { SignedStatement } from "../../wire/v4/vault-port.ts";

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

/** The statement by which a device introduces itself. */
export function introduction(signer: Signer, vault: VaultId, name: string): Promise<SignedStatement> {
  return deviceStatement(signer, vault, { device: signer.device, name, publicKey: signer.publicKey });
}

/** The statement by which `by` vouches for a device. */
export function deviceStatement(
  by: Signer,
  vault: VaultId,
  added: { readonly device: DeviceId; readonly name: string; readonly publicKey: Signer["publicKey"] },
): Promise<SignedStatement> {
  const { device, name, publicKey } = added;
  return signStatement(by, vault, "device-add", { device, name, publicKey });
}

/** A statement as routes carry it. */
export function statementMessage({ type, body, by, sig }: SignedStatement) {
  return { type, body, by: by ?? null, sig: sig ?? null };
}

/** It is shown to people on every device, so it must be one line of text. Throws `usage`. */
export function requireDeviceName(name: string): string {
  return requireLine(name, "A device's name");
}

/** The name of a trust group, as `requireDeviceName`. */
export function requireGroupName(name: string): string {
  return requireLine(name, "A group's name");
}

function requireLine(text: string, what: string): string {
  const trimmed = text.trim();
  if (trimmed !== "" && trimmed.isWellFormed() && utf8(trimmed).length <= 255 && !/\p{Cc}/u.test(trimmed)) {
    return trimmed;
  }
  throw new AppError("usage", { context: { detail: `${what} is one line of at most 255 bytes.` } });
}
