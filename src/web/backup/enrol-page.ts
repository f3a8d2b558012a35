// Enrolment by a code as the page does it: without being anybody. With a vault that is open in the tab its worker does it (engine/reader-api.ts).

import { systemClock, systemRandom } from "../../core/clock.ts";
import { ApiClient } from "../../engine/remote/api-client.ts";
import { nobody } from "../../engine/remote/credentials.ts";
import { Retrier } from "../../engine/remote/retrier.ts";
import { decodeInviteCode } from "../../wire/v4/invite-code.ts";
import { fetchTransport } from "../engine/fetch-transport.ts";
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
