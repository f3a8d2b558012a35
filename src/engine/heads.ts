// The rollback check: a vault that this machine has seen at log entry n must still have that entry, and only more after it.
// Why: docs/format.md, What each adversary can do (who writes to the vault cannot put back an older copy unnoticed).

import { AppError, isAppError } from "../core/errors.ts";
import type { SnapshotId, VaultId } from "../core/ids.ts";
import { decodeLogEntry, LOG_START } from "../wire/v4/log-entry.ts";
import type { SnapshotRecord } from "../wire/v4/snapshot-record.ts";
import type { LogHead, VaultPort } from "../wire/v4/vault-port.ts";

type LogSource = Pick<VaultPort, "vaultId" | "head" | "logAfter">;
/** What this machine remembers of vaults: a file each on a disk, a row each in a browser. */
export type HeadMemory = {
  head(vault: VaultId): Promise<LogHead | undefined>;
  saveHead(vault: VaultId, head: LogHead): Promise<void>;
};

const PAGE_ENTRIES = 256;

/**
 * The vault's head, which this machine remembers from now on. Throws `rollback` when the log does not extend what it
 * remembered, and `log_corrupt` when an entry is damaged. The first time there is nothing to compare with.
 */
export async function checkHead({ vault, home }: { vault: LogSource; home: HeadMemory }): Promise<LogHead> {
  const [remembered, head] = [await home.head(vault.vaultId), await vault.head()];
  if (remembered && head.seq < remembered.seq) {
    throw rollback(`its log ends at entry ${head.seq}, and this machine has seen entry ${remembered.seq}.`);
  }
  await checkChain(vault, remembered ?? head, head);
  if (head.seq !== remembered?.seq) await remember(home, vault, head);
  return head;
}

/** Remembers the vault's head whatever was remembered before: for `doctor --accept-head`, after a person has decided. */
export async function acceptHead({ vault, home }: { vault: LogSource; home: HeadMemory }): Promise<LogHead> {
  const head = await vault.head();
  await checkChain(vault, head, head);
  await home.saveHead(vault.vaultId, head);
  return head;
}

/**
 * Throws `rollback` unless the log has every head that these snapshot records name: devices that are shown different logs find
 * out by each other's records. Their signatures are the caller's to verify first.
 */
export async function checkRecordHead(input: {
  vault: LogSource;
  records: readonly Pick<SnapshotRecord, "head" | "headSeq">[];
}): Promise<void> {
  const wanted = [...input.records].sort((a, b) => a.headSeq - b.headSeq);
  let page: readonly string[] = [LOG_START];
  let first = 0;
  for (const { head, headSeq } of wanted) {
    if (headSeq >= first + page.length) {
      first = headSeq;
      page = (await readEntries(input.vault, headSeq, PAGE_ENTRIES)).map(({ id }) => id);
    }
    if (page[headSeq - first] !== head) {
      throw rollback(`a snapshot names log entry ${headSeq}, which the vault does not have.`);
    }
  }
}

/**
 * Throws `rollback` unless the log has the commit of this snapshot after what this machine remembers: a vault on a server could
 * acknowledge what it then forgets.
 */
export async function requireCommitted(input: {
  vault: LogSource;
  home: HeadMemory;
  snapshot: SnapshotId;
}): Promise<void> {
  const { vault, home, snapshot } = input;
  for (let first = ((await home.head(vault.vaultId))?.seq ?? 0) + 1; ; ) {
    const page = await vault.logAfter(first - 1, PAGE_ENTRIES);
    if (page.length === 0)
      throw rollback(`it has acknowledged snapshot ${snapshot.slice(0, 12)}, but its log does not have it.`);
    for (const bytes of page) {
      const entry = await decodeEntry(bytes, first++);
      if (entry.type === "commit" && entry.body.snapshot === snapshot) return;
    }
  }
}

/** Reads the entries `from` to `to` and checks that both are there and that each one names the one before. */
async function checkChain(vault: LogSource, from: LogHead, to: LogHead): Promise<void> {
  if (to.seq < 1) throw new AppError("log_corrupt", { context: { seq: 1, detail: "it is missing." } });
  let before: LogHead | undefined;
  while (before === undefined || before.seq < to.seq) {
    const start: number = before === undefined ? from.seq : before.seq + 1;
    const entries = await readEntries(vault, start, Math.min(PAGE_ENTRIES, to.seq - start + 1));
    if (entries.length === 0) throw rollback(`log entry ${start} is missing.`);
    for (const { seq, id, prev } of entries) {
      if (before === undefined && id !== from.id) {
        throw rollback(`log entry ${seq} is not the one that this machine has seen.`);
      }
      if (before !== undefined && prev !== before.id)
        throw rollback(`log entry ${seq} does not follow the one before.`);
      before = { seq, id };
    }
  }
  if (before.id !== to.id) throw rollback(`log entry ${to.seq} is not the one that the vault calls its last.`);
}

async function readEntries(vault: LogSource, first: number, limit: number) {
  const entries: { seq: number; id: string; prev: string }[] = [];
  for (const bytes of await vault.logAfter(first - 1, limit)) {
    const seq = first + entries.length;
    const { seq: named, id, prev } = await decodeEntry(bytes, seq);
    if (named !== seq) throw rollback(`entry ${named} stands where log entry ${seq} should.`);
    entries.push({ seq, id, prev });
  }
  return entries;
}

async function decodeEntry(bytes: Uint8Array, seq: number) {
  try {
    return await decodeLogEntry(bytes);
  } catch (cause) {
    if (!isAppError(cause, "record_corrupt")) throw cause;
    throw new AppError("log_corrupt", { cause, context: { seq, detail: cause.context.detail } });
  }
}

/** Another process may have seen more meanwhile: what is remembered never moves back. */
async function remember(home: HeadMemory, vault: LogSource, head: LogHead): Promise<void> {
  const current = await home.head(vault.vaultId);
  if (current === undefined || current.seq < head.seq) await home.saveHead(vault.vaultId, head);
}

function rollback(detail: string): AppError {
  return new AppError("rollback", { context: { detail } });
}
