// Invitations of devices: rows of server.db. The server can tell that a token fits; it cannot open what is sealed, and who reads its
// disk learns no token. Formats: docs/protocol-v4.md, Enrolment.

import { createHash, timingSafeEqual } from "node:crypto";
import { toHex } from "../../core/bytes.ts";
import { AppError, isAppError } from "../../core/errors.ts";
import type { DeviceId, VaultId } from "../../core/ids.ts";
import { logDevices } from "../../vault/server-queries.ts";
import { INVITE_LIMITS } from "../../wire/v4/api/invite-routes.ts";
import { decodeLogEvent } from "../../wire/v4/log-entry.ts";
import type { SignedStatement } from "../../wire/v4/vault-port.ts";
import type { Migrations } from "../database.ts";
import type { ServerKit } from "../kit.ts";
import type { ServedVault } from "../vaults.ts";

export const INVITE_STEPS: Migrations["steps"] = [
  `CREATE TABLE invites (
     lookup TEXT PRIMARY KEY, vault TEXT NOT NULL, tokenHash BLOB NOT NULL, sealed BLOB NOT NULL, name TEXT NOT NULL,
     madeBy TEXT NOT NULL, createdAt INTEGER NOT NULL, endsAt INTEGER NOT NULL, usedBy TEXT, usedAt INTEGER
   ) STRICT;
   CREATE INDEX invites_by_vault ON invites (vault, createdAt)`,
];

export type NewInvite = {
  readonly lookup: string;
  readonly tokenHash: Uint8Array;
  readonly sealed: Uint8Array;
  readonly name: string;
  readonly hours: number;
};

export type InviteRow = {
  lookup: string;
  vault: VaultId;
  tokenHash: Uint8Array;
  sealed: Uint8Array;
  name: string;
  madeBy: string;
  createdAt: number;
  endsAt: number;
  usedBy: DeviceId | null;
  usedAt: number | null;
};

const HOUR_MS = 3_600_000;

/** Asking again for the same one changes nothing. Throws `limit`, `request_invalid` for a name that another one has. */
export function addInvite({ database, clock }: ServerKit, vault: VaultId, invite: NewInvite, madeBy: string): number {
  const now = clock.now();
  return database.transaction(() => {
    const known = database.get<InviteRow>("SELECT * FROM invites WHERE lookup = ?", invite.lookup);
    if (known !== undefined) {
      if (known.vault === vault && toHex(known.tokenHash) === toHex(invite.tokenHash)) return known.endsAt;
      throw new AppError("request_invalid", { context: { detail: "another invitation is called so" } });
    }
    const { open } = database.get<{ open: number }>("SELECT COUNT(*) AS open FROM invites WHERE vault = ?", vault)!;
    if (open >= INVITE_LIMITS.openPerVault) {
      throw new AppError("limit", { context: { what: "Invitations of a vault", limit: INVITE_LIMITS.openPerVault } });
    }
    const endsAt = now + invite.hours * HOUR_MS;
    database.run(
      "INSERT INTO invites (lookup, vault, tokenHash, sealed, name, madeBy, createdAt, endsAt) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      invite.lookup,
      vault,
      invite.tokenHash,
      invite.sealed,
      invite.name,
      madeBy,
      now,
      endsAt,
    );
    return endsAt;
  });
}

/** Those that have not ended, newest first. */
export function listInvites({ database, clock }: ServerKit, vault: VaultId): InviteRow[] {
  const sql = "SELECT * FROM invites WHERE vault = ? AND endsAt > ? ORDER BY createdAt DESC, lookup";
  return database.all<InviteRow>(sql, vault, clock.now());
}

export function dropInvite({ database }: ServerKit, vault: VaultId, lookup: string): void {
  const { changes } = database.run("DELETE FROM invites WHERE lookup = ? AND vault = ?", lookup, vault);
  if (changes === 0) throw new AppError("not_found", { context: { what: "The invitation" } });
}

/** Takes away what has ended. */
export function sweepInvites({ database, clock }: ServerKit): void {
  database.run("DELETE FROM invites WHERE endsAt <= ?", clock.now());
}

export type EnrolAsk = { readonly lookup: Uint8Array; readonly token: Uint8Array; readonly statement: SignedStatement };
export type Enrolled = {
  readonly served: ServedVault;
  readonly device: DeviceId;
  readonly name: string;
  readonly sealed: Uint8Array;
};

/**
 * Enrols the device that signed the statement. The invitation is its own from the moment before the statement is appended: after a
 * crash between the two the same device asks again, and nobody else can. Throws `invite_invalid` whatever is wrong with the
 * invitation; errors of the statement leave it as it was.
 */
export async function enrol(kit: ServerKit, { lookup, token, statement }: EnrolAsk): Promise<Enrolled> {
  const row = kit.database.get<InviteRow>("SELECT * FROM invites WHERE lookup = ?", toHex(lookup));
  const tokenHash = createHash("sha256").update(token).digest();
  // Compared in any case, so that time does not tell whether there is such an invitation.
  const isRight = timingSafeEqual(tokenHash, row?.tokenHash ?? new Uint8Array(32));
  const served = row && kit.vaults.byNameOrId(row.vault);
  if (!isRight || row === undefined || served === undefined || row.endsAt <= kit.clock.now()) throw invalid();
  const { device, name } = await introduction(statement);
  const claimed = kit.database.run(
    "UPDATE invites SET usedBy = ?, usedAt = coalesce(usedAt, ?) WHERE lookup = ? AND (usedBy IS NULL OR usedBy = ?)",
    device,
    kit.clock.now(),
    row.lookup,
    device,
  );
  if (claimed.changes === 0) throw invalid();
  if (!logDevices(served.vault.context).has(device)) {
    try {
      await served.admin.apply(statement);
    } catch (error) {
      if (row.usedBy === null && isAppError(error) && !error.retry && !logDevices(served.vault.context).has(device)) {
        kit.database.run("UPDATE invites SET usedBy = NULL, usedAt = NULL WHERE lookup = ?", row.lookup);
      }
      throw error;
    }
  }
  return { served, device, name, sealed: row.sealed };
}

/** The device that the statement brings in, which must be the one that signed it. */
async function introduction(statement: SignedStatement): Promise<{ device: DeviceId; name: string }> {
  const event = await decodeLogEvent(statement.type, statement.body);
  if (event.type === "device-add" && event.body.device === statement.by && statement.sig !== undefined) {
    return { device: event.body.device, name: event.body.name };
  }
  throw new AppError("request_invalid", { context: { detail: "statement: not a device that introduces itself" } });
}

function invalid(): AppError {
  return new AppError("invite_invalid");
}
