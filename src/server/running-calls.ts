// Every request that runs, so that those of a revoked device or of a vault that is taken away can be cut off, and so that a
// stopping server knows when it may go.

import { AppError } from "../core/errors.ts";
import type { DeviceId, VaultId } from "../core/ids.ts";

export type RunningCall = {
  readonly vault: VaultId | undefined;
  readonly device: DeviceId | undefined;
  /** Id of the person who calls. */
  readonly person: string | undefined;
  /** True for what never ends by itself: a stopping server does not wait for it. */
  readonly isEndless: boolean;
  /** What its caller is told. */
  cut(reason: AppError): void;
};

export class RunningCalls {
  readonly #calls = new Set<RunningCall>();
  readonly #waiting = new Set<() => void>();

  get size(): number {
    return this.#calls.size;
  }

  /** Answers how to say that it is over. */
  begin(call: RunningCall): () => void {
    this.#calls.add(call);
    return () => {
      this.#calls.delete(call);
      for (const check of this.#waiting) check();
    };
  }

  cut(which: (call: RunningCall) => boolean, reason: AppError): void {
    for (const call of [...this.#calls]) if (which(call)) call.cut(reason);
  }

  cutDevice(vault: VaultId, device: DeviceId): void {
    this.cut(
      (call) => call.vault === vault && call.device === device,
      new AppError("device_revoked", { context: { device } }),
    );
  }

  /** Ends what a person listens to, so that they have to show anew what they may. */
  cutPerson(person: string): void {
    this.cut((call) => call.person === person && call.isEndless, new AppError("token_expired"));
  }

  /** Resolves when none of these runs; false when that took longer than `timeoutMs`. */
  async over(which: (call: RunningCall) => boolean, timeoutMs: number): Promise<boolean> {
    const isOver = (): boolean => ![...this.#calls].some(which);
    if (isOver()) return true;
    return new Promise<boolean>((resolve) => {
      const finish = (answer: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve(answer);
      };
      const check = (): void => {
        if (isOver()) finish(true);
      };
      const timer = setTimeout(() => finish(isOver()), timeoutMs);
      this.#waiting.add(check);
    });
  }
}
