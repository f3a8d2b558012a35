// Lets a session in, or says to everybody that it was refused: a device that stores nothing because its quota is used up must not look
// like one that has nothing to store.

import { isAppError } from "../core/errors.ts";
import type { ServerEvent, ServerKit } from "./kit.ts";
import type { ServedVault } from "./vaults.ts";

type About = Pick<ServerEvent & { readonly type: "session-open" }, "vault" | "device" | "session" | "plan">;

/** Throws what refuses it. */
export async function admitSession(kit: ServerKit, vault: ServedVault, about: About): Promise<void> {
  try {
    await kit.admit({ kind: "session", vault, device: about.device });
  } catch (error) {
    const code = isAppError(error) ? error.code : "internal";
    if (code !== "server_stopping") kit.emit({ type: "session-refused", ...about, code });
    throw error;
  }
}
