// A number of places that tasks take and give back; who comes when all are taken waits in line. Whoever holds one must not wait for
// another: it asks with `takeNow`, or all could wait for each other.

import { throwIfAborted } from "../core/errors.ts";

/** Gives the place back; calling it again does nothing. */
export type GiveBack = () => void;

export class Places {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /** How many wait in line. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Undefined when there is none. */
  takeNow(): GiveBack | undefined {
    if (this.#free === 0) return undefined;
    this.#free--;
    return this.#giveBackOnce();
  }

  /** Waits for one. Throws `interrupted` when the signal fires first. */
  async take(signal: AbortSignal): Promise<GiveBack> {
    throwIfAborted(signal);
    const now = this.takeNow();
    if (now) return now;
    await new Promise<void>((resolve, reject) => {
      const turn = (): void => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.delete(turn);
        try {
          throwIfAborted(signal);
        } catch (error) {
          reject(error as Error);
        }
      };
      this.#waiting.add(turn);
      signal.addEventListener("abort", leave, { once: true });
    });
    return this.#giveBackOnce();
  }

  #giveBackOnce(): GiveBack {
    let isMine = true;
    return () => {
      if (!isMine) return;
      isMine = false;
      const [next] = this.#waiting;
      if (!next) {
        this.#free++;
        return;
      }
      this.#waiting.delete(next);
      next();
    };
  }
}
