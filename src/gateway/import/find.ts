// What there is to import: the files of an old server's folder, matched with its database. Only looks: it reads no content, changes
// nothing, and follows no link.
// The old server kept all clients' files in one folder by their names, so that a later upload took the place of another client's
// file. The database may therefore name several owners of a file; its checksum says in the end whose it is.

import { readdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { emptyFileStat } from "../../client/file-stat.ts";
import { rawFromNative } from "../../client/native-path.ts";
import { lstatInto } from "../../client/posix.ts";
import { toHex, utf8 } from "../../core/bytes.ts";
import { AppError } from "../../core/errors.ts";
import { isPlainComponent } from "../../core/filename.ts";
import { type RawPath, rawFromText, rawJoin, rawToText } from "../../core/raw-path.ts";
import { sha256 } from "../../core/sha256.ts";
import type { ScannedEntry } from "../../engine/backup/types.ts";
import { ENTRY } from "../../wire/v4/tree-types.ts";
import { type OldDatabase, type OldFile, readOldDatabase } from "../old-database.ts";

const RECEIVED = "received_files";
const DATABASE = "defensive.db";
/** Plan of files that no client of the database owns. */
export const UNCLAIMED = RECEIVED;

export type ImportItem = {
  readonly entry: ScannedEntry;
  /** Name of the v3 user. */
  readonly user: string;
  /** The checksums that the database has for it; none: it cannot be proven. */
  readonly cksums: readonly number[];
  /** Set when the content is not what the database says, or belongs to somebody else, before anything is read. */
  readonly doubt: string | undefined;
  /** Milliseconds since 1970 UTC: when the old server stored it. */
  readonly takenAt: number;
  /** 16 hex digits that stand for this file in this state. */
  readonly key: string;
};

export type ImportProblem = { readonly path: RawPath; readonly code: string; readonly detail: string };

export type Found = {
  readonly items: readonly ImportItem[];
  readonly problems: readonly ImportProblem[];
  /** The database that was read. */
  readonly database: string | undefined;
};

/** `dir` is the old server's folder or its `received_files`. The database is looked for beside them if none is given. */
export async function findImports(dir: string, databasePath: string | undefined): Promise<Found> {
  const below = resolve(dir, RECEIVED);
  const folder = (await isDirectory(below)) ? below : resolve(dir);
  const path = databasePath === undefined ? await databaseNear(folder) : resolve(databasePath);
  const database = path === undefined ? { clients: [], files: [] } : await readOldDatabase(path);
  const names = await listNames(folder);
  const items: ImportItem[] = [];
  const problems: ImportProblem[] = [];
  const owners = ownersOf(database);
  for (const raw of names) {
    const at = rawJoin(rawFromNative(folder), raw);
    if (path !== undefined && isDatabase(at, path)) continue;
    const entry = look(at, raw);
    if ("problem" in entry) problems.push({ path: at, code: entry.problem, detail: "It is no file that can be read." });
    else items.push(...(await itemsOf(entry, owners.get(rawToText(raw)) ?? [])));
  }
  const there = new Set(names.map(rawToText));
  for (const name of owners.keys()) if (!there.has(name)) problems.push(missing(folder, name));
  return { items, problems, database: path };
}

type Owner = { readonly user: string; readonly rows: readonly OldFile[] };

/** By file name: every user that has rows for it. */
function ownersOf({ clients, files }: OldDatabase): Map<string, Owner[]> {
  const users = new Map(clients.map(({ id, name }) => [id, name]));
  const byName = new Map<string, Map<string, OldFile[]>>();
  for (const file of files) {
    const user = (file.client && users.get(file.client)) ?? UNCLAIMED;
    const byUser = byName.get(file.name) ?? new Map<string, OldFile[]>();
    byName.set(file.name, byUser.set(user, [...(byUser.get(user) ?? []), file]));
  }
  return new Map(
    [...byName].map(([name, byUser]) => [name, [...byUser].map(([user, rows]): Owner => ({ user, rows }))]),
  );
}

async function itemsOf(entry: ScannedEntry, owners: readonly Owner[]): Promise<ImportItem[]> {
  if (owners.length === 0) return [await itemOf(entry, { user: UNCLAIMED, rows: [] }, undefined)];
  const isShared = owners.length > 1;
  return Promise.all(owners.map((owner) => itemOf(entry, owner, doubtOf(entry, owner, isShared))));
}

function doubtOf({ size }: ScannedEntry, { rows }: Owner, isShared: boolean): string | undefined {
  const sizes = rows.map(({ sizeBytes }) => sizeBytes).filter((bytes) => bytes !== undefined);
  if (sizes.length === rows.length && !sizes.includes(size)) {
    return `it has ${size} bytes, and the database says ${sizes.join(" or ")}.`;
  }
  if (isShared && cksumsOf(rows).length === 0)
    return "several clients sent a file of this name, and no checksum says whose it is.";
  return undefined;
}

async function itemOf(entry: ScannedEntry, { user, rows }: Owner, doubt: string | undefined): Promise<ImportItem> {
  const { name, size, mtimeSeconds, mtimeNanos } = entry;
  const storedAt = Math.max(0, mtimeSeconds * 1000 + Math.floor(mtimeNanos / 1e6));
  const state = [user, name, size, mtimeSeconds, mtimeNanos].join("\0");
  return {
    entry,
    user,
    cksums: cksumsOf(rows),
    doubt,
    takenAt: rows.findLast(({ modifiedAt }) => modifiedAt !== undefined)?.modifiedAt ?? storedAt,
    key: toHex(await sha256(utf8(state))).slice(0, 16),
  };
}

function cksumsOf(rows: readonly OldFile[]): number[] {
  return rows.flatMap(({ cksum }) => cksum ?? []);
}

function missing(folder: string, name: string): ImportProblem {
  // A name out of a database is a stranger's: it is only shown.
  const raw = rawFromText(name);
  const path = isPlainComponent(raw) ? rawJoin(rawFromNative(folder), raw) : raw;
  return { path, code: "ENOENT", detail: "The database names it, and the folder does not hold it." };
}

async function listNames(folder: string): Promise<RawPath[]> {
  try {
    return ((await readdir(folder, { encoding: "latin1" })) as RawPath[]).sort();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new AppError("io", { cause, context: { path: folder, detail: `${code ?? "unknown error"}.` } });
  }
}

function look(path: RawPath, name: RawPath): ScannedEntry | { readonly problem: string } {
  const found = emptyFileStat();
  try {
    lstatInto(path, found);
  } catch (error) {
    return { problem: (error as NodeJS.ErrnoException).code ?? "EIO" };
  }
  return found.type === ENTRY.file ? { ...found, type: ENTRY.file, links: 1, name, path } : { problem: "ENOTSUP" };
}

/** The database and what SQLite keeps beside it, where they lie among the files. */
function isDatabase(at: RawPath, path: string): boolean {
  return ["", "-wal", "-shm", "-journal"].some((suffix) => at === rawFromNative(`${path}${suffix}`));
}

async function databaseNear(folder: string): Promise<string | undefined> {
  for (const path of [join(folder, DATABASE), join(dirname(folder), DATABASE)])
    if ((await stat(path).catch(() => undefined))?.isFile()) return path;
  return undefined;
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}
