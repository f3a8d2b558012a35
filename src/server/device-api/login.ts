// Login of devices: a challenge, signed together with the channel that it came through (docs/protocol-v4.md, Login of a device).
// Who has not proven to hold a device's key is told the same whatever is wrong.

import { createHash } from "node:crypto";
import { concatBytes, fromHex, toHex, utf8 } from "../../core/bytes.ts";
import { AppError } from "../../core/errors.ts";
import type { DeviceId, VaultId } from "../../core/ids.ts";
import { verifySignature } from "../../crypto/signature.ts";
import { logDevices } from "../../vault/server-queries.ts";
import { BINDING_CERTIFICATE, loginStatement } from "../../wire/v4/login.ts";
import { type KeyedChallenges, PURPOSE } from "../keyed-challenges.ts";
import type { ServerKit } from "../kit.ts";
import type { DeviceTokens } from "./tokens.ts";

export type LoginAsk = {
  readonly vault: VaultId;
  readonly device: DeviceId;
  readonly challenge: Uint8Array;
  readonly bindingKind: number;
  readonly sig: Uint8Array;
};

export const CHALLENGE_LIVES_MS = 60_000;

export function askChallenge(kit: ServerKit, challenges: KeyedChallenges, ask: { vault: string; device: DeviceId }) {
  const vault = kit.vaults.byNameOrId(ask.vault)?.id ?? inventedId(challenges, ask.vault);
  return { vault, ...challenges.make(PURPOSE.login, contextOf(vault, ask.device)) };
}

/** An id for a vault that there is none of: always the same one for a name, so that asking twice tells nothing. */
function inventedId(challenges: KeyedChallenges, name: string): VaultId {
  return toHex(challenges.mark(PURPOSE.inventedVault, utf8(name))) as VaultId;
}

function contextOf(vault: VaultId, device: DeviceId): Uint8Array {
  return concatBytes([fromHex(vault), fromHex(device)]);
}

/** Throws `login_failed`, `device_revoked` (to the holder of its key), `token_expired` for a challenge that is no good any more. */
export async function logIn(
  kit: ServerKit,
  challenges: KeyedChallenges,
  tokens: DeviceTokens,
  ask: LoginAsk,
): Promise<{ token: string; expiresAt: number }> {
  const { vault, device, challenge } = ask;
  if (!challenges.isGood(challenge, PURPOSE.login, contextOf(vault, device))) throw new AppError("token_expired");
  const served = kit.vaults.byNameOrId(vault);
  const known = served && logDevices(served.vault.context).get(device);
  if (known === undefined || !(await isSigned(kit, ask, known.publicKey))) throw new AppError("login_failed");
  if (!challenges.use(challenge)) throw new AppError("token_expired");
  if (known.revoked) throw new AppError("device_revoked", { context: { device } });
  return tokens.give(vault, device);
}

/** True when the signature names one of the channels that end here. */
async function isSigned(kit: ServerKit, ask: LoginAsk, publicKey: Uint8Array): Promise<boolean> {
  const bindings =
    ask.bindingKind === BINDING_CERTIFICATE
      ? kit.identity().bindings.map(fromHex)
      : [...kit.origins].map((origin) => createHash("sha256").update(origin).digest());
  for (const binding of bindings) {
    if (await verifySignature(publicKey, loginStatement({ ...ask, binding }), ask.sig)) return true;
  }
  return false;
}
