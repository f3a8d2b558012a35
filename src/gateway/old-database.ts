// An old server's SQLite database (docs/from-cyberbackup-3.md, The old database): its clients and its files. It is copied first and
// only the copy is opened, because opening a database may write beside it, and the old data stays as it is. Versions of the old
// server disagree about types and columns, so every value is read with tolerance; session keys (AESKey) are never read.

import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { toHex, tryUtf8Decode } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import type { V3ClientId } from "../core/ids.ts";

export type OldClient = {
  readonly id: V3ClientId;
  readonly name: string;
  /** SPKI DER; undefined for a client that never sent one. */
  readonly publicKey: Uint8Array | undefined;
  /** Milliseconds since 1970 UTC. */
  readonly lastSeenAt: number | undefined;
};

export type OldFile = {
  readonly client: V3ClientId | undefined;
  readonly name: string;
  readonly sizeBytes: number | undefined;
  readonly cksum: number | undefined;
  readonly modifiedAt: number | undefined;
};

export type OldDatabase = { readonly clients: readonly OldClient[]; readonly files: readonly OldFile[] };

type Row = Readonly<Record<string, unknown>>;

/** Files that SQLite keeps beside a database that was not closed. */
const BESIDE = ["-wal", "-journal"] as const;
const ID_DIGITS = /^[0-9a-f]{32}$/;

/** Rows without an id or a name are left out. Throws `io` and `v3_file_invalid`. */
export async function readOldDatabase(path: string): Promise<OldDatabase> {
  const folder = await mkdtemp(join(tmpdir(), "cyberbackup-v3-"));
  try {
    const copy = join(folder, "copy.db");
    await copyFile(path, copy).catch((cause: NodeJS.ErrnoException) => {
      throw new AppError("io", { cause, context: { path, detail: `${cause.code ?? "unknown error"}.` } });
    });
    for (const suffix of BESIDE) await copyIfThere(`${path}${suffix}`, `${copy}${suffix}`);
    return readCopy(copy, path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function copyIfThere(from: string, to: string): Promise<void> {
  await copyFile(from, to).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return;
    throw new AppError("io", { cause, context: { path: from, detail: `${cause.code ?? "unknown error"}.` } });
  });
}

function readCopy(copy: string, path: string): OldDatabase {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(copy, { defensive: true, enableForeignKeyConstraints: false, readBigInts: true });
    if (database.prepare("PRAGMA quick_check").get()?.quick_check !== "ok") throw new Error("it is damaged");
    return {
      clients: rowsOf(database, "clients").flatMap((row) => clientOf(row) ?? []),
      files: rowsOf(database, "files").flatMap((row) => fileOf(row) ?? []),
    };
  } catch (cause) {
    throw new AppError("v3_file_invalid", { cause, context: { path, detail: `${(cause as Error).message}.` } });
  } finally {
    database?.close();
  }
}

/** All rows of a table, by lower-case column names. `table` is one of the two words above. */
function rowsOf(database: DatabaseSync, table: "clients" | "files"): Row[] {
  return database
    .prepare(`SELECT * FROM ${table}`)
    .all()
    .map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name.toLowerCase(), value])));
}

function clientOf(row: Row): OldClient | undefined {
  const id = idOf(row.id);
  const name = textOf(row.name);
  if (id === undefined || name === undefined) return undefined;
  const publicKey = row.publickey instanceof Uint8Array ? row.publickey : undefined;
  return { id, name, publicKey, lastSeenAt: timeOf(row.lastseen) };
}

function fileOf(row: Row): OldFile | undefined {
  const name = textOf(row.filename);
  if (name === undefined) return undefined;
  return {
    // The oldest servers had no ClientID: there ID was the client's.
    client: idOf("clientid" in row ? row.clientid : row.id),
    name,
    sizeBytes: numberOf(row.filesize),
    cksum: cksumOf(row.crc),
    modifiedAt: timeOf(row.modificationdate),
  };
}

/** 16 bytes, or their 32 hex digits in older databases. */
function idOf(value: unknown): V3ClientId | undefined {
  const hex = value instanceof Uint8Array && value.length === 16 ? toHex(value) : textOf(value)?.trim().toLowerCase();
  return hex !== undefined && ID_DIGITS.test(hex) ? (hex as V3ClientId) : undefined;
}

/** Text, also where it was stored as bytes, up to its NUL. */
function textOf(value: unknown): string | undefined {
  const text = value instanceof Uint8Array ? tryUtf8Decode(value) : typeof value === "string" ? value : undefined;
  const end = text?.indexOf("\0") ?? -1;
  return (end < 0 ? text : text!.slice(0, end)) || undefined;
}

function numberOf(value: unknown): number | undefined {
  const number =
    typeof value === "bigint" || typeof value === "number"
      ? Number(value)
      : typeof value === "string" && /^\d{1,15}$/.test(value.trim())
        ? Number(value)
        : undefined;
  return number !== undefined && Number.isSafeInteger(number) ? number : undefined;
}

/** An unsigned number of 32 bits, also where it was stored as a signed one. */
function cksumOf(value: unknown): number | undefined {
  const number = typeof value === "string" && value.trim().startsWith("-") ? Number(value) : numberOf(value);
  if (number === undefined || !Number.isInteger(number) || number < -(2 ** 31) || number >= 2 ** 32) return undefined;
  return number >>> 0;
}

/** ISO 8601, also with both an offset and a Z behind it (`+00:00Z`); without any zone it is UTC. Or seconds since 1970. */
function timeOf(value: unknown): number | undefined {
  const seconds = typeof value === "bigint" || typeof value === "number" ? Number(value) : undefined;
  const text = textOf(value)
    ?.trim()
    .replace(/([+-]\d\d:?\d\d)Z$/i, "$1")
    .replace(" ", "T");
  const zoned = text !== undefined && /T.*(Z|[+-]\d\d:?\d\d)$/i.test(text);
  const milliseconds = seconds !== undefined ? seconds * 1000 : Date.parse(zoned ? text : `${text}Z`);
  return Number.isFinite(milliseconds) && milliseconds >= 0 ? Math.floor(milliseconds) : undefined;
}
