// Downloads and restores of this tab: what runs, how far it is, what came of it. They go on whatever page is shown, and by themselves when a server that
// went away is back; closing the tab while one runs is asked about.

import { useSyncExternalStore } from "react";
import { AppError, isAppError } from "../../../core/errors.ts";
import { throughOutages } from "../../api/server-away.ts";
import { untilServerIsBack } from "../../api/server-back.ts";
import type { TransferProgress, TransferResult } from "../../engine/reader-api.ts";
import { whileBusy } from "../../unlock/vault-store.ts";

export type Transfer = {
  readonly id: number;
  readonly title: string;
  readonly kind: "save" | "archive" | "restore";
  readonly startedAt: number;
  readonly progress: TransferProgress | undefined;
  /** Bytes a second, over the last seconds. */
  readonly speed: number;
  readonly result?: TransferResult | undefined;
  readonly error?: AppError | undefined;
  /** The server was given up, and is waited for. */
  readonly isWaiting: boolean;
  cancel(): void;
  /** Begins anew what has failed. */
  again(): void;
};

export type TransferWork = (options: {
  readonly signal: AbortSignal;
  readonly onEvent: (progress: TransferProgress) => void;
  /** It was begun before, and has failed. */
  readonly isAgain: boolean;
}) => Promise<TransferResult>;

/** Over which a speed is meant. */
const SPEED_MS = 4000;

let transfers: readonly Transfer[] = [];
const listeners = new Set<() => void>();
let nextId = 1;
let running = 0;

export function useTransfers(): readonly Transfer[] {
  return useSyncExternalStore(subscribe, () => transfers);
}

export function startTransfer(kind: Transfer["kind"], title: string, work: TransferWork): void {
  const id = nextId++;
  const idle = { cancel: () => undefined, again: () => undefined };
  transfers = [
    ...transfers,
    { id, title, kind, startedAt: Date.now(), progress: undefined, speed: 0, isWaiting: false, ...idle },
  ];
  carryOut(id, work, false);
}

function carryOut(id: number, work: TransferWork, isAgain: boolean): void {
  const controller = new AbortController();
  change(id, {
    ...{ progress: undefined, speed: 0, result: undefined, error: undefined },
    cancel: () => controller.abort(),
    again: () => carryOut(id, work, true),
  });
  addEventListener("beforeunload", warn);
  running++;
  whileBusy(() => attempts(id, work, { signal: controller.signal, isAgain }))
    .then(
      (result) => change(id, { result }),
      (error: unknown) => change(id, { error: asAppError(error), isWaiting: false }),
    )
    .finally(() => {
      if (--running === 0) removeEventListener("beforeunload", warn);
    });
}

/** The engine has waited for a lost server by itself already, and given it up: this waits for as long as the tab is open. */
function attempts(
  id: number,
  work: TransferWork,
  { signal, isAgain }: { readonly signal: AbortSignal; readonly isAgain: boolean },
): Promise<TransferResult> {
  const attempt = (isNext: boolean): Promise<TransferResult> => {
    const speed = new Speed();
    const onEvent = (progress: TransferProgress): void => change(id, { progress, speed: speed.at(progress.bytes) });
    return work({ signal, onEvent, isAgain: isAgain || isNext });
  };
  const onWaiting = (isWaiting: boolean): void => change(id, { isWaiting, speed: 0 });
  return throughOutages(attempt, { signal, untilBack: untilServerIsBack, onWaiting });
}

/** The browser asks in words of its own. */
const warn = (event: BeforeUnloadEvent): void => event.preventDefault();

export function dismiss(id: number): void {
  transfers = transfers.filter((transfer) => transfer.id !== id);
  tell();
}

class Speed {
  #samples: { readonly at: number; readonly bytes: number }[] = [{ at: performance.now(), bytes: 0 }];

  at(bytes: number): number {
    const now = performance.now();
    this.#samples.push({ at: now, bytes });
    while (this.#samples.length > 2 && now - this.#samples[0]!.at > SPEED_MS) this.#samples.shift();
    const [first] = this.#samples;
    return now > first!.at ? ((bytes - first!.bytes) * 1000) / (now - first!.at) : 0;
  }
}

function change(id: number, changes: Partial<Transfer>): void {
  transfers = transfers.map((transfer) => (transfer.id === id ? { ...transfer, ...changes } : transfer));
  tell();
}

function asAppError(error: unknown): AppError {
  return isAppError(error) ? error : new AppError("internal", { context: { detail: String(error) } });
}

function tell(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
