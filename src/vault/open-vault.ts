// Makes and opens vaults. Opening finishes what a crash cut short: log entries that the index does not know are replayed, packs
// that got their name but no index row are adopted. When there is nothing to do it costs a few look-ups.

import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Bytes, fromHex, toHex } from "../core/bytes.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { AppError, isAppError } from "../core/errors.ts";
import type { VaultId } from "../core/ids.ts";
import { type Logger, silentLogger } from "../core/log.ts";
import { diskStore } from "../storage/disk-store.ts";
import type { ObjectStore } from "../storage/object-store.ts";
import type { SignedStatement } from "../wire/v4/vault-port.ts";
import { decodeVaultRecord } from "../wire/v4/vault-record.ts";
import type { Checkpoints } from "./checkpoints.ts";
import type { VaultContext } from "./context.ts";
import { Database } from "./database.ts";
import { INTENT_ADD, intentsOf } from "./intents.ts";
import { addKeyslotFile } from "./keyslot-files.ts";
import { LocalVault } from "./local-vault.ts";
import { appendStatement, ownStatement, rollForward } from "./log.ts";
import { parseKey, VAULT_KEY } from "./object-keys.ts";
import { adoptPack } from "./receive-pack.ts";
import { migrate, userVersion } from "./schema.ts";

/** A folder, or a store and the path of its index (":memory:" for none that lasts). */
export type VaultLocation = string | { readonly store: ObjectStore; readonly indexPath: string };

export type VaultOptions = {
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** How long to wait for another process's transaction (default 10 s). */
  readonly waitMs?: number;
  /** How long a session may be silent (default 10 min). */
  readonly leaseMs?: number;
  /** Skip hashing received blocks: only when this process has just sealed and hashed them (default false). */
  readonly trustBlockHashes?: boolean;
  /** Waits until so much memory may be used; answers how to give it back (default: there is enough). */
  readonly takeMemory?: (bytes: number) => Promise<() => void>;
  /** Memory for pages of the index (default: a server's share; for one run a quarter of it does as well). */
  readonly indexCacheKiB?: number;
  /** Called before each index transaction commits (fault tests). */
  readonly beforeCommit?: () => void;
  /** In place of waiting for the index's disk (schedules and power cuts in tests). */
  readonly flush?: () => Promise<void>;
  /** For a process that many wait for (default: none). */
  readonly checkpoints?: Checkpoints | undefined;
};

export type VaultContents = {
  /** The encoded vault record. */
  readonly record: Uint8Array;
  /** What the log says first, after the genesis entry: the first device, the first keyslots. */
  readonly statements: readonly SignedStatement[];
  /** The keyslot files that the statements name. */
  readonly keyslotFiles: readonly Uint8Array[];
};

const LEASE_MS = 10 * 60_000;

/** Makes a vault where nothing is yet (`vault_exists`). Its record is written last: until then there is no vault. */
export async function createVault(
  location: VaultLocation,
  contents: VaultContents,
  options: VaultOptions = {},
): Promise<LocalVault> {
  const { store, indexPath, path } = resolveLocation(location);
  const { vault: vaultId, id: record } = await decodeVaultRecord(contents.record);
  for await (const _ of store.list("")) throw new AppError("vault_exists", { context: { path } });
  if (indexPath !== ":memory:" && existsSync(indexPath)) throw new AppError("vault_exists", { context: { path } });

  for (const file of contents.keyslotFiles) await addKeyslotFile(store, file);
  const database = createIndex(indexPath, options);
  const context = newContext(store, database, vaultId, options);
  try {
    migrate(database);
    database.run("INSERT INTO meta (name, value) VALUES ('vault', ?)", fromHex(vaultId));
    await appendStatement(context, ownStatement({ type: "genesis", body: { record } }));
    for (const statement of contents.statements) await appendStatement(context, statement);
    await store.put(VAULT_KEY, contents.record);
    return new LocalVault(context);
  } catch (error) {
    database.close();
    await store.close();
    throw error;
  }
}

/** `vault_not_found`, `index_corrupt` (rebuild it), `vault_busy`, `vault_version`. */
export async function openVault(location: VaultLocation, options: VaultOptions = {}): Promise<LocalVault> {
  const { store, indexPath, path } = resolveLocation(location);
  const { vaultId } = await readVaultRecord(store, path);
  if (indexPath !== ":memory:" && !existsSync(indexPath)) {
    throw new AppError("index_corrupt", { context: { detail: "it is missing." } });
  }
  const database = openDatabase(indexPath, options);
  const context = newContext(store, database, vaultId, options);
  try {
    checkIndex(database, vaultId);
    await recover(context);
    return new LocalVault(context);
  } catch (error) {
    database.close();
    await store.close();
    throw error;
  }
}

export async function readVaultRecord(store: ObjectStore, path: string): Promise<{ vaultId: VaultId; id: string }> {
  const bytes: Bytes | undefined = await store.get(VAULT_KEY);
  if (bytes === undefined) throw new AppError("vault_not_found", { context: { path } });
  const { vault: vaultId, id } = await decodeVaultRecord(bytes);
  return { vaultId, id };
}

export function resolveLocation(location: VaultLocation): { store: ObjectStore; indexPath: string; path: string } {
  if (typeof location !== "string") return { ...location, path: location.indexPath };
  const path = resolve(location);
  return { store: diskStore(path), indexPath: join(path, "index.db"), path };
}

export function newContext(
  store: ObjectStore,
  database: Database,
  vaultId: VaultId,
  options: VaultOptions,
): VaultContext {
  return {
    vaultId,
    store,
    database,
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
    leaseMs: options.leaseMs ?? LEASE_MS,
    trustBlockHashes: options.trustBlockHashes ?? false,
    takeMemory: options.takeMemory ?? (async () => () => undefined),
    sessions: new Map(),
    preferred: undefined,
    logState: undefined,
    appending: Promise.resolve(),
  };
}

export function openDatabase(indexPath: string, options: VaultOptions): Database {
  return new Database(indexPath, {
    ...(options.waitMs === undefined ? {} : { busyTimeoutMs: options.waitMs }),
    beforeCommit: options.beforeCommit,
    flush: options.flush,
    checkpoints: options.checkpoints,
    cacheKiB: options.indexCacheKiB,
  });
}

/** A new index, which only its owner can read. */
export function createIndex(indexPath: string, options: VaultOptions): Database {
  if (indexPath !== ":memory:") {
    mkdirSync(dirname(indexPath), { recursive: true, mode: 0o700 });
    closeSync(openSync(indexPath, "wx", 0o600));
  }
  return openDatabase(indexPath, options);
}

function checkIndex(database: Database, vaultId: VaultId): void {
  if (userVersion(database) === 0) throw new AppError("index_corrupt", { context: { detail: "it is empty." } });
  migrate(database);
  const owner = database.get<{ value: Uint8Array }>("SELECT value FROM meta WHERE name = 'vault'");
  if (owner === undefined || toHex(owner.value) !== vaultId) {
    throw new AppError("index_corrupt", { context: { detail: "it belongs to another vault." } });
  }
}

async function recover(vault: VaultContext): Promise<void> {
  const entries = await rollForward(vault);
  if (entries > 0) vault.logger.info("log entries replayed after a crash", { entries });
  for (const key of intentsOf(vault.database, INTENT_ADD)) {
    const name = parseKey(key);
    if (name?.kind !== "pack") continue;
    const packId = name.id;
    try {
      if (await adoptPack(vault, packId)) vault.logger.info("a pack was adopted after a crash", { packId });
    } catch (error) {
      // A pack is whole before it has its name, so this one was damaged since. Its row was not safe, so nobody was told of it.
      if (!isAppError(error, "pack_corrupt")) throw error;
      vault.logger.warn("a pack that was never acknowledged is damaged", { packId });
    }
  }
}
