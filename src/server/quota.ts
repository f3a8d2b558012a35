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

/** Sealed bytes that each device stores, and what is on its way. */
type Account = { readonly stored: Map<DeviceId, number>; readonly arriving: Map<DeviceId, number> };

export class Quotas {
  readonly #options: QuotaOptions;
  readonly #accounts = new Map<VaultId, Promise<Account>>();
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
    this.#accounts.delete(vault);
  }

  /** Of a whole vault, or of one device in it. */
  async usage(served: ServedVault, device?: DeviceId): Promise<Usage> {
    const { stored } = await this.#account(served);
    const bytes = device === undefined ? sum(stored) : (stored.get(device) ?? 0);
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
    const account = await this.#account(served);
    const firstNew = nextBlockNo(served.vault.context.database);
    let held = 0;
    const hold = (bytes: number): void => {
      this.#requireRoom(served, device, account, bytes);
      held += bytes;
      account.arriving.set(device, (account.arriving.get(device) ?? 0) + bytes);
    };
    hold(sizeBytes);
    let came = 0;
    return {
      take(bytes) {
        came += bytes;
        if (came > held) hold(came - held);
      },
      end(blockNos) {
        account.arriving.set(device, (account.arriving.get(device) ?? 0) - held);
        // A pack that came before has older numbers.
        if (blockNos !== undefined && blockNos[0]! >= firstNew)
          account.stored.set(device, (account.stored.get(device) ?? 0) + came);
        held = 0;
        came = 0;
      },
    };
  }

  #requireRoom(served: ServedVault, device: DeviceId, { stored, arriving }: Account, bytes: number): void {
    const { ofVault, ofDevice } = this.#options;
    const vaultQuota = ofVault(served.id).bytes;
    const used = sum(stored) + sum(arriving);
    if (vaultQuota !== null && used + bytes > vaultQuota) refuseBytes(`the vault ${served.name}`, used, vaultQuota);
    const deviceQuota = ofDevice(served.id, device).bytes;
    const own = (stored.get(device) ?? 0) + (arriving.get(device) ?? 0);
    if (deviceQuota !== null && own + bytes > deviceQuota) refuseBytes(`the device ${device}`, own, deviceQuota);
  }

  #account(served: ServedVault): Promise<Account> {
    const known = this.#accounts.get(served.id);
    if (known !== undefined) return known;
    const account = countBytes(served.vault.context.database).then((stored) => ({ stored, arriving: new Map() }));
    this.#accounts.set(served.id, account);
    account.catch(() => this.#accounts.delete(served.id));
    return account;
  }
}

const NOTHING_HELD: Allowance = { take: () => undefined, end: () => undefined };

/** In slices of blockNos, so that nobody waits long for it. */
async function countBytes(database: Database): Promise<Map<DeviceId, number>> {
  const stored = new Map<DeviceId, number>();
  const last = nextBlockNo(database);
  for (let first = 1; first < last; first += SLICE) {
    for (const [device, bytes] of database.tuples<[Uint8Array, number]>(
      `SELECT s.deviceId, sum(b.length) FROM blocks b JOIN sessions s ON s.session = b.session
       WHERE b.blockNo >= ? AND b.blockNo < ? AND b.state <> ? GROUP BY s.deviceId`,
      first,
      Math.min(last, first + SLICE),
      BLOCK_DROPPED,
    )) {
      const id = toHex(device) as DeviceId;
      stored.set(id, (stored.get(id) ?? 0) + bytes);
    }
    await nextTurn();
  }
  return stored;
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
