// The worker behind the page "Back up from this browser", and behind making vaults. It lives as long as the tab; one backup at a time.

import { systemClock, systemRandom } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import { Gate } from "../../engine/backup/gate.ts";
import { fetchTransport } from "../engine/fetch-transport.ts";
import { browserHeads } from "../engine/head-memory.ts";
import { browserPlatform } from "../engine/platform.ts";
import { type Endpoint, Peer, type Service } from "../engine/rpc.ts";
import type { BackupApi, ChosenId } from "./backup-api.ts";
import { browserName } from "./browser-name.ts";
import { type Chosen, isHandle } from "./chosen.ts";
import { openDeviceStore } from "./device-store.ts";
import { prepareVault } from "./make-vault.ts";
import { type BackupWish, runBackup } from "./run.ts";
import { measure } from "./scan.ts";

const SEAL_WORKERS = 2;

const held = new Map<ChosenId, Chosen>();
let gate: Gate | undefined;

const service: Service<BackupApi> = {
  hold: ({ id, chosen }) => {
    held.set(id, chosen);
    return null;
  },
  holdMore: ({ id, files }) => {
    const before = held.get(id);
    if (before && !isHandle(before)) held.set(id, { ...before, files: [...before.files, ...files] });
    return null;
  },
  drop: (id) => {
    held.delete(id);
    return null;
  },
  measure: (id, { signal, emit }) => measure(requireHeld(id), emit, signal),
  run: async (wish, { signal, emit }) => {
    if (gate) throw new AppError("vault_busy");
    const own = new Gate();
    gate = own;
    try {
      return await alone(wish.vault, async () => {
        const platform = await browserPlatform();
        const store = await openDeviceStore();
        const full: BackupWish = { ...wish, chosen: wish.chosen.map(requireHeld) };
        return runBackup(full, {
          ...{ store, platform, gate: own, signal, emit },
          heads: browserHeads,
          transport: fetchTransport({ origin: location.origin, credentials: "omit" }),
          startSealWorker: () => new Worker(new URL("./seal.worker.ts", import.meta.url), { type: "module" }),
          sealWorkers: Math.min(SEAL_WORKERS, navigator.hardwareConcurrency || 1),
          program: "cyberbackup page",
          about: { version: "page", os: "browser", release: browserName(), arch: "" },
        });
      });
    } finally {
      gate = undefined;
    }
  },
  pause: () => {
    gate?.close();
    return null;
  },
  resume: () => {
    gate?.open();
    return null;
  },
  prepareVault: (wish) => prepareVault(wish, { clock: systemClock, random: systemRandom }),
};

new Peer(globalThis as unknown as Endpoint, service);

/** Two tabs that back the same vault up would push each other's state out. Throws `vault_busy`. */
function alone<T>(vault: string, work: () => Promise<T>): Promise<T> {
  return navigator.locks.request(`cyberbackup backup ${vault}`, { ifAvailable: true }, (lock) => {
    if (!lock) throw new AppError("vault_busy");
    return work();
  });
}

function requireHeld(id: ChosenId): Chosen {
  const chosen = held.get(id);
  if (!chosen) throw new AppError("source_missing", { context: { path: "what was chosen" } });
  return chosen;
}
