// How much one device may do at a time: one that floods slows itself down and nobody else.

import { LIMITS } from "../../core/config-schema.ts";
import { AppError } from "../../core/errors.ts";
import type { DeviceId, VaultId } from "../../core/ids.ts";
import { MemoryGate } from "../http/memory-gate.ts";

/** Blocks that are read ahead for one stream (vault/fetch-blocks.ts), of the size that they usually have. */
export const FETCH_BYTES = 4 * 2 ** 21;

/** Counts what runs for each device. */
export class PerDevice {
  readonly #most: number;
  readonly #counts = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Throws `too_many_requests`. */
  async run<T>(vault: VaultId, device: DeviceId, work: () => Promise<T>): Promise<T> {
    const key = `${vault}/${device}`;
    const count = this.#counts.get(key) ?? 0;
    if (count >= this.#most) throw new AppError("too_many_requests", { context: { retryAfter: 1 } });
    this.#counts.set(key, count + 1);
    try {
      return await work();
    } finally {
      const left = this.#counts.get(key)! - 1;
      if (left === 0) this.#counts.delete(key);
      else this.#counts.set(key, left);
    }
  }
}

/** Memory for blocks on their way out, over all callers. */
export function newFetchGate(): MemoryGate {
  return new MemoryGate(LIMITS.serverFetchBytes.value);
}
