// Sessions and their leases. A lease row is a promise: as long as it stands, garbage collection touches nothing that the
// session brought, was told of, or rests on. Rows are only taken away by commit, close, or a collection after they expired,
// so a call that finds the row may go on, late or not. See docs/vault.md, [Note: leases].

import { fromHex, toHex } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import type { DeviceId, SessionId } from "../core/ids.ts";
import { decodeRefs } from "../wire/v4/refs.ts";
import type { SessionGrant, SessionRequest } from "../wire/v4/vault-port.ts";
import type { SessionMemory, VaultContext } from "./context.ts";
import type { Database } from "./database.ts";
import { requireUnlocked } from "./locks.ts";
import { ensureSession } from "./log-index.ts";
import { SNAPSHOT_PURGED } from "./schema.ts";
import { unreliableAmong } from "./trust.ts";

/** More bad blocks than this are not told one by one: the base is refused, and all is asked for. */
const TOLD_BLOCKS = 2 ** 18;

export type Lease = {
  /** Row number of the session. */
  readonly session: number;
  readonly device: DeviceId;
  readonly publicKey: Uint8Array;
};

/** Opens a session, or gives the same answer again while its lease stands. A session that has ended is never opened again. */
export function openSession(vault: VaultContext, request: SessionRequest): SessionGrant {
  const { database } = vault;
  return database.softTransaction(() => {
    requireUnlocked(database, "rebuild");
    requireDevice(database, request.device);
    const sessionId = fromHex(request.session);
    const isKnown = database.get("SELECT 1 FROM sessions WHERE sessionId = ?", sessionId) !== undefined;
    const session = ensureSession(database, sessionId, fromHex(request.device), undefined);
    if (isKnown) return grantAgain(vault, request.device, session);
    const baseRefs = request.base === undefined ? undefined : refsOf(database, fromHex(request.base));
    database.run(
      "INSERT INTO leases (session, plan, expiresAt, base, baseRefs) VALUES (?, ?, ?, ?, ?)",
      session,
      fromHex(request.plan),
      vault.clock.now() + vault.leaseMs,
      baseRefs === undefined ? null : fromHex(request.base!),
      baseRefs ?? null,
    );
    return grant(vault, request.device, baseRefs);
  });
}

export function renewSession(vault: VaultContext, session: SessionId): void {
  const lease = requireLease(vault, session);
  vault.database.softTransaction(() => extend(vault, lease.session));
}

export function closeSession(vault: VaultContext, session: SessionId): void {
  vault.sessions.delete(session);
  vault.database.softTransaction(() => {
    const row = vault.database.get<{ session: number }>(
      "SELECT session FROM sessions WHERE sessionId = ?",
      fromHex(session),
    );
    if (row === undefined) return;
    // A commit may be under way, or cut short after its log entry was written: then the lease ends by itself.
    const sql = "SELECT 1 FROM leases WHERE session = ? AND commitRefs IS NOT NULL";
    if (vault.database.get(sql, row.session) === undefined) endLease(vault.database, row.session);
  });
}

/** Whatever is to be said of the session's lease: `session_unknown` without one, `device_revoked`. Renews it when half is over. */
export function requireLease(vault: VaultContext, session: SessionId): Lease {
  const row = vault.database.get<{
    session: number;
    expiresAt: number;
    deviceId: Uint8Array;
    publicKey: Uint8Array;
    revoked: number;
  }>(
    `SELECT l.session, l.expiresAt, s.deviceId, d.publicKey, d.revoked
     FROM sessions s JOIN leases l ON l.session = s.session JOIN devices d ON d.deviceId = s.deviceId
     WHERE s.sessionId = ?`,
    fromHex(session),
  );
  if (row === undefined) throw new AppError("session_unknown");
  const device = toHex(row.deviceId) as DeviceId;
  if (row.revoked !== 0) throw new AppError("device_revoked", { context: { device } });
  if (row.expiresAt < vault.clock.now() + vault.leaseMs / 2) {
    // The row may have been taken away by now: then nothing is renewed, and the caller's own transaction will find that out.
    vault.database.softTransaction(() => extend(vault, row.session));
  }
  return { session: row.session, device, publicKey: row.publicKey };
}

/** Inside a transaction: the lease still stands. */
export function assertLease(database: Database, session: number): void {
  if (database.get("SELECT 1 FROM leases WHERE session = ?", session) === undefined) {
    throw new AppError("session_unknown");
  }
}

export function memoryOf(vault: VaultContext, session: SessionId): SessionMemory {
  const memory = vault.sessions.get(session) ?? { protectedBlocks: new Set() };
  vault.sessions.set(session, memory);
  return memory;
}

/** Takes the lease and everything that it protected away. */
export function endLease(database: Database, session: number): void {
  database.run("DELETE FROM leases WHERE session = ?", session);
  database.run("DELETE FROM session_refs WHERE session = ?", session);
  database.run("DELETE FROM session_packs WHERE session = ?", session);
  database.run("DELETE FROM intents WHERE session = ?", session);
}

function requireDevice(database: Database, device: DeviceId): void {
  const row = database.get<{ revoked: number }>("SELECT revoked FROM devices WHERE deviceId = ?", fromHex(device));
  if (row === undefined) throw new AppError("not_enrolled");
  if (row.revoked !== 0) throw new AppError("device_revoked", { context: { device } });
}

function refsOf(database: Database, snapshotId: Uint8Array): Uint8Array | undefined {
  const row = database.get<{ refs: Uint8Array | null }>(
    "SELECT refs FROM snapshots WHERE snapshotId = ? AND state <> ?",
    snapshotId,
    SNAPSHOT_PURGED,
  );
  return row?.refs ?? undefined;
}

function grantAgain(vault: VaultContext, device: DeviceId, session: number): SessionGrant {
  const lease = vault.database.get<{ baseRefs: Uint8Array | null }>(
    "SELECT baseRefs FROM leases WHERE session = ?",
    session,
  );
  if (lease === undefined) throw new AppError("session_unknown");
  extend(vault, session);
  return grant(vault, device, lease.baseRefs ?? undefined);
}

function grant(vault: VaultContext, device: DeviceId, baseRefs: Uint8Array | undefined): SessionGrant {
  const bad = baseRefs && unreliableAmong(vault.database, device, decodeRefs(baseRefs));
  const baseAccepted = bad !== undefined && bad.length <= TOLD_BLOCKS;
  return {
    baseAccepted,
    damagedBlocks: baseAccepted ? bad : [],
    leaseMs: vault.leaseMs,
    empty: vault.database.get("SELECT 1 FROM chunks LIMIT 1") === undefined,
  };
}

function extend(vault: VaultContext, session: number): void {
  vault.database.run("UPDATE leases SET expiresAt = ? WHERE session = ?", vault.clock.now() + vault.leaseMs, session);
}
