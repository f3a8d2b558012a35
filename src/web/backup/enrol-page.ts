// Enrolment as the page does it: by a code, without being anybody; or by opening the vault once in a worker that ends afterwards.

import { systemClock, systemRandom } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import type { VaultId } from "../../core/ids.ts";
import { ApiClient } from "../../engine/remote/api-client.ts";
import { nobody } from "../../engine/remote/credentials.ts";
import { Retrier } from "../../engine/remote/retrier.ts";
import { decodeInviteCode } from "../../wire/v4/invite-code.ts";
import { fetchTransport } from "../engine/fetch-transport.ts";
import { ReaderClient } from "../engine/reader-client.ts";
import { enrolByCode } from "./browser-device.ts";
import type { BrowserDevice, DeviceStore } from "./device-store.ts";

/** Throws `invite_code_invalid`, `invite_invalid`, `usage`. */
export function enrolWithCode(store: DeviceStore, text: string, name: string): Promise<BrowserDevice> {
  // The browser has checked this server already, so the code's pin is not looked at: a code of another server has no invitation here.
  const code = decodeInviteCode(text);
  const api = new ApiClient({
    transport: fetchTransport({ origin: location.origin, credentials: "omit" }),
    credentials: nobody,
    retrier: new Retrier({ clock: systemClock, random: systemRandom }),
  });
  return enrolByCode({ store, api, code, name, now: systemClock.now() });
}

/** `key`: passphrase or recovery key. Throws `passphrase_wrong`, `key_invalid`, `forbidden`. */
export async function enrolWithKey(
  vault: { readonly id: VaultId; readonly name: string },
  key: string,
  name: string,
): Promise<void> {
  const reader = new ReaderClient();
  try {
    await reader.open(vault.id);
    const isRecoveryKey = /^\s*AGE-SECRET-KEY-/i.test(key);
    await reader.call("unlock", isRecoveryKey ? { by: "recovery", text: key } : { by: "passphrase", passphrase: key });
    await reader.call("enrol", { vaultName: vault.name, name });
  } finally {
    reader.close(new AppError("interrupted"));
  }
}
