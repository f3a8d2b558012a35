// Trying again, as the table of docs/protocol-v4.md says: lost connections and busy servers are waited for, everything else is the
// caller's. One retrier serves all calls to a server, so that success anywhere shows that the server is there.

import { type Clock, type RandomSource, type Sleep, systemSleep } from "../../core/clock.ts";
import { LIMITS } from "../../core/config-schema.ts";
import { type AppError, type ErrorCode, isAppError, throwIfAborted } from "../../core/errors.ts";

export type RetrierOptions = {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly sleep?: Sleep | undefined;
  /** Hears why nothing goes on for a while. */
  readonly onWait?: ((error: AppError, waitMs: number) => void) | undefined;
};

const WAITED_FOR: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "server_unreachable",
  "server_stopping",
  "too_many_requests",
  "vault_busy",
]);
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 30_000;
/** A server may ask for so much patience; whoever is locked out for longer is told. */
const LONGEST_ASKED_MS = 60_000;
/** One call that never works, while others do, must end too. */
const TRIES_AT_MOST = 60;

export class Retrier {
  readonly #options: RetrierOptions;
  readonly #sleep: Sleep;
  #lastSuccess: number | undefined;

  constructor(options: RetrierOptions) {
    this.#options = options;
    this.#sleep = options.sleep ?? systemSleep;
  }

  /** Throws what `attempt` throws once trying again is of no use, and `interrupted`. */
  async run<T>(attempt: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const { clock, onWait } = this.#options;
    const startedAt = clock.monotonic();
    for (let tries = 0; ; tries++) {
      throwIfAborted(signal);
      try {
        const result = await attempt();
        this.#lastSuccess = clock.monotonic();
        return result;
      } catch (error) {
        const waitMs = isAppError(error) ? this.#waitFor(error, tries, startedAt) : undefined;
        if (waitMs === undefined) throw error;
        onWait?.(error as AppError, waitMs);
        await this.#sleep(waitMs, signal);
      }
    }
  }

  #waitFor(error: AppError, tries: number, startedAt: number): number | undefined {
    if (!WAITED_FOR.has(error.code) || tries >= TRIES_AT_MOST) return undefined;
    const patienceMs = this.#lastSuccess === undefined ? LIMITS.firstContactMs.value : LIMITS.lostContactMs.value;
    const silentMs = this.#options.clock.monotonic() - Math.max(startedAt, this.#lastSuccess ?? startedAt);
    if (silentMs > patienceMs) return undefined;
    const { retryAfter } = error.context;
    if (typeof retryAfter !== "number") return this.#jitter(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tries));
    // A little later than it says, and not all at once.
    const askedMs = retryAfter * 1000;
    return askedMs > LONGEST_ASKED_MS ? undefined : askedMs + this.#jitter(FIRST_WAIT_MS);
  }

  #jitter(belowMs: number): number {
    const [a = 0, b = 0] = this.#options.random.bytes(2);
    return ((a * 256 + b) / 65_536) * belowMs;
  }
}
