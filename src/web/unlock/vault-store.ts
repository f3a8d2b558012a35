// The vault that is open in this tab, whichever page is shown: its worker, what is known of its snapshots, and what runs in it. It locks by
// itself when nobody uses it, when the tab is hidden if that is asked for, and when the sign-in ends; what runs is waited for.

import { useSyncExternalStore } from "react";
import { AppError, isAppError } from "../../core/errors.ts";
import type { VaultId } from "../../core/ids.ts";
import type { KeyslotRow } from "../../wire/v4/vault-port.ts";
import { onLeaving } from "../api/session.ts";
import type { LogProblem, SnapshotView, Unlocking, UnlockStep } from "../engine/reader-api.ts";
import type { ReaderClient } from "../engine/reader-client.ts";

export type LogState =
  | { readonly is: "checking" | "good" }
  | { readonly is: "bad"; readonly problems: readonly LogProblem[] }
  | { readonly is: "failed"; readonly error: AppError };

export type OpenVault = {
  readonly id: VaultId;
  readonly name: string;
  readonly client: ReaderClient;
  readonly keyslots: readonly KeyslotRow[];
  /** Newest first. */
  readonly snapshots: readonly SnapshotView[];
  readonly areSnapshotsKnown: boolean;
  readonly log: LogState;
};

export type LockSettings = {
  /** 0: never. */
  readonly idleMinutes: number;
  readonly whenHidden: boolean;
};

export type VaultState = {
  readonly open: OpenVault | undefined;
  /** Why it is locked, if it was open before. */
  readonly wasLocked: "idle" | "hidden" | undefined;
  readonly lock: LockSettings;
};

const SETTINGS_KEY = "cyberbackup-lock";
export const IDLE_CHOICES = [5, 15, 60, 0] as const;
const DEFAULT_LOCK: LockSettings = { idleMinutes: 15, whenHidden: false };
const LOOK_EVERY_MS = 5000;

let state: VaultState = { open: undefined, wasLocked: undefined, lock: readSettings() };
const listeners = new Set<() => void>();
let lastUseAt = Date.now();
/** Transfers and the like: as long as one runs, nothing is locked by itself. */
let running = 0;

export function useVault(): VaultState {
  return useSyncExternalStore(subscribe, () => state);
}

/** This vault, if it is the one that is open in this tab. */
export function useOpenVault(vault: string): OpenVault | undefined {
  const { open } = useVault();
  return open?.id === vault ? open : undefined;
}

/** A worker with the vault opened but locked: what an unlocking goes on with. */
export type Locked = { readonly client: ReaderClient; readonly id: VaultId; readonly keyslots: readonly KeyslotRow[] };

/** Throws what reaching the vault throws. */
export async function openLocked(vault: string): Promise<Locked> {
  // Pages that only tell that something is sealed need none of it.
  const { ReaderClient: Client } = await import("../engine/reader-client.ts");
  const client = new Client();
  try {
    const { vault: id, keyslots } = await client.open(vault);
    return { client, id, keyslots };
  } catch (error) {
    client.close();
    throw error;
  }
}

/** Throws `passphrase_wrong`, `passkey_refused`, `rollback`, … */
export async function unlockVault(
  { client, id, keyslots }: Locked,
  name: string,
  how: Unlocking,
  onStep: (step: UnlockStep) => void,
): Promise<void> {
  await client.call("unlock", how, { onEvent: onStep });
  lastUseAt = Date.now();
  // One vault at a time: keys of another do not stay behind.
  state.open?.client.close(new AppError("interrupted"));
  const open: OpenVault = {
    ...{ id, name, client, keyslots },
    snapshots: [],
    areSnapshotsKnown: false,
    log: { is: "checking" },
  };
  change({ open, wasLocked: undefined });
  void loadSnapshots(client).then(
    () => checkLog(client),
    (error: unknown) => changeOpen(client, { log: { is: "failed", error: asAppError(error) } }),
  );
}

export function lockVault(why?: "idle" | "hidden"): void {
  state.open?.client.close(new AppError("interrupted"));
  change({ open: undefined, wasLocked: why });
}

/** Asks again for what there is: a backup has ended, say. */
export async function loadSnapshots(client: ReaderClient): Promise<void> {
  const merge = (views: readonly SnapshotView[]): void => {
    const known = new Map(state.open?.snapshots.map((view) => [view.id, view]));
    for (const view of views) known.set(view.id, view.info || view.problem ? view : (known.get(view.id) ?? view));
    const snapshots = [...known.values()].sort((a, b) => b.receivedAt - a.receivedAt);
    changeOpen(client, { snapshots });
  };
  const all = await client.call("snapshots", null, { onEvent: merge });
  changeOpen(client, { snapshots: all, areSnapshotsKnown: true });
}

export function setLockSettings(lock: LockSettings): void {
  try {
    localStorage.setItem(SETTINGS_KEY, JSON.stringify(lock));
  } catch {
    // A browser that keeps nothing keeps no settings.
  }
  change({ lock });
}

/** Runs `work`, during which the vault does not lock by itself. */
export async function whileBusy<T>(work: () => Promise<T>): Promise<T> {
  running++;
  try {
    return await work();
  } finally {
    running--;
    lastUseAt = Date.now();
  }
}

async function checkLog(client: ReaderClient): Promise<void> {
  try {
    const problems = await client.call("checkLog", null);
    changeOpen(client, { log: problems.length === 0 ? { is: "good" } : { is: "bad", problems } });
  } catch (error) {
    if (isAppError(error, "interrupted")) return;
    changeOpen(client, { log: { is: "failed", error: asAppError(error) } });
  }
}

function asAppError(error: unknown): AppError {
  return isAppError(error) ? error : new AppError("internal", { context: { detail: String(error) } });
}

function changeOpen(client: ReaderClient, changes: Partial<OpenVault>): void {
  // It may have been locked meanwhile.
  if (state.open?.client === client) change({ open: { ...state.open, ...changes } });
}

function change(changes: Partial<VaultState>): void {
  state = { ...state, ...changes };
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function readSettings(): LockSettings {
  try {
    const { idleMinutes, whenHidden } = JSON.parse(localStorage.getItem(SETTINGS_KEY) ?? "{}") as Partial<LockSettings>;
    const isChoice = IDLE_CHOICES.some((choice) => choice === idleMinutes);
    return {
      idleMinutes: isChoice ? idleMinutes! : DEFAULT_LOCK.idleMinutes,
      whenHidden: whenHidden === true,
    };
  } catch {
    return DEFAULT_LOCK;
  }
}

for (const name of ["pointerdown", "keydown", "wheel", "touchstart"]) {
  addEventListener(
    name,
    () => {
      lastUseAt = Date.now();
    },
    { capture: true, passive: true },
  );
}
document.addEventListener("visibilitychange", () => {
  if (document.hidden && state.lock.whenHidden && state.open && running === 0) lockVault("hidden");
});
setInterval(() => {
  const { idleMinutes } = state.lock;
  if (!state.open || idleMinutes === 0 || running > 0) return;
  if (Date.now() - lastUseAt > idleMinutes * 60_000) lockVault("idle");
}, LOOK_EVERY_MS);
onLeaving(() => lockVault());
