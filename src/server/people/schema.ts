// Tables of people in server.db. The first step is what better-auth asks for with the options of auth.ts, as it wrote it itself;
// a test compares the two, so an update of the library that wants more is seen. Times: better-auth writes ISO 8601, we write
// milliseconds.

import type { Migrations } from "../database.ts";

export const PEOPLE_MIGRATIONS: Migrations = {
  part: "people",
  steps: [
    `
    CREATE TABLE "person" ("id" text not null primary key, "name" text not null, "email" text not null unique,
      "emailVerified" integer not null, "image" text, "createdAt" date not null, "updatedAt" date not null,
      "twoFactorEnabled" integer, "role" text);
    CREATE TABLE "person_session" ("id" text not null primary key, "expiresAt" date not null, "token" text not null unique,
      "createdAt" date not null, "updatedAt" date not null, "ipAddress" text, "userAgent" text,
      "userId" text not null references "person" ("id") on delete cascade, "factorAt" bigint);
    CREATE TABLE "person_account" ("id" text not null primary key, "accountId" text not null, "providerId" text not null,
      "userId" text not null references "person" ("id") on delete cascade, "accessToken" text, "refreshToken" text, "idToken" text,
      "accessTokenExpiresAt" date, "refreshTokenExpiresAt" date, "scope" text, "password" text,
      "createdAt" date not null, "updatedAt" date not null);
    CREATE TABLE "person_verification" ("id" text not null primary key, "identifier" text not null, "value" text not null,
      "expiresAt" date not null, "createdAt" date not null, "updatedAt" date not null);
    CREATE TABLE "person_factor" ("id" text not null primary key, "secret" text not null, "backupCodes" text not null,
      "userId" text not null references "person" ("id") on delete cascade, "verified" integer, "failedVerificationCount" integer,
      "lockedUntil" date);
    CREATE TABLE "person_key" ("id" text not null primary key, "configId" text not null, "name" text, "start" text,
      "referenceId" text not null, "prefix" text, "key" text not null, "refillInterval" integer, "refillAmount" integer,
      "lastRefillAt" date, "enabled" integer, "rateLimitEnabled" integer, "rateLimitTimeWindow" integer, "rateLimitMax" integer,
      "requestCount" integer, "remaining" integer, "lastRequest" date, "expiresAt" date, "createdAt" date not null,
      "updatedAt" date not null, "permissions" text, "metadata" text);
    CREATE INDEX "person_session_userId_idx" ON "person_session" ("userId");
    CREATE INDEX "person_account_userId_idx" ON "person_account" ("userId");
    CREATE INDEX "person_verification_identifier_idx" ON "person_verification" ("identifier");
    CREATE INDEX "person_factor_secret_idx" ON "person_factor" ("secret");
    CREATE INDEX "person_factor_userId_idx" ON "person_factor" ("userId");
    CREATE INDEX "person_key_configId_idx" ON "person_key" ("configId");
    CREATE INDEX "person_key_referenceId_idx" ON "person_key" ("referenceId");
    CREATE INDEX "person_key_key_idx" ON "person_key" ("key");
    `,
    `
    CREATE TABLE person_grant (
      person TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
      vault TEXT NOT NULL,
      role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'owner')),
      PRIMARY KEY (person, vault)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX person_grant_vault ON person_grant (vault);
    CREATE TABLE person_link (
      hash BLOB PRIMARY KEY,
      person TEXT REFERENCES person (id) ON DELETE CASCADE,
      expiresAt INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE audit (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      at INTEGER NOT NULL,
      by TEXT NOT NULL,
      person TEXT,
      name TEXT,
      action TEXT NOT NULL,
      vault TEXT,
      subject TEXT,
      outcome TEXT NOT NULL,
      address TEXT,
      requestId TEXT,
      seq INTEGER
    ) STRICT;
    CREATE INDEX audit_vault ON audit (vault, id) WHERE vault IS NOT NULL;
    CREATE INDEX audit_person ON audit (person, id) WHERE person IS NOT NULL;
    `,
    `
    CREATE TABLE person_passkey (
      id TEXT PRIMARY KEY,
      person TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
      credential TEXT NOT NULL UNIQUE,
      host TEXT NOT NULL,
      publicKey BLOB NOT NULL,
      counter INTEGER NOT NULL,
      transports TEXT NOT NULL,
      name TEXT NOT NULL,
      isSynced INTEGER NOT NULL,
      createdAt INTEGER NOT NULL,
      lastUsedAt INTEGER
    ) STRICT;
    CREATE INDEX person_passkey_person ON person_passkey (person);
    `,
    `
    CREATE TABLE person_identity (
      issuer TEXT NOT NULL,
      subject TEXT NOT NULL,
      person TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
      createdAt INTEGER NOT NULL,
      lastUsedAt INTEGER NOT NULL,
      PRIMARY KEY (issuer, subject)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX person_identity_person ON person_identity (person, issuer);
    `,
  ],
};
