// Bodies of requests, whole or as they come; only so many bytes are in memory at a time over all requests.

import type { IncomingMessage } from "node:http";
import { concatBytes } from "../../core/bytes.ts";
import type { Clock } from "../../core/clock.ts";
import { LIMITS } from "../../core/config-schema.ts";
import { announcedLength, IncomingBody } from "./incoming-body.ts";
import { MemoryGate } from "./memory-gate.ts";
import { Pieces } from "./pieces.ts";

/** Bodies below this come and go too fast to be counted. */
const SMALL_BYTES = 64 * 1024;
/** Pieces that may wait for their reader before the sender is held up. */
const PIECES_AHEAD = 2;

/** For bodies that are held whole. */
export const bodyGate = new MemoryGate(LIMITS.serverBodyBytes.value);

/** The whole body. Throws what `IncomingBody` throws. `release` gives its memory back. */
export async function readBody(
  request: IncomingMessage,
  maxBytes: number,
  signal: AbortSignal,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; release: () => void }> {
  const announced = announcedLength(request, maxBytes);
  const reserved = announced ?? maxBytes;
  const release = reserved <= SMALL_BYTES ? () => undefined : await bodyGate.take(reserved, signal);
  const parts: Uint8Array[] = [];
  const body = new IncomingBody(request, { maxBytes, signal, onSlice: (slice) => void parts.push(slice) });
  try {
    await body.until(() => false);
    return { bytes: concatBytes(parts), release };
  } catch (error) {
    release();
    throw error;
  } finally {
    body.stop();
  }
}

/** The body in large pieces while it comes, each valid until the next one is asked for. Throws what `IncomingBody` throws. */
export async function* streamBody(
  request: IncomingMessage,
  maxBytes: number,
  signal: AbortSignal,
  clock?: Pick<Clock, "monotonic">,
): AsyncGenerator<Uint8Array> {
  const pieces = new Pieces();
  const onSlice = (slice: Uint8Array): void => {
    pieces.add(slice);
    if (pieces.full >= PIECES_AHEAD) body.hold();
  };
  const body = new IncomingBody(request, { maxBytes, signal, onSlice, clock });
  try {
    while (await body.until(() => pieces.full > 0)) {
      const piece = pieces.take()!;
      yield piece;
      pieces.giveBack(piece);
    }
    const rest = pieces.takeRest();
    if (rest.length > 0) yield rest;
  } finally {
    body.stop();
  }
}
