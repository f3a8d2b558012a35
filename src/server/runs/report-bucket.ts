// How often devices may report: a bucket of each one's own, which fills up again with time (RUN_LIMITS). Forgotten once it is full.

import type { Clock } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import type { DeviceId, VaultId } from "../../core/ids.ts";
import { RUN_LIMITS } from "../../wire/v4/api/run-routes.ts";
import type { Parts } from "../store-parts.ts";

const { reportsAtOnce, reportsPerSecond } = RUN_LIMITS;

export class ReportBuckets {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, { level: number; at: number }>();

  constructor({ clock }: Parts<"clock">) {
    this.#clock = clock;
  }

  /** Throws `too_many_requests`. */
  take(vault: VaultId, device: DeviceId): void {
    const key = `${vault}/${device}`;
    const now = this.#clock.monotonic();
    const level = this.#level(key, now);
    if (level < 1) throw new AppError("too_many_requests", { context: { retryAfter: 1 } });
    this.#buckets.set(key, { level: level - 1, at: now });
  }

  sweep(): void {
    const now = this.#clock.monotonic();
    for (const key of this.#buckets.keys()) if (this.#level(key, now) >= reportsAtOnce) this.#buckets.delete(key);
  }

  #level(key: string, now: number): number {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return reportsAtOnce;
    return Math.min(reportsAtOnce, bucket.level + ((now - bucket.at) / 1000) * reportsPerSecond);
  }
}
