// The body of a request while it comes: never more than its limit, never slower than a server can put up with. Its reader is woken only
// when there is something for it to do: TLS brings 16 KiB at a time, and each waking costs as much as hashing that.

import type { IncomingMessage } from "node:http";
import { type Clock, systemClock } from "../../core/clock.ts";
import { LIMITS } from "../../core/config-schema.ts";
import { AppError } from "../../core/errors.ts";

const RATE_WINDOW_MS = 60_000;

export type IncomingOptions = {
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** Gets each slice as it comes, and owns it. */
  readonly onSlice: (slice: Uint8Array) => void;
  readonly clock?: Pick<Clock, "monotonic"> | undefined;
};

/** Listens from the first `until` on, until `stop`. */
export class IncomingBody {
  readonly #request: IncomingMessage;
  readonly #options: IncomingOptions;
  readonly #clock: Pick<Clock, "monotonic">;
  #totalBytes = 0;
  #windowBytes = 0;
  /** Time in this window that was spent waiting for the sender. */
  #windowMs = 0;
  #failure: unknown;
  #isEnded = false;
  #isListening = false;
  /** What the reader waits for, while it does. */
  #waiting: { readonly isReady: () => boolean; sinceMs: number; stall: NodeJS.Timeout; wake: () => void } | undefined;

  /** Throws `limit` when the request announces more than `maxBytes`. */
  constructor(request: IncomingMessage, options: IncomingOptions) {
    this.#request = request;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    announcedLength(request, options.maxBytes);
  }

  /**
   * Resolves with true once `isReady`, with false at the body's end. Throws `limit`, `request_invalid` when the body stalls or trickles,
   * `interrupted` when its sender goes away, and the signal's reason.
   */
  async until(isReady: () => boolean): Promise<boolean> {
    this.#listen();
    for (;;) {
      this.#options.signal.throwIfAborted();
      if (this.#failure !== undefined) throw this.#failure;
      if (isReady()) return true;
      if (this.#isEnded) return false;
      if (this.#request.destroyed) throw new AppError("interrupted");
      await this.#wait(isReady);
    }
  }

  /** Holds the sender up until the next `until`. */
  hold(): void {
    this.#request.pause();
  }

  stop(): void {
    this.#request.pause();
    this.#request
      .off("data", this.#onData)
      .off("end", this.#onEnd)
      .off("close", this.#onChange)
      .off("error", this.#fail);
    this.#options.signal.removeEventListener("abort", this.#onChange);
  }

  #listen(): void {
    if (!this.#isListening) {
      this.#isListening = true;
      this.#request.on("data", this.#onData).on("end", this.#onEnd).on("close", this.#onChange).on("error", this.#fail);
      this.#options.signal.addEventListener("abort", this.#onChange);
    }
    this.#request.resume();
  }

  async #wait(isReady: () => boolean): Promise<void> {
    await new Promise<void>((wake) => {
      const stall = setTimeout(() => this.#fail(tooSlow()), LIMITS.serverStallMs.value);
      this.#waiting = { isReady, sinceMs: this.#clock.monotonic(), stall, wake };
    });
    clearTimeout(this.#waiting!.stall);
    this.#countWaiting();
    this.#waiting = undefined;
  }

  readonly #onData = (slice: Uint8Array): void => {
    this.#totalBytes += slice.length;
    this.#windowBytes += slice.length;
    if (this.#totalBytes > this.#options.maxBytes) {
      this.#fail(tooLong(this.#options.maxBytes));
      return;
    }
    this.#options.onSlice(slice);
    if (!this.#waiting) return;
    this.#waiting.stall.refresh();
    this.#countWaiting();
    if (this.#waiting.isReady()) this.#waiting.wake();
  };

  readonly #onEnd = (): void => {
    this.#isEnded = true;
    this.#waiting?.wake();
  };

  readonly #onChange = (): void => this.#waiting?.wake();

  readonly #fail = (error: unknown): void => {
    this.#failure ??= error;
    this.#waiting?.wake();
  };

  /** Time that the server itself takes is not the sender's. */
  #countWaiting(): void {
    const nowMs = this.#clock.monotonic();
    this.#windowMs += nowMs - this.#waiting!.sinceMs;
    this.#waiting!.sinceMs = nowMs;
    if (this.#windowMs <= RATE_WINDOW_MS) return;
    if (this.#windowBytes * 1000 < LIMITS.serverBytesPerSecond.value * this.#windowMs) this.#fail(tooSlow());
    this.#windowBytes = 0;
    this.#windowMs = 0;
  }
}

/** Throws `limit` when it is more than `maxBytes`. */
export function announcedLength(request: IncomingMessage, maxBytes: number): number | undefined {
  const header = request.headers["content-length"];
  const length = header === undefined ? undefined : Number(header);
  if (length !== undefined && length > maxBytes) throw tooLong(maxBytes);
  return length;
}

function tooLong(maxBytes: number): AppError {
  return new AppError("limit", { context: { what: "The body of the request", limit: `${maxBytes} bytes` } });
}

function tooSlow(): AppError {
  return new AppError("request_invalid", { context: { detail: "its body comes too slowly", status: 408 } });
}
