// Bodies of requests: never more than their limit, never slower than a server can put up with, and only so many bytes in memory
// at a time over all requests.

import type { IncomingMessage } from "node:http";
import { concatBytes } from "../../core/bytes.ts";
import { type Clock, systemClock } from "../../core/clock.ts";
import { LIMITS } from "../../core/config-schema.ts";
import { AppError } from "../../core/errors.ts";
import { gather } from "./gather.ts";
import { MemoryGate } from "./memory-gate.ts";

/** Bodies below this come and go too fast to be counted. */
const SMALL_BYTES = 64 * 1024;
const RATE_WINDOW_MS = 60_000;
/** So much may wait for its reader before the sender is held up. */
const WAITING_MAX_BYTES = 512 * 1024;

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
    for await (const slices of bodySlices(request, maxBytes, signal)) parts.push(...slices);
    return { bytes: concatBytes(parts), release };
  } catch (error) {
    release();
    throw error;
  }
}

/** The body in large slices, each valid until the next one is asked for. Throws what `bodySlices` throws. */
export function streamBody(
  request: IncomingMessage,
  maxBytes: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  return gather(bodySlices(request, maxBytes, signal));
}

/** The body as it comes, at each step all that has come. Throws `limit`, `request_invalid` when it stalls or trickles, the signal's reason. */
export async function* bodySlices(
  request: IncomingMessage,
  maxBytes: number,
  signal: AbortSignal,
  clock: Pick<Clock, "monotonic"> = systemClock,
): AsyncGenerator<readonly Uint8Array[]> {
  announcedLength(request, maxBytes);
  const pulled = pull(request, signal);
  let total = 0;
  let windowBytes = 0;
  /** Time in this window that was spent waiting for the sender. */
  let windowMs = 0;
  try {
    for (;;) {
      const askedMs = clock.monotonic();
      const slices = await pulled.next();
      if (slices === undefined) return;
      const bytes = slices.reduce((sum, { length }) => sum + length, 0);
      total += bytes;
      if (total > maxBytes) throw tooLong(maxBytes);
      windowBytes += bytes;
      windowMs += clock.monotonic() - askedMs;
      if (windowMs > RATE_WINDOW_MS) {
        if (windowBytes * 1000 < LIMITS.serverBytesPerSecond.value * windowMs) throw tooSlow();
        windowBytes = 0;
        windowMs = 0;
      }
      yield slices;
    }
  } finally {
    pulled.stop();
  }
}

/**
 * Takes out of a stream what has come. Unlike the stream's own iterator it can be left while it waits, and it wakes its reader once for all
 * that a turn of the event loop brings: TLS brings 16 KiB at a time, and each waking costs as much as hashing that.
 */
function pull(
  request: IncomingMessage,
  signal: AbortSignal,
): { next(): Promise<readonly Uint8Array[] | undefined>; stop(): void } {
  let slices: Uint8Array[] = [];
  let waitingBytes = 0;
  let wake: (() => void) | undefined;
  let failure: unknown;
  let isEnded = false;
  let turn: NodeJS.Immediate | undefined;
  const onChange = (): void => wake?.();
  const onData = (slice: Uint8Array): void => {
    slices.push(slice);
    waitingBytes += slice.length;
    if (waitingBytes >= WAITING_MAX_BYTES) request.pause();
    turn ??= setImmediate(() => {
      turn = undefined;
      wake?.();
    });
  };
  const onEnd = (): void => {
    isEnded = true;
    wake?.();
  };
  const onError = (error: unknown): void => {
    failure = error;
    wake?.();
  };
  const events = [
    ["data", onData],
    ["end", onEnd],
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
        if (slices.length > 0) {
          const taken = slices;
          slices = [];
          waitingBytes = 0;
          request.resume();
          return taken;
        }
        if (isEnded) return undefined;
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
      clearImmediate(turn);
      request.pause();
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
