// Reads and writes the state file of a plan (docs/format.md, State file). A state that cannot be used is as good as none.

import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { Bytes } from "../core/bytes.ts";
import type { NameToken, VaultId } from "../core/ids.ts";
import type { Logger } from "../core/log.ts";
import { encodeStateHeader, type StateCursor, type StateTail } from "../wire/v4/state-file.ts";
import { readState } from "../wire/v4/state-reader.ts";

export type SavedState = { readonly tail: StateTail; readonly cursor: StateCursor; close(): void };

/** The last run's state, or undefined when there is none that fits. Damage deeper in shows when the cursor gets there. */
export function openState(path: string, vault: VaultId, plan: NameToken, logger: Logger): SavedState | undefined {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return undefined;
  }
  try {
    const source = {
      size: fstatSync(fd).size,
      read: (target: Bytes, at: number) => readSync(fd, target, 0, target.length, at),
    };
    return { ...readState(source, vault, plan), close: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    logger.warn("the state file of the last run cannot be used; everything is read again", { error: error as Error });
    return undefined;
  }
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
