// Reads and writes the state file of a plan (docs/format.md, State file). A state that cannot be used is as good as none.

import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { Bytes } from "../core/bytes.ts";
import { isAppError } from "../core/errors.ts";
import type { NameToken, VaultId } from "../core/ids.ts";
import type { Logger } from "../core/log.ts";
import {
  checkFrame,
  decodeStateTail,
  encodeStateHeader,
  STATE_HEADER_BYTES,
  STATE_LIMITS,
  StateCursor,
  type StateTail,
  stateHeaderFits,
} from "../wire/v4/state-file.ts";

export type SavedState = { readonly tail: StateTail; readonly cursor: StateCursor; close(): void };

const TAIL_END_BYTES = 8;

/** The last run's state, or undefined when there is none that fits. Damage deeper in shows when the cursor gets there. */
export function openState(path: string, vault: VaultId, plan: NameToken, logger: Logger): SavedState | undefined {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return undefined;
  }
  try {
    const { size } = fstatSync(fd);
    if (!stateHeaderFits(read(fd, 0, STATE_HEADER_BYTES), vault, plan))
      throw new Error("it belongs to another vault or plan");
    const tail = readTail(fd, size);
    return { tail, cursor: new StateCursor(frames(fd)), close: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    logger.warn("the state file of the last run cannot be used; everything is read again", { error: error as Error });
    return undefined;
  }
}

/** True for an error that a damaged state file caused in the middle of a run. */
export function isStateDamage(error: unknown): boolean {
  return isAppError(error, "record_corrupt") && error.context.what === "The state file";
}

function readTail(fd: number, size: number): StateTail {
  const end = view(read(fd, size - TAIL_END_BYTES, TAIL_END_BYTES));
  const length = end.getUint32(4, true);
  if (length > STATE_LIMITS.tail || length > size) throw new Error("its tail is too long");
  return decodeStateTail(read(fd, size - TAIL_END_BYTES - length, length), end.getUint32(0, true));
}

function frames(fd: number): () => Uint8Array | undefined {
  let at = STATE_HEADER_BYTES;
  return () => {
    const length = view(read(fd, at, 4)).getUint32(0, true);
    if (length === 0) return undefined;
    const crc = view(read(fd, at + 4, 4)).getUint32(0, true);
    const payload = read(fd, at + 8, Math.min(length, STATE_LIMITS.frame));
    checkFrame(payload, crc);
    at += 8 + length;
    return payload;
  };
}

function read(fd: number, at: number, length: number): Bytes {
  const out = new Uint8Array(length);
  const got = at < 0 ? 0 : readSync(fd, out, 0, length, at);
  return out.subarray(0, got).length === length ? out : new Uint8Array(0);
}

function view(bytes: Bytes): DataView {
  return bytes.length > 0 ? new DataView(bytes.buffer) : new DataView(new ArrayBuffer(8));
}

/** A new state file beside the old one; `commit` puts it in its place. */
export class StateWriter {
  readonly #path: string;
  readonly #temporary: string;
  readonly #fd: number;
  #open = true;

  constructor(path: string, vault: VaultId, plan: NameToken) {
    this.#path = path;
    this.#temporary = `${path}.${process.pid}.tmp`;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#fd = openSync(this.#temporary, "w", 0o600);
    this.write(encodeStateHeader(vault, plan));
  }

  write(bytes: Bytes): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
  }

  commit(): void {
    fsyncSync(this.#fd);
    this.#close();
    renameSync(this.#temporary, this.#path);
  }

  abort(): void {
    if (!this.#open) return;
    this.#close();
    rmSync(this.#temporary, { force: true });
  }

  #close(): void {
    this.#open = false;
    closeSync(this.#fd);
  }
}
