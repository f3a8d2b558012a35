// Cuts revoked devices off: their tokens end, their running requests are aborted. It looks at each vault's log head twice a second,
// so that a revocation counts within a second whoever wrote it, another process included.

import type { VaultId } from "../../core/ids.ts";
import { logDevices } from "../../vault/server-queries.ts";
import type { ServerKit } from "../kit.ts";
import type { ServedVault } from "../vaults.ts";
import type { DeviceTokens } from "./tokens.ts";

const LOOK_MS = 400;

export class RevocationWatch {
  readonly #kit: ServerKit;
  readonly #tokens: DeviceTokens;
  readonly #heads = new Map<VaultId, string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(kit: ServerKit, tokens: DeviceTokens) {
    this.#kit = kit;
    this.#tokens = tokens;
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), LOOK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async look(): Promise<void> {
    for (const served of this.#kit.vaults.list()) await this.lookAt(served);
  }

  /** At once, after a statement. */
  async lookAt(served: ServedVault): Promise<void> {
    try {
      if (served.problem !== undefined) return;
      const { id: head } = await served.vault.head();
      if (this.#heads.get(served.id) === head) return;
      const devices = logDevices(served.vault.context);
      for (const device of this.#tokens.devicesOf(served.id)) {
        if (devices.get(device)?.revoked === false) continue;
        this.#tokens.drop(served.id, device);
        this.#kit.running.cutDevice(served.id, device);
      }
      this.#heads.set(served.id, head);
    } catch (error) {
      // It is looked at again: a vault that is busy or being closed is no reason to stop watching.
      this.#kit.logger.warn("a vault could not be looked at", { vault: served.id, error: error as Error });
    }
  }
}
