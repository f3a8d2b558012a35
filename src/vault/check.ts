// The structural check that needs no key: every object is accounted for and none is too many, names are hashes of contents, the log
// is one chain of entries that fit and are signed, snapshots rest on blocks that exist, and the index says what the store says.
// With `readData` every byte of every object is read. It changes nothing, and names what is wrong instead of throwing. Backups and
// collections may go on meanwhile: what somebody adds or removes during the check is no problem.

import type { Bytes } from "../core/bytes.ts";
import { toHex } from "../core/bytes.ts";
import { isAppError, throwIfAborted } from "../core/errors.ts";
import type { KeyslotId, PackId, SnapshotId } from "../core/ids.ts";
import type { CheckOptions, CheckReport, Problem } from "../wire/v4/admin-port.ts";
import { decodeLogEntry } from "../wire/v4/log-entry.ts";
import { applyLogEntry, emptyLogState, type LogState } from "../wire/v4/log-state.ts";
import { decodeVaultRecord } from "../wire/v4/vault-record.ts";
import { checkChunkCount, checkIndexedLog, checkIndexTotals, indexStamp } from "./check-index.ts";
import { checkPack } from "./check-pack.ts";
import { checkSnapshot } from "./check-snapshot.ts";
import type { VaultContext } from "./context.ts";
import { hasIntent } from "./intents.ts";
import { keyslotHash } from "./keyslot-files.ts";
import { currentState, rollForward, verifyEntry } from "./log.ts";
import { readHead } from "./log-index.ts";
import { keyslotKey, logKey, packKey, parseKey, snapshotKey, VAULT_KEY } from "./object-keys.ts";

export type Report = (object: string, code: Problem["code"], detail: string) => void;

export async function checkVault(vault: VaultContext, options: CheckOptions = {}): Promise<CheckReport> {
  const problems: Problem[] = [];
  const report: Report = (object, code, detail) => problems.push({ object, code, detail });
  await guarded(report, "index", async () => void (await rollForward(vault)));

  const state = emptyLogState();
  await checkLog(vault, state, report, options.signal);
  const before = indexStamp(vault.database);
  await checkKeyslots(vault, state, report);
  for (const { id, state: at } of [...state.snapshots.values()]) {
    if (at === "purged") continue;
    throwIfAborted(options.signal);
    const isThere = () => currentState(vault).snapshots.get(id)?.state !== "purged";
    await checkWhile(isThere, report, snapshotKey(id), (found) => checkSnapshot(vault, state, id, found));
  }
  const { blocks, bytesRead, chunkRows } = await checkPacks(vault, state, report, options);
  const isLogGood = !problems.some(({ object }) => object.startsWith("log/"));
  if (isLogGood) await followLog(vault, state, report);
  await guarded(report, "index", async () => {
    checkIndexedLog(vault.database, state, report);
    checkIndexTotals(vault.database, report);
    const isSame = before === indexStamp(vault.database);
    if (isSame && !hasDamagedPack(problems)) checkChunkCount(vault.database, chunkRows, report);
  });
  const objects = await checkNames(vault, report);
  return { objects, blocks, bytesRead, problems };
}

/** What a damaged pack should have in the index cannot be told. */
function hasDamagedPack(problems: readonly Problem[]): boolean {
  return problems.some(({ code }) => code === "pack_corrupt");
}

/** Replays the log from its first entry; what follows a damaged one cannot be judged. */
async function checkLog(
  vault: VaultContext,
  state: LogState,
  report: Report,
  signal: AbortSignal | undefined,
): Promise<void> {
  const last = await lastLogNumber(vault);
  for (let seq = 1; seq <= last; seq++) {
    throwIfAborted(signal);
    if (!(await replayEntry(vault, state, seq, report))) break;
  }
  await guarded(report, VAULT_KEY, async () => {
    const bytes: Bytes | undefined = await vault.store.get(VAULT_KEY);
    if (bytes === undefined) return report(VAULT_KEY, "vault_not_found", "It is missing.");
    const { id, vault: vaultId } = await decodeVaultRecord(bytes);
    if (vaultId !== vault.vaultId) report(VAULT_KEY, "vault_mismatch", "It names another vault.");
    if (state.record !== undefined && id !== state.record)
      report(VAULT_KEY, "record_corrupt", "The log names another record.");
  });
}

/** Replays what was appended since, until the index knows no more than `state` at one moment. */
async function followLog(vault: VaultContext, state: LogState, report: Report): Promise<void> {
  while (readHead(vault.database).seq > state.seq && (await vault.store.size(logKey(state.seq + 1))) !== undefined) {
    if (!(await replayEntry(vault, state, state.seq + 1, report))) return;
  }
}

async function replayEntry(vault: VaultContext, state: LogState, seq: number, report: Report): Promise<boolean> {
  const isGood = await guarded(report, logKey(seq), async () => {
    const bytes = await vault.store.get(logKey(seq));
    if (bytes === undefined) return report(logKey(seq), "log_corrupt", "It is missing.");
    const entry = await decodeLogEntry(bytes);
    await verifyEntry(vault, state, entry);
    applyLogEntry(state, entry);
  });
  return isGood && state.seq === seq;
}

async function lastLogNumber(vault: VaultContext): Promise<number> {
  let last = 0;
  for await (const { key } of vault.store.list("log/")) {
    const name = parseKey(key);
    if (name?.kind === "log") last = Math.max(last, name.seq);
  }
  return last;
}

async function checkKeyslots(vault: VaultContext, state: LogState, report: Report): Promise<void> {
  for (const { id, hash } of state.keyslots.values()) {
    const key = keyslotKey(id);
    const isThere = () => currentState(vault).keyslots.has(id);
    await checkWhile(isThere, report, key, async (found) => {
      const bytes = await vault.store.get(key);
      if (bytes === undefined) found(key, "record_corrupt", "It is missing.");
      else if (keyslotHash(bytes) !== hash) found(key, "record_corrupt", "Its bytes do not fit the hash in the log.");
    });
  }
}

async function checkPacks(
  vault: VaultContext,
  state: LogState,
  report: Report,
  { readData = false, signal, onProgress }: CheckOptions,
): Promise<{ blocks: number; bytesRead: number; chunkRows: number }> {
  const packs = vault.database.tuples<[Uint8Array, number]>("SELECT packId, sizeBytes FROM packs ORDER BY pack");
  const totalBytes = packs.reduce((sum, [, sizeBytes]) => sum + sizeBytes, 0);
  let blocks = 0;
  let chunkRows = 0;
  let doneBytes = 0;
  for (const [id, sizeBytes] of packs) {
    throwIfAborted(signal);
    const packId = toHex(id) as PackId;
    const isThere = () => vault.database.get("SELECT 1 FROM packs WHERE packId = ?", id) !== undefined;
    await checkWhile(isThere, report, packKey(packId), async (found) => {
      const counts = await checkPack(vault, state, packId, readData, found);
      blocks += counts.blocks;
      chunkRows += counts.chunkRows;
    });
    doneBytes += sizeBytes;
    onProgress?.({ doneBytes, totalBytes });
  }
  return { blocks, chunkRows, bytesRead: readData ? doneBytes : 0 };
}

/** Objects that nothing refers to; those that are just being added or removed are no problem. */
async function checkNames(vault: VaultContext, report: Report): Promise<number> {
  let objects = 0;
  for await (const { key } of vault.store.list("")) {
    objects++;
    if (!isExpected(vault, key)) report(key, "unexpected", "Nothing refers to it.");
  }
  return objects;
}

function isExpected(vault: VaultContext, key: string): boolean {
  const state = currentState(vault);
  const name = parseKey(key);
  switch (name?.kind) {
    case "vault":
      return true;
    case "log":
      // Behind a damaged entry nothing can be judged: that one is named.
      return true;
    case "keyslot":
      return state.keyslots.has(name.id as KeyslotId) || hasIntent(vault.database, key);
    case "snapshot": {
      // The record of a purged one is about to go, or goes with the next collection: the log explains it.
      return state.snapshots.has(name.id as SnapshotId) || isBeingCommitted(vault);
    }
    case "pack":
      return (
        hasIntent(vault.database, key) ||
        vault.database.get("SELECT 1 FROM packs WHERE packId = unhex(?)", name.id) !== undefined
      );
    default:
      return false;
  }
}

function isBeingCommitted(vault: VaultContext): boolean {
  return vault.database.get("SELECT 1 FROM leases WHERE commitRefs IS NOT NULL") !== undefined;
}

/** Checks one object; what was found counts only if the vault still has it afterwards. */
async function checkWhile(
  isThere: () => boolean,
  report: Report,
  object: string,
  work: (report: Report) => Promise<void>,
): Promise<void> {
  const found: Parameters<Report>[] = [];
  const note: Report = (...problem) => {
    found.push(problem);
  };
  await guarded(note, object, () => work(note));
  if (found.length > 0 && isThere()) for (const problem of found) report(...problem);
}

/** Runs one check; an AppError of it becomes a problem of `object`. True when there was none. */
async function guarded(report: Report, object: string, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!isAppError(error) || error.code === "interrupted") throw error;
    report(object, error.code, error.message);
    return false;
  }
}
