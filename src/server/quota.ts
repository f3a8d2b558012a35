// How much vaults and devices store, and how much they may. Counted once in slices, then kept in step with what arrives, and counted
// anew after a collection: so a question costs the same in a small vault and in a huge one. Quotas refuse what is new; they never
// touch what is stored.

import { statfs } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { fromHex, toHex } from "../core/bytes.ts";
import type { Clock } from "../core/clock.ts";
import { AppError } from "../core/errors.ts";
import type { DeviceId, VaultId } from "../core/ids.ts";
import type { Database } from "../vault/database.ts";
import { BLOCK_DROPPED, SNAPSHOT_LIVE } from "../vault/schema.ts";
import type { Quota, Usage } from "../wire/v4/api/job-routes.ts";
import type { Admission, Allowance } from "./kit.ts";
import type { ServedVault } from "./vaults.ts";

/** blockNos in one query: a millisecond, and a few where the disk must be asked. */
const SLICE = 2000;
/** How long what the disk says is good for. */
const DISK_TTL_MS = 1000;
/** What even a running session leaves free, so that the index and the log can still be written. */
const LAST_BYTES = 64 * 2 ** 20;

export type QuotaOptions = {
  readonly clock: Clock;
  readonly dataFolder: string;
  readonly reserveBytes: number;
  ofVault(vault: VaultId): Quota;
  ofDevice(vault: VaultId, device: DeviceId): Quota;
  /** Bytes that are free on the data folder's disk (default: the disk is asked). */
  readonly freeBytes?: (() => Promise<number>) | undefined;
};

/** Sealed bytes that each device stores. */
type Stored = {
  /** Without what came before `from`, until `counted`. */
  readonly bytes: Map<DeviceId, number>;
  /** Blocks from this one on are added as they come. */
  readonly from: number;
  readonly counted: Promise<void>;
};

export class Quotas {
  readonly #options: QuotaOptions;
  readonly #stored = new Map<VaultId, Stored>();
  /** Bytes that are on their way. */
  readonly #arriving = new Map<VaultId, Map<DeviceId, number>>();
  #disk: { readonly at: number; readonly free: Promise<number> } | undefined;

  constructor(options: QuotaOptions) {
    this.#options = options;
  }

  /** Throws `quota_full` or `server_full`. */
  async admit(what: Admission): Promise<Allowance> {
    return what.kind === "session" ? this.#admitSession(what) : this.#admitPack(what);
  }

  /** What is stored may be less now: it is counted anew. */
  forget(vault: VaultId): void {
    this.#stored.delete(vault);
  }

  /** Of a whole vault, or of one device in it. */
  async usage(served: ServedVault, device?: DeviceId): Promise<Usage> {
    const stored = this.#storedIn(served);
    await stored.counted;
    const bytes = device === undefined ? sum(stored.bytes) : (stored.bytes.get(device) ?? 0);
    return { bytes, snapshots: countSnapshots(served.vault.context.database, device) };
  }

  quotaOf(vault: VaultId, device?: DeviceId): Quota {
    return device === undefined ? this.#options.ofVault(vault) : this.#options.ofDevice(vault, device);
  }

  /** Free on the disk. */
  freeBytes(): Promise<number> {
    const { clock, dataFolder, freeBytes = () => askDisk(dataFolder) } = this.#options;
    const now = clock.monotonic();
    if (this.#disk === undefined || now - this.#disk.at >= DISK_TTL_MS) this.#disk = { at: now, free: freeBytes() };
    return this.#disk.free;
  }

  async #admitSession({ vault: served, device }: Admission): Promise<Allowance> {
    const { reserveBytes, ofVault, ofDevice } = this.#options;
    if ((await this.freeBytes()) < reserveBytes) full(reserveBytes);
    for (const [whose, quota, of] of [
      [`the vault ${served.name}`, ofVault(served.id), undefined],
      [`the device ${device}`, ofDevice(served.id, device), device],
    ] as const) {
      if (quota.bytes === null && quota.snapshots === null) continue;
      const used = await this.usage(served, of);
      if (quota.snapshots !== null && used.snapshots >= quota.snapshots) {
        refuse(whose, `it holds ${used.snapshots} of ${quota.snapshots} snapshots`);
      }
      if (quota.bytes !== null && used.bytes >= quota.bytes) refuseBytes(whose, used.bytes, quota.bytes);
    }
    return NOTHING_HELD;
  }

  /** Sessions that run may use the reserve, but for the very last of it. */
  async #admitPack({ vault: served, device, sizeBytes = 0 }: Admission & { kind: "pack" }): Promise<Allowance> {
    const { reserveBytes } = this.#options;
    if ((await this.freeBytes()) < Math.min(reserveBytes, LAST_BYTES) + sizeBytes) full(reserveBytes);
    const stored = this.#storedIn(served);
    // Counting a large vault takes a second, for which nobody waits who has no use for it.
    if (this.#hasQuota(served, device)) await stored.counted;
    const arriving = this.#arrivingIn(served);
    const firstNew = nextBlockNo(served.vault.context.database);
    let held = 0;
    const hold = (bytes: number): void => {
      this.#requireRoom(served, device, stored.bytes, bytes);
      held += bytes;
      add(arriving, device, bytes);
    };
    hold(sizeBytes);
    let came = 0;
    return {
      take: (bytes) => {
        came += bytes;
        if (came > held) hold(came - held);
      },
      end: (blockNos) => {
        add(arriving, device, -held);
        const [blockNo] = blockNos ?? [];
        // A pack that came before has older numbers. All may be counted anew since, with this pack or without it.
        for (const count of new Set([stored, this.#stored.get(served.id)]))
          if (count && blockNo && blockNo >= firstNew && blockNo >= count.from) add(count.bytes, device, came);
        held = 0;
        came = 0;
      },
    };
  }

  #hasQuota(served: ServedVault, device: DeviceId): boolean {
    const { ofVault, ofDevice } = this.#options;
    return ofVault(served.id).bytes !== null || ofDevice(served.id, device).bytes !== null;
  }

  #requireRoom(served: ServedVault, device: DeviceId, stored: ReadonlyMap<DeviceId, number>, bytes: number): void {
    const { ofVault, ofDevice } = this.#options;
    const arriving = this.#arrivingIn(served);
    const vaultQuota = ofVault(served.id).bytes;
    const used = sum(stored) + sum(arriving);
    if (vaultQuota !== null && used + bytes > vaultQuota) refuseBytes(`the vault ${served.name}`, used, vaultQuota);
    const deviceQuota = ofDevice(served.id, device).bytes;
    const own = (stored.get(device) ?? 0) + (arriving.get(device) ?? 0);
    if (deviceQuota !== null && own + bytes > deviceQuota) refuseBytes(`the device ${device}`, own, deviceQuota);
  }

  #arrivingIn({ id }: ServedVault): Map<DeviceId, number> {
    const arriving = this.#arriving.get(id) ?? new Map<DeviceId, number>();
    this.#arriving.set(id, arriving);
    return arriving;
  }

  #storedIn(served: ServedVault): Stored {
    const known = this.#stored.get(served.id);
    if (known !== undefined) return known;
    const { database } = served.vault.context;
    const bytes = new Map<DeviceId, number>();
    const from = nextBlockNo(database);
    const stored = { bytes, from, counted: countBytes(database, from, bytes) };
    this.#stored.set(served.id, stored);
    stored.counted.catch(() => this.#stored.delete(served.id));
    return stored;
  }
}

const NOTHING_HELD: Allowance = { take: () => undefined, end: () => undefined };

/** Adds up the blocks before `last`, in slices, so that nobody waits long for it. */
async function countBytes(database: Database, last: number, stored: Map<DeviceId, number>): Promise<void> {
  for (let first = 1; first < last; first += SLICE) {
    for (const [device, bytes] of database.tuples<[Uint8Array, number]>(
      `SELECT s.deviceId, sum(b.length) FROM blocks b JOIN sessions s ON s.session = b.session
       WHERE b.blockNo >= ? AND b.blockNo < ? AND b.state <> ? GROUP BY s.deviceId`,
      first,
      Math.min(last, first + SLICE),
      BLOCK_DROPPED,
    ))
      add(stored, toHex(device) as DeviceId, bytes);
    await nextTurn();
  }
}

function add(to: Map<DeviceId, number>, device: DeviceId, bytes: number): void {
  to.set(device, (to.get(device) ?? 0) + bytes);
}

function nextBlockNo(database: Database): number {
  return Number(database.get("SELECT value FROM meta WHERE name = 'nextBlockNo'")!.value);
}

function countSnapshots(database: Database, device: DeviceId | undefined): number {
  const [sql, values] = device === undefined ? ["", []] : ["AND deviceId = ?", [fromHex(device)]];
  return Number(
    database.get(`SELECT count(*) AS count FROM snapshots WHERE state = ? ${sql}`, SNAPSHOT_LIVE, ...values)!.count,
  );
}

async function askDisk(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

function sum(bytes: ReadonlyMap<DeviceId, number>): number {
  let total = 0;
  for (const value of bytes.values()) total += value;
  return total;
}

function full(reserveBytes: number): never {
  throw new AppError("server_full", { context: { reserve: `${Math.round(reserveBytes / 2 ** 20)} MiB` } });
}

function refuseBytes(whose: string, used: number, quota: number): never {
  const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
  refuse(whose, `${mib(used)} of ${mib(quota)} MiB are in use`);
}

function refuse(what: string, detail: string): never {
  throw new AppError("quota_full", { context: { what, detail } });
}
