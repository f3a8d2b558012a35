// Lets through only so many bytes at a time; whoever comes later waits in line.

import { throwIfAborted } from "../../core/errors.ts";

const NEVER = new AbortController().signal;

export class MemoryGate {
  readonly #capacity: number;
  #taken = 0;
  readonly #line: { readonly bytes: number; readonly pass: () => void }[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Answers how to give them back. More than there will ever be counts as all. Throws `interrupted`. */
  async take(bytes: number, signal: AbortSignal = NEVER): Promise<() => void> {
    const wanted = Math.min(bytes, this.#capacity);
    throwIfAborted(signal);
    if (this.#line.length > 0 || this.#taken + wanted > this.#capacity) await this.#wait(wanted, signal);
    else this.#taken += wanted;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#taken -= wanted;
      this.#advance();
    };
  }

  async #wait(bytes: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        const at = this.#line.indexOf(place);
        if (at >= 0) this.#line.splice(at, 1);
        this.#advance();
        reject(signal.reason);
      };
      const place = {
        bytes,
        pass: () => {
          signal.removeEventListener("abort", leave);
          resolve();
        },
      };
      this.#line.push(place);
      signal.addEventListener("abort", leave, { once: true });
    });
  }

  #advance(): void {
    for (let [next] = this.#line; next && this.#taken + next.bytes <= this.#capacity; [next] = this.#line) {
      this.#line.shift();
      this.#taken += next.bytes;
      next.pass();
    }
  }
}
