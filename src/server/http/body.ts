// Bodies of requests: never more than their limit, never slower than a server can put up with, and only so many bytes in memory
// at a time over all requests.

import type { IncomingMessage } from "node:http";
import { concatBytes } from "../../core/bytes.ts";
import { type Clock, systemClock } from "../../core/clock.ts";
import { LIMITS } from "../../core/config-schema.ts";
import { AppError } from "../../core/errors.ts";
import { MemoryGate } from "./memory-gate.ts";

/** Bodies below this come and go too fast to be counted. */
const SMALL_BYTES = 64 * 1024;
const RATE_WINDOW_MS = 60_000;

/** For bodies that are held whole. */
export const bodyGate = new MemoryGate(LIMITS.serverBodyBytes.value);

/** The whole body. Throws `limit`, `request_invalid` when it stalls. `release` gives its memory back. */
export async function readBody(
  request: IncomingMessage,
  maxBytes: number,
  signal: AbortSignal,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; release: () => void }> {
  const announced = announcedLength(request, maxBytes);
  const reserved = announced ?? maxBytes;
  const release = reserved <= SMALL_BYTES ? () => undefined : await bodyGate.take(reserved, signal);
  try {
    const parts: Uint8Array[] = [];
    for await (const slice of streamBody(request, maxBytes, signal)) parts.push(slice);
    return { bytes: concatBytes(parts), release };
  } catch (error) {
    release();
    throw error;
  }
}

/** The body as it comes. Throws `limit`, `request_invalid` when it stalls or trickles, the signal's reason. */
export async function* streamBody(
  request: IncomingMessage,
  maxBytes: number,
  signal: AbortSignal,
  clock: Pick<Clock, "monotonic"> = systemClock,
): AsyncGenerator<Uint8Array> {
  announcedLength(request, maxBytes);
  const slices = pull(request, signal);
  let total = 0;
  let windowBytes = 0;
  /** Time in this window that was spent waiting for the sender. */
  let windowMs = 0;
  try {
    for (;;) {
      const askedMs = clock.monotonic();
      const slice = await slices.next();
      if (slice === undefined) return;
      total += slice.length;
      if (total > maxBytes) throw tooLong(maxBytes);
      windowBytes += slice.length;
      windowMs += clock.monotonic() - askedMs;
      if (windowMs > RATE_WINDOW_MS) {
        if (windowBytes * 1000 < LIMITS.serverBytesPerSecond.value * windowMs) throw tooSlow();
        windowBytes = 0;
        windowMs = 0;
      }
      yield slice;
    }
  } finally {
    slices.stop();
  }
}

/** Takes slices out of a stream one by one. Unlike the stream's own iterator it can be left while it waits. */
function pull(
  request: IncomingMessage,
  signal: AbortSignal,
): { next(): Promise<Uint8Array | undefined>; stop(): void } {
  let wake: (() => void) | undefined;
  let failure: unknown;
  const onChange = (): void => wake?.();
  const onError = (error: unknown): void => {
    failure = error;
    wake?.();
  };
  const events = [
    ["readable", onChange],
    ["end", onChange],
    ["close", onChange],
    ["error", onError],
  ] as const;
  for (const [event, listener] of events) request.on(event, listener);
  signal.addEventListener("abort", onChange);
  return {
    async next() {
      for (;;) {
        signal.throwIfAborted();
        if (failure !== undefined) throw failure;
        const slice = request.read() as Uint8Array | null;
        if (slice !== null) return slice;
        if (request.readableEnded) return undefined;
        if (request.destroyed) throw new AppError("interrupted");
        await new Promise<void>((resolve, reject) => {
          const stall = setTimeout(() => reject(tooSlow()), LIMITS.serverStallMs.value);
          wake = () => {
            clearTimeout(stall);
            resolve();
          };
        });
      }
    },
    stop() {
      for (const [event, listener] of events) request.off(event, listener);
      signal.removeEventListener("abort", onChange);
    },
  };
}

function announcedLength(request: IncomingMessage, maxBytes: number): number | undefined {
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
