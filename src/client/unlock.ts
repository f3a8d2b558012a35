// Unlocking on Node: as everywhere (engine/unlock.ts), with Node's native scrypt.

import type { ReaderSecrets } from "../crypto/secrets.ts";
import { type UnlockInput, unlock as unlockAnywhere } from "../engine/unlock.ts";
import { nativeScryptIdentity } from "./scrypt-identity.ts";

export function unlock(input: Omit<UnlockInput, "passphraseIdentity">): Promise<ReaderSecrets> {
  return unlockAnywhere({ ...input, passphraseIdentity: nativeScryptIdentity });
}
