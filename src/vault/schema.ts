// The tables of index.db, in words in docs/vault.md. Everything here can be made anew from the object store (rebuild.ts) but
// leases, session_refs, session_packs, intents and locks, which only matter while somebody is at work.
// A change of the schema is one more migration; those that were released are never edited.

import { AppError } from "../core/errors.ts";
import type { Database } from "./database.ts";

/** blocks.state */
export const BLOCK_OK = 0;
/** Its bytes do not fit its blockId: the chunks in it count as missing. Never goes back to ok. */
export const BLOCK_QUARANTINED = 1;
/** Garbage whose bytes still lie in a pack that is to be compacted: it has no chunk rows. */
export const BLOCK_DROPPED = 2;
/**
 * Blocks of one state but BLOCK_OK, which is bound. SQLite takes the index of those that are not sound only where its own condition is
 * repeated: without it, every block of the vault is looked at.
 */
export const STATE_IS = "state <> 0 AND state = ?";

/** snapshots.state */
export const SNAPSHOT_LIVE = 0;
export const SNAPSHOT_TRASH = 1;
/** Kept without refs, so that a purged snapshot can never be committed again. */
export const SNAPSHOT_PURGED = 2;

const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO meta VALUES ('nextBlockNo', 1);

  CREATE TABLE sessions (
    session INTEGER PRIMARY KEY, sessionId BLOB NOT NULL UNIQUE, deviceId BLOB NOT NULL, sealedKey BLOB
  ) STRICT;

  CREATE TABLE packs (
    pack INTEGER PRIMARY KEY, packId BLOB NOT NULL UNIQUE, sizeBytes INTEGER NOT NULL, acceptedAt INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE blocks (
    blockNo INTEGER PRIMARY KEY, pack INTEGER NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL,
    kind INTEGER NOT NULL, session INTEGER NOT NULL, counter INTEGER NOT NULL, blockId BLOB NOT NULL,
    state INTEGER NOT NULL, verifiedAt INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX blocks_by_pack ON blocks (pack, offset);
  CREATE INDEX blocks_not_ok ON blocks (state, blockNo) WHERE state <> 0;

  CREATE TABLE chunks (
    chunkId BLOB NOT NULL, blockNo INTEGER NOT NULL, PRIMARY KEY (chunkId, blockNo)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE log (seq INTEGER PRIMARY KEY, id BLOB NOT NULL) STRICT;
  CREATE TABLE devices (
    deviceId BLOB PRIMARY KEY, name TEXT NOT NULL, publicKey BLOB NOT NULL, addedAt INTEGER NOT NULL,
    revoked INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE keyslots (
    keyslotId BLOB PRIMARY KEY, kind TEXT NOT NULL, label TEXT NOT NULL, hash BLOB NOT NULL, addedAt INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE snapshots (
    snapshot INTEGER PRIMARY KEY, snapshotId BLOB NOT NULL UNIQUE, sessionId BLOB NOT NULL, deviceId BLOB NOT NULL,
    plan BLOB NOT NULL, tags BLOB NOT NULL, seq INTEGER NOT NULL, receivedAt INTEGER NOT NULL, addedBytes INTEGER NOT NULL,
    state INTEGER NOT NULL, trashedAt INTEGER, pinnedUntil INTEGER, refs BLOB
  ) STRICT;

  CREATE TABLE leases (
    session INTEGER PRIMARY KEY, plan BLOB NOT NULL, expiresAt INTEGER NOT NULL, base BLOB, baseRefs BLOB, commitRefs BLOB
  ) STRICT;
  CREATE TABLE session_refs (
    session INTEGER NOT NULL, blockNo INTEGER NOT NULL, PRIMARY KEY (session, blockNo)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE intents (
    key TEXT PRIMARY KEY, kind INTEGER NOT NULL, session INTEGER, createdAt INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE locks (
    name TEXT PRIMARY KEY, token TEXT NOT NULL, pid INTEGER NOT NULL, host TEXT NOT NULL, since INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE session_packs (
    session INTEGER NOT NULL, n INTEGER NOT NULL, packId BLOB NOT NULL, PRIMARY KEY (session, n)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE leases ADD COLUMN commitSeq INTEGER;
  `,
  `
  ALTER TABLE devices ADD COLUMN trustGroup TEXT DEFAULT '';
  CREATE INDEX devices_apart ON devices (deviceId) WHERE trustGroup IS NOT '';
  `,
];

export const SCHEMA_VERSION = MIGRATIONS.length;

/** Brings the index to this program's schema, in one transaction. An index from a newer program is refused. */
export function migrate(database: Database): void {
  const version = userVersion(database);
  if (version === MIGRATIONS.length) return;
  if (version > MIGRATIONS.length) throw new AppError("vault_version", { context: { version: `index ${version}` } });
  database.transaction(() => {
    for (let next = userVersion(database); next < MIGRATIONS.length; next++) database.exec(MIGRATIONS[next]!);
    database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}

/** 0 for a database without tables. */
export function userVersion(database: Database): number {
  return Number(database.get("PRAGMA user_version")!.user_version);
}
