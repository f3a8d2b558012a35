// Makes the index anew from the object store alone (format.md, invariant 5): the log gives devices, keyslots and snapshots, the packs
// give blocks and chunks. The new index is built beside the old one and takes its place in one step: as one transaction when
// the old one still works (other processes may have it open), else as a file. See docs/vault.md, [Note: rebuild].

import { createHash } from "node:crypto";
import { existsSync, renameSync, rmSync } from "node:fs";
import { equalBytes, fromHex, toHex } from "../core/bytes.ts";
import { AppError, isAppError, throwIfAborted } from "../core/errors.ts";
import type { PackId, SnapshotId } from "../core/ids.ts";
import type { Problem, RebuildReport } from "../wire/v4/admin-port.ts";
import { decodeRefs } from "../wire/v4/refs.ts";
import { insertBlock, insertChunks, insertPackRow, type PackContents } from "./block-index.ts";
import type { VaultContext } from "./context.ts";
import type { Database } from "./database.ts";
import { withLock } from "./locks.ts";
import { rollForward } from "./log.ts";
import { ensureSession } from "./log-index.ts";
import { packKey, parseKey, snapshotKey } from "./object-keys.ts";
import {
  createIndex,
  newContext,
  openDatabase,
  readVaultRecord,
  resolveLocation,
  type VaultLocation,
  type VaultOptions,
} from "./open-vault.ts";
import { readPackFile } from "./pack-file.ts";
import { BLOCK_QUARANTINED, migrate, SCHEMA_VERSION, SNAPSHOT_PURGED, STATE_IS, userVersion } from "./schema.ts";

export type RebuildOptions = VaultOptions & {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly donePacks: number }) => void;
};

/**
 * `vault_busy` while a session or a collection is at work; `log_corrupt` when the log cannot be replayed. Its store is closed in the end, as
 * a vault's is.
 */
export async function rebuildIndex(location: VaultLocation, options: RebuildOptions = {}): Promise<RebuildReport> {
  const resolved = resolveLocation(location);
  try {
    return await rebuildFrom(resolved, options);
  } finally {
    await resolved.store.close();
  }
}

async function rebuildFrom(
  { store, indexPath, path }: ReturnType<typeof resolveLocation>,
  options: RebuildOptions,
): Promise<RebuildReport> {
  const { vaultId } = await readVaultRecord(store, path);
  const build = async (old: Database | undefined): Promise<RebuildReport> => {
    const freshPath = `${indexPath}.new`;
    removeIndex(freshPath);
    const fresh = createIndex(freshPath, {});
    try {
      const vault = newContext(store, fresh, vaultId, options);
      const report = await fill(vault, old, options);
      fresh.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      fresh.close();
      if (old === undefined) replaceFile(freshPath, indexPath);
      else copyInto(old, freshPath);
      return report;
    } finally {
      fresh.close();
      removeIndex(freshPath);
    }
  };

  const old = openUsable(indexPath, options);
  if (old === undefined) return build(undefined);
  try {
    const clock = newContext(store, old, vaultId, options).clock;
    return await withLock(old, clock, "gc", () =>
      withLock(old, clock, "rebuild", () => {
        requireQuiet(old, clock.now());
        return build(old);
      }),
    );
  } finally {
    old.close();
  }
}

/** The index as it is, if it is one at all. */
function openUsable(indexPath: string, options: VaultOptions): Database | undefined {
  if (!existsSync(indexPath)) return undefined;
  let database: Database | undefined;
  try {
    database = openDatabase(indexPath, options);
    const isSound = Object.values(database.get("PRAGMA quick_check(1)")!)[0] === "ok";
    if (isSound && userVersion(database) === SCHEMA_VERSION) return database;
  } catch (error) {
    if (!isAppError(error, "index_corrupt") && (error as { errcode?: number }).errcode === undefined) throw error;
  }
  database?.close();
  return undefined;
}

function requireQuiet(database: Database, now: number): void {
  if (database.get("SELECT 1 FROM leases WHERE expiresAt >= ?", now) === undefined) return;
  throw new AppError("vault_busy", { context: { holder: "a backup is running" } });
}

async function fill(
  vault: VaultContext,
  old: Database | undefined,
  { signal, onProgress }: RebuildOptions,
): Promise<RebuildReport> {
  const { database } = vault;
  migrate(database);
  database.run("INSERT INTO meta (name, value) VALUES ('vault', ?)", fromHex(vault.vaultId));
  const logEntries = await rollForward(vault);
  if (logEntries === 0) throw new AppError("log_corrupt", { context: { seq: 1, detail: "it is missing" } });

  const problems: Problem[] = [];
  let packs = 0;
  for (const packId of await packsNewestFirst(vault, problems)) {
    throwIfAborted(signal);
    const contents = await readPackFile(vault.store, vault.vaultId, packId);
    if (contents !== undefined && indexPack(vault, contents, problems)) packs++;
    onProgress?.({ donePacks: packs });
  }
  for (const [id] of database.tuples<[Uint8Array]>(
    "SELECT snapshotId FROM snapshots WHERE refs IS NULL AND state <> ?",
    SNAPSHOT_PURGED,
  )) {
    const object = snapshotKey(toHex(id) as SnapshotId);
    problems.push({ object, code: "record_corrupt", detail: "It is missing or damaged." });
  }
  setNextBlockNo(database, old);
  if (old !== undefined) carryQuarantine(database, old);
  await verifyDoubles(vault);
  const blocks = Number(database.get("SELECT count(*) AS count FROM blocks")!.count);
  return { packs, blocks, logEntries, problems };
}

/** Newest first, so that of a block which a crash left in two packs the compacted copy is taken. */
async function packsNewestFirst(vault: VaultContext, problems: Problem[]): Promise<PackId[]> {
  const found: { packId: PackId; receivedAt: number }[] = [];
  for await (const { key } of vault.store.list("packs/")) {
    const name = parseKey(key);
    if (name?.kind !== "pack") continue;
    try {
      const contents = await readPackFile(vault.store, vault.vaultId, name.id);
      if (contents !== undefined) found.push({ packId: name.id, receivedAt: contents.receivedAt });
    } catch (error) {
      if (!isAppError(error) || error.code === "io" || error.code === "disk_full") throw error;
      problems.push({ object: key, code: error.code, detail: error.message });
    }
  }
  found.sort((a, b) => b.receivedAt - a.receivedAt || (a.packId < b.packId ? -1 : 1));
  return found.map(({ packId }) => packId);
}

/** False when newer packs hold all of it: then it stays without a row, and garbage collection removes it. */
function indexPack(vault: VaultContext, contents: PackContents, problems: Problem[]): boolean {
  const { database } = vault;
  return database.transaction(() => {
    const kept = contents.blockNos.flatMap((blockNo, i) => {
      const row = database.get<{ blockId: Uint8Array }>("SELECT blockId FROM blocks WHERE blockNo = ?", blockNo);
      if (row !== undefined && !equalBytes(row.blockId, contents.entries[i]!.blockId)) {
        const detail = `Two packs have different blocks of number ${blockNo}.`;
        problems.push({ object: packKey(contents.packId), code: "pack_corrupt", detail });
      }
      return row === undefined ? [i] : [];
    });
    if (kept.length === 0) return false;
    const pack = insertPackRow(database, contents);
    const sessions = contents.sessions.map(({ session, device, sealedKey }) =>
      ensureSession(database, fromHex(session), fromHex(device), sealedKey),
    );
    for (const i of kept) {
      const entry = contents.entries[i]!;
      insertBlock(database, pack, entry, contents.blockNos[i]!, sessions[entry.sessionIndex]!, contents.receivedAt);
    }
    insertChunks(
      database,
      kept.map((i) => contents.entries[i]!),
      kept.map((i) => contents.blockNos[i]!),
    );
    return true;
  });
}

/** Above every number that anything names, so that no snapshot's lost block comes back as another one. */
function setNextBlockNo(database: Database, old: Database | undefined): void {
  let next = Number(database.get("SELECT coalesce(max(blockNo), 0) + 1 AS next FROM blocks")!.next);
  for (const [refs] of database.tuples<[Uint8Array]>("SELECT refs FROM snapshots WHERE refs IS NOT NULL")) {
    next = Math.max(next, (decodeRefs(refs).at(-1) ?? 0) + 1);
  }
  const before = old?.get("SELECT value FROM meta WHERE name = 'nextBlockNo'")?.value;
  if (typeof before === "number") next = Math.max(next, before);
  database.transaction(() => database.run("UPDATE meta SET value = ? WHERE name = 'nextBlockNo'", next));
}

/** A block stays quarantined for good: the old index knows, if there is one. */
function carryQuarantine(database: Database, old: Database): void {
  const sql = "UPDATE blocks SET state = ? WHERE blockNo = ? AND blockId = ?";
  database.transaction(() => {
    for (const [blockNo, blockId] of old.tuples<[number, Uint8Array]>(
      `SELECT blockNo, blockId FROM blocks WHERE ${STATE_IS}`,
      BLOCK_QUARANTINED,
    )) {
      database.run(sql, BLOCK_QUARANTINED, blockNo, blockId);
    }
  });
}

/**
 * A chunk that lies in two blocks may have been sent again because the older one was quarantined. Nothing in the store says so,
 * but reading those blocks does.
 */
async function verifyDoubles(vault: VaultContext): Promise<void> {
  const { database, store } = vault;
  const blocks = database.tuples<[number, number, number, Uint8Array, Uint8Array]>(
    `SELECT b.blockNo, b.offset, b.length, b.blockId, p.packId FROM blocks b JOIN packs p ON p.pack = b.pack
     WHERE b.state = 0 AND b.blockNo IN (SELECT c.blockNo FROM chunks c WHERE c.chunkId IN
       (SELECT chunkId FROM chunks GROUP BY chunkId HAVING count(*) > 1))`,
  );
  for (const [blockNo, offset, length, blockId, packId] of blocks) {
    const sealed = await store.getRange(packKey(toHex(packId) as PackId), offset, length);
    if (sealed !== undefined && equalBytes(createHash("sha256").update(sealed).digest(), blockId)) continue;
    database.transaction(() =>
      database.run("UPDATE blocks SET state = ? WHERE blockNo = ?", BLOCK_QUARANTINED, blockNo),
    );
  }
}

const TABLES = ["sessions", "packs", "blocks", "chunks", "log", "devices", "keyslots", "snapshots"] as const;

/** Everything but the locks, in one transaction of the index that is in use. Sessions, leases and intents are over. */
function copyInto(old: Database, freshPath: string): void {
  old.run("ATTACH DATABASE ? AS fresh", freshPath);
  try {
    old.transaction(() => {
      // Sessions that brought nothing that is left keep their rows: they must never be opened again.
      old.exec("CREATE TEMP TABLE spent AS SELECT sessionId, deviceId FROM main.sessions");
      for (const table of TABLES) {
        old.exec(`DELETE FROM main.${table}; INSERT INTO main.${table} SELECT * FROM fresh.${table}`);
      }
      old.exec(`INSERT OR IGNORE INTO main.sessions (sessionId, deviceId) SELECT sessionId, deviceId FROM spent;
        DROP TABLE spent; DELETE FROM main.meta; INSERT INTO main.meta SELECT * FROM fresh.meta;
        DELETE FROM main.leases; DELETE FROM main.session_refs; DELETE FROM main.session_packs;
        DELETE FROM main.intents`);
    });
  } finally {
    old.exec("DETACH DATABASE fresh");
  }
}

function replaceFile(freshPath: string, indexPath: string): void {
  removeIndex(indexPath);
  renameSync(freshPath, indexPath);
}

function removeIndex(indexPath: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(indexPath + suffix, { force: true });
}
