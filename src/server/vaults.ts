// The vaults of this server: DATA/vaults/<id>/ each, known by name or id. One that cannot be opened does not keep the others from
// being served: it stays listed, and whoever calls it is told what is wrong.

import { existsSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import { AppError, isAppError } from "../core/errors.ts";
import { checkName } from "../core/filename.ts";
import { ID_BYTES, type VaultId } from "../core/ids.ts";
import type { Logger } from "../core/log.ts";
import { diskStore } from "../storage/disk-store.ts";
import type { ObjectStore } from "../storage/object-store.ts";
import { vaultAdmin } from "../vault/admin.ts";
import { checkpointThread } from "../vault/checkpoints.ts";
import type { Database } from "../vault/database.ts";
import type { LocalVault } from "../vault/local-vault.ts";
import { createVault, openVault, readVaultRecord, type VaultContents, type VaultOptions } from "../vault/open-vault.ts";
import type { VaultAdminPort } from "../wire/v4/admin-port.ts";
import { decodeVaultRecord } from "../wire/v4/vault-record.ts";
import type { Migrations } from "./database.ts";
import { bodyGate } from "./http/body.ts";
import type { RunningCalls } from "./running-calls.ts";

export const VAULT_MIGRATIONS: Migrations = {
  part: "vaults",
  steps: [
    `CREATE TABLE vaults (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, createdAt INTEGER NOT NULL,
       isMade INTEGER NOT NULL) STRICT`,
  ],
};

export type VaultsOptions = {
  readonly folder: string;
  readonly database: Database;
  readonly running: RunningCalls;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Decorates the store of every vault (fault tests). */
  readonly wrapStore?: ((store: ObjectStore) => ObjectStore) | undefined;
};

type VaultSql = { readonly id: VaultId; readonly name: string; readonly isMade: number };

/** Beside the folder of vaults. */
const REMOVED_FOLDER = "removed-vaults";
/** How long running calls may take to end when a vault is taken away from them. */
const HAND_OVER_MS = 10_000;

export class ServedVault {
  readonly id: VaultId;
  readonly folder: string;
  name: string;
  #opened: { readonly vault: LocalVault; readonly admin: VaultAdminPort } | AppError;

  constructor(id: VaultId, name: string, folder: string, opened: LocalVault | AppError) {
    this.id = id;
    this.name = name;
    this.folder = folder;
    this.#opened = withAdmin(opened);
  }

  /** Why it cannot be used at present. */
  get problem(): AppError | undefined {
    return this.#opened instanceof AppError ? this.#opened : undefined;
  }

  /** Why it takes no backups though what it holds can be read: its disk refused the log of its index. */
  get refusal(): AppError | undefined {
    return this.#opened instanceof AppError ? undefined : this.#opened.vault.context.database.refusal;
  }

  /** Throws the vault's problem. */
  get vault(): LocalVault {
    return this.#usable().vault;
  }

  /** Throws the vault's problem. */
  get admin(): VaultAdminPort {
    return this.#usable().admin;
  }

  /** For the registry alone. */
  set(opened: LocalVault | AppError): void {
    this.#opened = withAdmin(opened);
  }

  #usable(): { readonly vault: LocalVault; readonly admin: VaultAdminPort } {
    if (this.#opened instanceof AppError) throw this.#opened;
    return this.#opened;
  }
}

export class VaultRegistry {
  readonly #options: VaultsOptions;
  readonly #byId = new Map<VaultId, ServedVault>();
  readonly #checkpoints = checkpointThread();

  private constructor(options: VaultsOptions) {
    this.#options = options;
  }

  /** Opens every vault that is there, and clears away what a crash left half made. */
  static async open(options: VaultsOptions): Promise<VaultRegistry> {
    const registry = new VaultRegistry(options);
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    await registry.#adoptStrangers();
    registry.#forgetRemoved();
    const rows = options.database.all<VaultSql>("SELECT id, name, isMade FROM vaults");
    for (const row of rows) await registry.#openAtStart(row);
    return registry;
  }

  list(): ServedVault[] {
    return [...this.#byId.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  byNameOrId(nameOrId: string): ServedVault | undefined {
    const byId = this.#byId.get(nameOrId as VaultId);
    if (byId !== undefined) return byId;
    for (const served of this.#byId.values()) if (served.name === nameOrId) return served;
    return undefined;
  }

  /**
   * Makes a vault, or answers the one that the same call made before. Errors: `vault_exists` (of that name, or that id under another
   * name), `filename_invalid`, and what createVault throws.
   */
  async create(name: string, contents: VaultContents): Promise<ServedVault> {
    requireVaultName(name);
    const { vault: id } = await decodeVaultRecord(contents.record);
    const known = this.byNameOrId(name) ?? this.#byId.get(id);
    if (known !== undefined) {
      if (known.id === id && known.name === name && (await this.#hasRecord(known, contents.record))) return known;
      throw new AppError("vault_exists", { context: { path: name } });
    }
    const { database, clock } = this.#options;
    const folder = this.#folderOf(id);
    const served = new ServedVault(id, name, folder, busy("it is being made"));
    this.#byId.set(id, served);
    try {
      // The row comes first: a crash leaves a row of a vault that was not made, which the next start clears away.
      database.run("INSERT INTO vaults (id, name, createdAt, isMade) VALUES (?, ?, ?, 0)", id, name, clock.now());
      await rm(folder, { recursive: true, force: true });
      const vault = await createVault(this.#locationOf(folder), contents, this.#vaultOptions());
      database.run("UPDATE vaults SET isMade = 1 WHERE id = ?", id);
      served.set(vault);
      return served;
    } catch (error) {
      this.#byId.delete(id);
      database.run("DELETE FROM vaults WHERE id = ?", id);
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  rename(served: ServedVault, name: string): void {
    if (served.name === name) return;
    requireVaultName(name);
    if (this.byNameOrId(name) !== undefined) throw new AppError("vault_exists", { context: { path: name } });
    this.#options.database.run("UPDATE vaults SET name = ? WHERE id = ?", name, served.id);
    served.name = name;
  }

  /** Takes the vault away from its callers, lets `work` have its folder alone, and opens it again, whatever came of it. */
  async reopen<T>(
    served: ServedVault,
    holder: string,
    work: (location: { store: ObjectStore; indexPath: string }) => Promise<T>,
  ): Promise<T> {
    const { running } = this.#options;
    const reason = busy(holder);
    const open = served.problem === undefined ? served.vault : undefined;
    served.set(reason);
    const isHere = (call: { readonly vault: VaultId | undefined }): boolean => call.vault === served.id;
    running.cut(isHere, reason);
    await running.over(isHere, HAND_OVER_MS);
    await open?.close();
    const location = this.#locationOf(served.folder);
    try {
      return await work(location);
    } finally {
      await location.store.close();
      served.set(await this.#tryOpen(served.folder));
    }
  }

  /** Closes all vaults. The registry is of no more use then. */
  async close(): Promise<void> {
    for (const served of this.#byId.values()) {
      if (served.problem === undefined) await served.vault.close();
      served.set(new AppError("server_stopping"));
    }
    await this.#checkpoints.close();
  }

  /** Only what `create` did not finish is ever cleared away: a disk that is not mounted looks like an empty folder too. */
  async #openAtStart({ id, name, isMade }: VaultSql): Promise<void> {
    const folder = this.#folderOf(id);
    if (isMade === 0 && !existsSync(join(folder, "vault"))) {
      this.#options.logger.warn("a vault that was never made whole is cleared away", { vault: id });
      await rm(folder, { recursive: true, force: true });
      this.#options.database.run("DELETE FROM vaults WHERE id = ?", id);
      return;
    }
    this.#options.database.run("UPDATE vaults SET isMade = 1 WHERE id = ?", id);
    this.#byId.set(id, new ServedVault(id, name, folder, await this.#tryOpen(folder)));
  }

  /** Folders of vaults that server.db does not know: it was lost, or they were put there by hand. */
  async #adoptStrangers(): Promise<void> {
    const { folder, database, clock, logger } = this.#options;
    const isId = new RegExp(`^[0-9a-f]{${2 * ID_BYTES.vault}}$`);
    for (const id of (await readdir(folder)).filter((name) => isId.test(name))) {
      if (!existsSync(join(folder, id, "vault"))) continue;
      const name = `vault-${id.slice(0, 8)}`;
      const sql = "INSERT OR IGNORE INTO vaults (id, name, createdAt, isMade) VALUES (?, ?, ?, 1)";
      if (database.run(sql, id, name, clock.now()).changes > 0)
        logger.warn("a vault was found and taken in", { vault: id });
    }
  }

  /**
   * Whoever has the server's machine takes a vault away by moving its folder, and may move it back (docs/server.md, Removing a vault). A
   * folder that is merely gone is a fault instead.
   */
  #forgetRemoved(): void {
    const { folder, database, logger } = this.#options;
    for (const { id } of database.all<VaultSql>("SELECT id FROM vaults")) {
      const isHere = existsSync(join(folder, id));
      if (isHere || !existsSync(join(folder, "..", REMOVED_FOLDER, id, "vault"))) continue;
      logger.warn("a vault that was moved to the removed ones is not served any more", { vault: id });
      database.run("DELETE FROM vaults WHERE id = ?", id);
    }
  }

  async #tryOpen(folder: string): Promise<LocalVault | AppError> {
    try {
      return await openVault(this.#locationOf(folder), this.#vaultOptions());
    } catch (error) {
      const problem = isAppError(error)
        ? error
        : new AppError("internal", { cause: error, context: { detail: "the vault cannot be opened." } });
      this.#options.logger.error("a vault cannot be opened", { error: problem });
      return problem;
    }
  }

  async #hasRecord(served: ServedVault, record: Uint8Array): Promise<boolean> {
    const { store } = this.#locationOf(served.folder);
    try {
      return (await readVaultRecord(store, served.name)).id === (await decodeVaultRecord(record)).id;
    } finally {
      await store.close();
    }
  }

  #folderOf(id: VaultId): string {
    return join(this.#options.folder, id);
  }

  #locationOf(folder: string): { store: ObjectStore; indexPath: string } {
    const { wrapStore = (store: ObjectStore) => store } = this.#options;
    return { store: wrapStore(diskStore(folder)), indexPath: join(folder, "index.db") };
  }

  #vaultOptions(): VaultOptions {
    const { clock, logger } = this.#options;
    return { clock, logger, takeMemory: (bytes) => bodyGate.take(bytes), checkpoints: this.#checkpoints };
  }
}

/** A plain name for an address and a page; never one that could be an id. */
function requireVaultName(name: string): void {
  const detail = checkName(name)?.detail ?? (/^[0-9a-f]{32}$/.test(name) ? "It looks like a vault's id." : undefined);
  if (detail !== undefined || name.length > 64) {
    throw new AppError("filename_invalid", { context: { name: "of the vault", detail: detail ?? "It is too long." } });
  }
}

function withAdmin(opened: LocalVault | AppError): { vault: LocalVault; admin: VaultAdminPort } | AppError {
  return opened instanceof AppError ? opened : { vault: opened, admin: vaultAdmin(opened) };
}

function busy(holder: string): AppError {
  return new AppError("vault_busy", { context: { holder } });
}
