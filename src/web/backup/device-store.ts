// What this browser keeps as a device, in IndexedDB of the page's origin: its identities, what it was asked to back up, and what became
// of it. Keys that WebCrypto can use without showing them are kept in that form; the chunker's cannot (docs/web.md, A browser as a
// device). Nothing here leaves the browser.

import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Bytes } from "../../core/bytes.ts";
import type { DeviceId, SessionId, SnapshotId, VaultId } from "../../core/ids.ts";
import type { RunTotals } from "../../engine/backup/types.ts";
import type { ChosenHandle } from "./chosen.ts";

/** This browser as a device of one vault. */
export type BrowserDevice = {
  readonly vault: VaultId;
  readonly vaultName: string;
  readonly device: DeviceId;
  readonly name: string;
  /** Ed25519; the private half is not extractable. */
  readonly signingKey: CryptoKeyPair;
  readonly chunkIdKey: CryptoKey;
  readonly metaKey: CryptoKey;
  readonly chunkerKey: Bytes;
  readonly recipient: string;
  readonly enrolledAt: number;
};

/** What is backed up again and again under one name. */
export type BackupJob = {
  readonly vault: VaultId;
  readonly plan: string;
  /** Folders and files that the browser lets us keep; those that were only dropped or picked once are not among them. */
  readonly kept: readonly ChosenHandle[];
  /** Names of all that was chosen. */
  readonly names: readonly string[];
  readonly level: number;
  /** Name of the file with the last run's tree in the origin's private file system. */
  readonly stateFile?: string | undefined;
  readonly totals?: RunTotals | undefined;
  /** A run that has not ended: after a reload it is taken up again. */
  readonly open?: { readonly session: SessionId | undefined; readonly startedAt: number } | undefined;
};

export type PastRun = {
  readonly vault: VaultId;
  readonly plan: string;
  readonly startedAt: number;
  readonly durationMs: number;
  readonly outcome: "done" | "failed" | "cancelled";
  readonly errorCode?: string | undefined;
  readonly snapshot?: SnapshotId | undefined;
  readonly files: number;
  readonly bytes: number;
  readonly newBytes: number;
  readonly addedBytes: number;
  readonly problems: number;
};

interface Schema extends DBSchema {
  devices: { key: string; value: BrowserDevice };
  /** Keys of enrolments under way, by the invitation: the same code gives the same device again. */
  enrolling: { key: string; value: CryptoKeyPair };
  jobs: { key: [string, string]; value: BackupJob };
  runs: { key: number; value: PastRun };
}

const NAME = "cyberbackup-device";
const VERSION = 1;
const KEPT_RUNS = 200;

export type DeviceStore = Awaited<ReturnType<typeof openDeviceStore>>;

export async function openDeviceStore(name: string = NAME) {
  const db = await openDB<Schema>(name, VERSION, {
    upgrade(fresh) {
      fresh.createObjectStore("devices", { keyPath: "vault" });
      fresh.createObjectStore("enrolling");
      fresh.createObjectStore("jobs", { keyPath: ["vault", "plan"] });
      fresh.createObjectStore("runs", { autoIncrement: true });
    },
  });
  return {
    devices: () => db.getAll("devices"),
    device: (vault: VaultId) => db.get("devices", vault),
    saveDevice: async (device: BrowserDevice) => void (await db.put("devices", device)),
    /** Everything of one vault. The device stays in the vault's log until it is revoked. */
    forget: (vault: VaultId) => forget(db, vault),

    /** The key pair of this enrolment; made when there is none yet. */
    async enrolmentKey(id: string, make: () => Promise<CryptoKeyPair>): Promise<CryptoKeyPair> {
      const known = await db.get("enrolling", id);
      if (known) return known;
      const made = await make();
      await db.put("enrolling", made, id);
      return made;
    },
    endEnrolment: (id: string) => db.delete("enrolling", id),

    jobs: () => db.getAll("jobs"),
    job: (vault: VaultId, plan: string) => db.get("jobs", [vault, plan]),
    saveJob: async (job: BackupJob) => void (await db.put("jobs", job)),
    async changeJob(vault: VaultId, plan: string, change: (job: BackupJob) => BackupJob): Promise<void> {
      const transaction = db.transaction("jobs", "readwrite");
      const job = await transaction.store.get([vault, plan]);
      if (job) await transaction.store.put(change(job));
      await transaction.done;
    },

    async pastRuns(): Promise<PastRun[]> {
      return (await db.getAll("runs")).reverse();
    },
    async addRun(run: PastRun): Promise<void> {
      const transaction = db.transaction("runs", "readwrite");
      await transaction.store.add(run);
      const keys = await transaction.store.getAllKeys();
      for (const key of keys.slice(0, Math.max(0, keys.length - KEPT_RUNS))) await transaction.store.delete(key);
      await transaction.done;
    },
    close: () => db.close(),
  };
}

async function forget(db: IDBPDatabase<Schema>, vault: VaultId): Promise<readonly string[]> {
  const transaction = db.transaction(["devices", "jobs", "runs"], "readwrite");
  await transaction.objectStore("devices").delete(vault);
  const states: string[] = [];
  for await (const cursor of transaction.objectStore("jobs")) {
    if (cursor.value.vault !== vault) continue;
    if (cursor.value.stateFile !== undefined) states.push(cursor.value.stateFile);
    await cursor.delete();
  }
  for await (const cursor of transaction.objectStore("runs")) {
    if (cursor.value.vault === vault) await cursor.delete();
  }
  await transaction.done;
  return states;
}
