// Reads a state file (without its header) from memory.

import { concatBytes } from "../src/core/bytes.ts";
import { checkFrame, decodeStateTail, StateCursor, type StateTail } from "../src/wire/v4/state-file.ts";

/** `bytes` is what a StateEncoder gave out. */
export function openStateBytes(bytes: Uint8Array): { readonly tail: StateTail; readonly cursor: StateCursor } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const crcAt = bytes.length - 8;
  const tailLength = view.getUint32(crcAt + 4, true);
  const tail = decodeStateTail(bytes.subarray(crcAt - tailLength, crcAt), view.getUint32(crcAt, true));
  let at = 0;
  const cursor = new StateCursor(() => {
    const length = view.getUint32(at, true);
    if (length === 0) return undefined;
    const payload = bytes.subarray(at + 8, at + 8 + length);
    checkFrame(payload, view.getUint32(at + 4, true));
    at += 8 + length;
    return payload;
  });
  return { tail, cursor };
}

/** A sink for `StateEncoder`, and all that it was given. */
export function stateSink(): { emit(bytes: Uint8Array): void; take(): Uint8Array } {
  const parts: Uint8Array[] = [];
  return { emit: (bytes) => parts.push(bytes.slice()), take: () => concatBytes(parts) };
}
