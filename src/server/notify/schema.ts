// Tables of notifications in server.db. `sealed` is what nobody may read there: addresses, tokens, secrets (seal.ts).

import type { Migrations } from "../database.ts";

export const NOTIFY_MIGRATIONS: Migrations = {
  part: "notify",
  steps: [
    `
    CREATE TABLE notify_channel (
      id TEXT PRIMARY KEY,
      person TEXT REFERENCES person (id) ON DELETE CASCADE,
      kind TEXT NOT NULL,
      name TEXT NOT NULL,
      host TEXT NOT NULL,
      sealed BLOB NOT NULL,
      severity TEXT NOT NULL,
      vaults TEXT,
      digest TEXT NOT NULL,
      digestHour INTEGER NOT NULL,
      quiet TEXT,
      timeZone TEXT NOT NULL,
      isEnabled INTEGER NOT NULL,
      createdAt INTEGER NOT NULL,
      lastSentAt INTEGER,
      lastFailedAt INTEGER,
      lastError TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX notify_channel_person ON notify_channel (person);
    CREATE TABLE notify_ping (
      id TEXT PRIMARY KEY,
      vault TEXT NOT NULL,
      device TEXT,
      plan TEXT,
      host TEXT NOT NULL,
      sealed BLOB NOT NULL,
      createdAt INTEGER NOT NULL,
      lastSentAt INTEGER,
      lastError TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX notify_ping_vault ON notify_ping (vault);
    CREATE TABLE notify_queue (
      id TEXT PRIMARY KEY,
      channel TEXT REFERENCES notify_channel (id) ON DELETE CASCADE,
      ping TEXT REFERENCES notify_ping (id) ON DELETE CASCADE,
      -- What happened: the same is never queued twice for one channel or ping.
      cause TEXT NOT NULL,
      notice TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'given-up')),
      attempts INTEGER NOT NULL,
      createdAt INTEGER NOT NULL,
      at INTEGER NOT NULL,
      error TEXT
    ) STRICT;
    CREATE UNIQUE INDEX notify_queue_channel ON notify_queue (channel, cause) WHERE channel IS NOT NULL;
    CREATE UNIQUE INDEX notify_queue_ping ON notify_queue (ping, cause) WHERE ping IS NOT NULL;
    CREATE INDEX notify_queue_waiting ON notify_queue (at) WHERE state = 'waiting';
    `,
  ],
};
