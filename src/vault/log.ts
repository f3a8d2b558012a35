// The vault log in the store. An entry is written to the store under its number, which only one process can do, before the
// index shows it (format.md, invariant 6). Whoever finds the number taken reads that entry first and tries the next.
// See docs/vault.md, [Note: the log without a lock].

import { equalBytes, fromHex } from "../core/bytes.ts";
import { AppError, isAppError } from "../core/errors.ts";
import { verifySignature } from "../crypto/signature.ts";
import {
  decodeLogEntry,
  decodeLogEvent,
  encodeLogBody,
  encodeLogEntry,
  type LogEntry,
  logStatement,
} from "../wire/v4/log-entry.ts";
import { applyLogEntry, type LogState } from "../wire/v4/log-state.ts";
import { decodeSnapshotRecord } from "../wire/v4/snapshot-record.ts";
import type { LogHead, SignedStatement } from "../wire/v4/vault-port.ts";
import type { VaultContext } from "./context.ts";
import { type DecodedEntry, type DecodedSnapshot, readHead, readLogState, writeEntry } from "./log-index.ts";
import { logKey, snapshotKey } from "./object-keys.ts";

export type Appended = { readonly entry: DecodedEntry; readonly head: LogHead };

/** Applies the entries that the store has and the index does not know: after a crash, or another process's. */
export async function rollForward(vault: VaultContext): Promise<number> {
  let count = 0;
  for (;;) {
    const { seq } = readHead(vault.database);
    const bytes = await vault.store.get(logKey(seq + 1));
    if (bytes === undefined) return count;
    const entry = await decodeEntryAt(seq + 1, bytes);
    await verifyEntry(vault, currentState(vault), entry);
    applyEntry(vault, entry, await recordOf(vault, entry));
    count++;
  }
}

/**
 * Appends what `statement` says. `precheck` sees the state that the entry will follow and throws what its caller should read;
 * what it overlooks is `log_corrupt`. Durable when it answers.
 */
export function appendStatement(
  vault: VaultContext,
  statement: SignedStatement,
  precheck: (state: LogState) => void = () => undefined,
  record?: DecodedSnapshot,
): Promise<Appended> {
  const run = vault.appending.then(() => append(vault, statement, precheck, record));
  vault.appending = run.catch(() => undefined);
  return run;
}

/** The state after the index's last entry. Callers must not change it. */
export function currentState(vault: VaultContext): LogState {
  const head = readHead(vault.database);
  if (vault.logState?.head !== head.id) vault.logState = readLogState(vault.database);
  return vault.logState;
}

/** Verifies the signature of an entry by the device that it names; a commit is vouched for by its signed record instead. */
export async function verifyEntry(
  vault: Pick<VaultContext, "vaultId">,
  state: LogState,
  entry: LogEntry,
): Promise<void> {
  if (entry.by === undefined || entry.type === "commit") return;
  const introducesItself = entry.type === "device-add" && entry.body.device === entry.by;
  const publicKey = introducesItself ? entry.body.publicKey : state.devices.get(entry.by)?.publicKey;
  const message = logStatement(vault.vaultId, entry.type, entry.body);
  if (publicKey === undefined || entry.sig === undefined || !(await verifySignature(publicKey, message, entry.sig))) {
    throw new AppError("signature_bad", { context: { what: `log entry ${entry.seq}` } });
  }
}

async function append(
  vault: VaultContext,
  statement: SignedStatement,
  precheck: (state: LogState) => void,
  record: DecodedSnapshot | undefined,
): Promise<Appended> {
  for (;;) {
    await rollForward(vault);
    const state = currentState(vault);
    precheck(state);
    const event = await decodeLogEvent(statement.type, statement.body);
    const draft = {
      ...event,
      at: vault.clock.now(),
      by: statement.by,
      prev: state.head,
      seq: state.seq + 1,
      sig: statement.sig,
    } as LogEntry;
    await verifyEntry(vault, state, draft);
    const { bytes, id } = await encodeLogEntry(draft);
    const entry = { ...draft, id } as DecodedEntry;
    applyLogEntry(copyOf(state), entry);
    if (!(await vault.store.put(logKey(entry.seq), bytes))) continue;
    applyEntry(vault, entry, record);
    return { entry, head: { seq: entry.seq, id } };
  }
}

/** One transaction, and nothing when another process has applied it already. What a power cut undoes, the next start reads in the store again. */
function applyEntry(vault: VaultContext, entry: DecodedEntry, record: DecodedSnapshot | undefined): void {
  vault.database.softTransaction(() => {
    const head = readHead(vault.database);
    if (head.seq >= entry.seq) {
      const row = vault.database.get<{ id: Uint8Array }>("SELECT id FROM log WHERE seq = ?", entry.seq);
      if (row && equalBytes(row.id, fromHex(entry.id))) return;
      throw new AppError("log_corrupt", { context: { seq: entry.seq, detail: "the index knows another entry here" } });
    }
    // The cached state moves with the index; should the transaction fail, its head no longer fits and it is read anew.
    applyLogEntry(currentState(vault), entry);
    writeEntry(vault.database, entry, record);
  });
}

async function decodeEntryAt(seq: number, bytes: Uint8Array): Promise<DecodedEntry> {
  try {
    return await decodeLogEntry(bytes);
  } catch (cause) {
    throw new AppError("log_corrupt", { cause, context: { seq, detail: (cause as Error).message } });
  }
}

/**
 * The record that a commit entry names. It may be gone when a later entry purged it; one that is damaged is as good as gone, and
 * must not keep the rest of the vault from being opened or rebuilt.
 */
async function recordOf(vault: VaultContext, entry: DecodedEntry): Promise<DecodedSnapshot | undefined> {
  if (entry.type !== "commit") return undefined;
  const bytes = await vault.store.get(snapshotKey(entry.body.snapshot));
  if (bytes === undefined) return undefined;
  try {
    const record = await decodeSnapshotRecord(bytes);
    return record.id === entry.body.snapshot ? record : undefined;
  } catch (error) {
    if (!isAppError(error, "record_corrupt")) throw error;
    vault.logger.warn("a snapshot record is damaged", { snapshot: entry.body.snapshot });
    return undefined;
  }
}

function copyOf(state: LogState): LogState {
  return {
    ...state,
    devices: new Map(state.devices),
    keyslots: new Map(state.keyslots),
    snapshots: new Map(state.snapshots),
  };
}

/** A statement that the vault itself makes. */
export function ownStatement(event: Parameters<typeof encodeLogBody>[0]): SignedStatement {
  return { type: event.type, body: encodeLogBody(event), by: undefined, sig: undefined };
}
