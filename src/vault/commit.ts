// Commits a snapshot: verifies its record, protects what it references, then record, log entry and index, in this order
// (format.md, invariants 3 and 6). Idempotent: a device that lost the answer asks again and gets it.

import { fromHex, toHex } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import type { SessionId, SnapshotId } from "../core/ids.ts";
import { verifySignature } from "../crypto/signature.ts";
import { encodeLogBody } from "../wire/v4/log-entry.ts";
import { decodeRefs } from "../wire/v4/refs.ts";
import { decodeSnapshotRecord, snapshotStatement } from "../wire/v4/snapshot-record.ts";
import type { LogHead } from "../wire/v4/vault-port.ts";
import { unsoundAmong } from "./block-index.ts";
import type { VaultContext } from "./context.ts";
import { appendStatement } from "./log.ts";
import { type DecodedSnapshot, readHead } from "./log-index.ts";
import { snapshotKey } from "./object-keys.ts";
import { assertLease, type Lease, requireLease } from "./sessions.ts";

export type CommitResult = { readonly id: SnapshotId; readonly head: LogHead; readonly receivedAt: number };

export async function commit(vault: VaultContext, session: SessionId, bytes: Uint8Array): Promise<CommitResult> {
  const record = await decodeSnapshotRecord(bytes);
  const done = committed(vault, record.id);
  if (done !== undefined) return done;
  try {
    return await commitNew(vault, session, record, bytes);
  } catch (error) {
    // The same record committed twice at a time: the other call was first.
    const other = committed(vault, record.id);
    if (other !== undefined) return other;
    throw error;
  }
}

async function commitNew(
  vault: VaultContext,
  session: SessionId,
  record: DecodedSnapshot,
  bytes: Uint8Array,
): Promise<CommitResult> {
  const lease = requireLease(vault, session);
  await verifyRecord(vault, session, lease, record);
  protectRefs(vault, lease, record);
  if (!(await vault.store.put(snapshotKey(record.id), bytes))) {
    throw new AppError("record_corrupt", {
      context: { what: `Snapshot record ${record.id}`, detail: "what is stored under its name is something else" },
    });
  }
  const body = encodeLogBody({ type: "commit", body: { snapshot: record.id } });
  const statement = { type: "commit", body, by: record.device, sig: undefined };
  const precheck = ({ seq }: { readonly seq: number }): void => announce(vault, lease, seq + 1);
  const { entry, head } = await appendStatement(vault, statement, precheck, record);
  vault.sessions.delete(session);
  return { id: record.id, head, receivedAt: entry.at };
}

function committed(vault: VaultContext, id: SnapshotId): CommitResult | undefined {
  const row = vault.database.get<{ receivedAt: number }>(
    "SELECT receivedAt FROM snapshots WHERE snapshotId = ?",
    fromHex(id),
  );
  return row && { id, head: readHead(vault.database), receivedAt: row.receivedAt };
}

async function verifyRecord(
  vault: VaultContext,
  session: SessionId,
  lease: Lease,
  record: DecodedSnapshot,
): Promise<void> {
  if (record.vault !== vault.vaultId) {
    throw new AppError("vault_mismatch", { context: { detail: `a snapshot of vault ${record.vault}` } });
  }
  if (record.session !== session || record.device !== lease.device) {
    throw new AppError("signature_bad", { context: { what: "a snapshot record of another session or device" } });
  }
  const { id: _, sig, ...body } = record;
  if (!(await verifySignature(lease.publicKey, await snapshotStatement(body), sig))) {
    throw new AppError("signature_bad", { context: { what: "a snapshot record" } });
  }
  const seen = vault.database.get<{ id: Uint8Array }>("SELECT id FROM log WHERE seq = ?", record.headSeq);
  if (seen === undefined || toHex(seen.id) !== record.head) {
    throw new AppError("rollback", { context: { detail: "the device has seen log entries that are not here." } });
  }
}

/**
 * Notes, before each try, under which number the entry is about to be written. As long as the log has not come that far the entry may
 * appear at any moment, so nobody takes the lease away, however late it is; once it has, this try fails, and the next one looks here.
 */
function announce({ database }: VaultContext, { session }: Lease, seq: number): void {
  database.softTransaction(() => {
    assertLease(database, session);
    database.run("UPDATE leases SET commitSeq = ? WHERE session = ?", seq, session);
  });
}

/**
 * From here on the session protects every block of the record, until the snapshot itself does. After a power cut nothing is collected
 * before the log was read to its end, so this needs not survive one.
 */
function protectRefs(vault: VaultContext, lease: Lease, record: DecodedSnapshot): void {
  const { database } = vault;
  const refs = decodeRefs(record.refs);
  database.softTransaction(() => {
    assertLease(database, lease.session);
    if (unsoundAmong(database, refs).length > 0) throw new AppError("base_gone");
    database.run(
      "UPDATE leases SET commitRefs = ?, expiresAt = ? WHERE session = ?",
      record.refs,
      vault.clock.now() + vault.leaseMs,
      lease.session,
    );
  });
}
