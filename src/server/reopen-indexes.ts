// Opens the index of a vault again whose log the disk refused: after such a fault nothing that was written can be vouched for, while an
// index that is opened anew is what the disk really has, as after a power cut, and goes on from there (docs/vault.md, The index).

import type { Clock } from "../core/clock.ts";
import type { VaultId } from "../core/ids.ts";
import type { Logger } from "../core/log.ts";
import type { VaultRegistry } from "./vaults.ts";

export type ReopenOptions = {
  readonly vaults: VaultRegistry;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether a job works in the vault: it is not taken away from one. */
  isAtWork(vault: VaultId): boolean;
};

/** Callers are cut off each time, and a disk that is broken for good refuses each time. */
const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 15 * 60_000;
/** One that held for so long is another fault. */
const FORGOTTEN_MS = 3_600_000;

type Tried = { readonly atMs: number; readonly waitMs: number };

export class IndexReopener {
  readonly #options: ReopenOptions;
  readonly #tried = new Map<VaultId, Tried>();

  constructor(options: ReopenOptions) {
    this.#options = options;
  }

  /** To be called now and then, one call after the other. */
  async look(): Promise<void> {
    const { vaults, clock, logger, isAtWork } = this.#options;
    for (const served of vaults.list()) {
      const { refusal } = served;
      if (refusal === undefined || isAtWork(served.id)) continue;
      const nowMs = clock.monotonic();
      const last = this.#tried.get(served.id);
      const isSame = last !== undefined && nowMs - last.atMs < FORGOTTEN_MS;
      if (isSame && nowMs - last.atMs < last.waitMs) continue;
      const waitMs = isSame ? Math.min(LONGEST_WAIT_MS, 2 * last.waitMs) : FIRST_WAIT_MS;
      this.#tried.set(served.id, { atMs: nowMs, waitMs });
      logger.warn("a vault's index is opened again, since the disk refused its log", {
        vault: served.id,
        error: refusal,
      });
      await vaults.reopen(served, "its index is being opened again", async () => undefined);
    }
  }
}
