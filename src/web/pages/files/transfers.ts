// Downloads and restores of this tab: what runs, how far it is, what came of it. They go on whatever page is shown.

import { useSyncExternalStore } from "react";
import { AppError, isAppError } from "../../../core/errors.ts";
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
  readonly result?: TransferResult;
  readonly error?: AppError;
  cancel(): void;
};

export type TransferWork = (options: {
  readonly signal: AbortSignal;
  readonly onEvent: (progress: TransferProgress) => void;
}) => Promise<TransferResult>;

/** Over which a speed is meant. */
const SPEED_MS = 4000;

let transfers: readonly Transfer[] = [];
const listeners = new Set<() => void>();
let nextId = 1;

export function useTransfers(): readonly Transfer[] {
  return useSyncExternalStore(subscribe, () => transfers);
}

export function startTransfer(kind: Transfer["kind"], title: string, work: TransferWork): void {
  const id = nextId++;
  const controller = new AbortController();
  const speed = new Speed();
  const cancel = (): void => controller.abort();
  transfers = [...transfers, { id, title, kind, startedAt: Date.now(), progress: undefined, speed: 0, cancel }];
  tell();
  const onEvent = (progress: TransferProgress): void => change(id, { progress, speed: speed.at(progress.bytes) });
  whileBusy(() => work({ signal: controller.signal, onEvent })).then(
    (result) => change(id, { result }),
    (error: unknown) => change(id, { error: asAppError(error) }),
  );
}

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
