// Opens a state file wherever it lies (a disk, a browser's private files) and checks what can be checked without reading all of it.

import type { Bytes } from "../../core/bytes.ts";
import { isAppError } from "../../core/errors.ts";
import type { NameToken, VaultId } from "../../core/ids.ts";
import {
  checkFrame,
  decodeStateTail,
  STATE_HEADER_BYTES,
  STATE_LIMITS,
  StateCursor,
  type StateTail,
  stateHeaderFits,
} from "./state-file.ts";

export type StateSource = {
  readonly size: number;
  /** Fills `target` from `at` on; gives the number of bytes that there were. */
  read(target: Bytes, at: number): number;
};

const TAIL_END_BYTES = 8;

/** Throws when it is not a state file of this vault and plan. Damage deeper in shows when the cursor gets there. */
export function readState(
  source: StateSource,
  vault: VaultId,
  plan: NameToken,
): { tail: StateTail; cursor: StateCursor } {
  if (!stateHeaderFits(read(source, 0, STATE_HEADER_BYTES), vault, plan)) {
    throw new Error("it belongs to another vault or plan");
  }
  return { tail: readTail(source), cursor: new StateCursor(frames(source)) };
}

/** True for an error that a damaged state file caused in the middle of a run. */
export function isStateDamage(error: unknown): boolean {
  return isAppError(error, "record_corrupt") && error.context.what === "The state file";
}

function readTail(source: StateSource): StateTail {
  const { size } = source;
  const end = view(read(source, size - TAIL_END_BYTES, TAIL_END_BYTES));
  const length = end.getUint32(4, true);
  if (length > STATE_LIMITS.tail || length > size) throw new Error("its tail is too long");
  return decodeStateTail(read(source, size - TAIL_END_BYTES - length, length), end.getUint32(0, true));
}

function frames(source: StateSource): () => Uint8Array | undefined {
  let at = STATE_HEADER_BYTES;
  return () => {
    const length = view(read(source, at, 4)).getUint32(0, true);
    if (length === 0) return undefined;
    const crc = view(read(source, at + 4, 4)).getUint32(0, true);
    const payload = read(source, at + 8, Math.min(length, STATE_LIMITS.frame));
    checkFrame(payload, crc);
    at += 8 + length;
    return payload;
  };
}

function read(source: StateSource, at: number, length: number): Bytes {
  const out = new Uint8Array(length);
  const got = at < 0 ? 0 : source.read(out, at);
  return got === length ? out : new Uint8Array(0);
}

function view(bytes: Bytes): DataView {
  return bytes.length > 0 ? new DataView(bytes.buffer) : new DataView(new ArrayBuffer(8));
}
