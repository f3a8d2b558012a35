// The parts that several JSON documents share, from the engine's own types.

import { tryUtf8Decode } from "../core/bytes.ts";
import { type RawPath, rawToBytes, rawToText } from "../core/raw-path.ts";
import type { ListedSnapshot } from "../engine/reader/snapshots.ts";
import type { FoundEntry } from "../engine/reader/tree-reader.ts";
import type { EntryType, TreeEntry } from "../wire/v4/tree-types.ts";
import { isoTime } from "./format-time.ts";
import type { EntryJson, SnapshotJson } from "./json-schema.ts";

const KINDS = {
  1: "file",
  2: "directory",
  3: "symlink",
  4: "fifo",
  5: "char-device",
  6: "block-device",
  7: "socket",
} as const satisfies Record<EntryType, EntryJson["kind"]>;

/** The path as text, and its bytes where text cannot say them. */
export function pathJson(path: RawPath): { path: string; pathBase64?: string } {
  const bytes = rawToBytes(path);
  const isText = tryUtf8Decode(bytes) !== undefined;
  return { path: rawToText(path), ...(isText ? {} : { pathBase64: bytes.toBase64() }) };
}

export function entryJson({ path, entry, owners }: FoundEntry): EntryJson {
  return { ...pathJson(path), ...metadataJson(entry, owners) };
}

/** An entry without its path. */
export function metadataJson(entry: TreeEntry, owners?: FoundEntry["owners"]): Omit<EntryJson, "path" | "pathBase64"> {
  const user = owners?.users.get(entry.uid);
  const group = owners?.groups.get(entry.gid);
  return {
    kind: KINDS[entry.type],
    ...(entry.size === undefined ? {} : { size: entry.size }),
    mode: entry.mode.toString(8).padStart(4, "0"),
    uid: entry.uid,
    gid: entry.gid,
    ...(user ? { user } : {}),
    ...(group ? { group } : {}),
    mtime: isoNanos(entry.mtimeSeconds, entry.mtimeNanos),
    ...(entry.linkTarget === undefined ? {} : { linkTarget: rawToText(entry.linkTarget) }),
    ...(entry.changed ? { changed: true as const } : {}),
  };
}

export function snapshotJson(listed: ListedSnapshot): SnapshotJson {
  const { row, info, deviceName, error } = listed;
  return {
    id: row.id,
    time: isoTime(row.receivedAt),
    device: row.device,
    ...(deviceName === undefined ? {} : { deviceName }),
    state: row.state,
    ...(row.trashedAt === undefined ? {} : { trashedAt: isoTime(row.trashedAt) }),
    pinned: row.pinnedUntil !== undefined,
    ...(row.pinnedUntil ? { pinnedUntil: isoTime(row.pinnedUntil) } : {}),
    addedBytes: row.addedBytes,
    ...(info
      ? {
          startedAt: isoTime(info.startedAt),
          endedAt: isoTime(info.endedAt),
          host: info.host,
          user: info.user,
          plan: info.plan,
          tags: [...info.tags],
          paths: info.paths.map(rawToText),
          program: info.program,
          files: info.stats.files,
          directories: info.stats.directories,
          bytes: info.stats.bytes,
          unreadable: info.errors.count,
        }
      : {}),
    ...(error ? { error: error.message } : {}),
  };
}

/** Seconds outside what a date can say are given as they are. */
function isoNanos(seconds: number, nanos: number): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return `@${seconds}.${String(nanos).padStart(9, "0")}`;
  return `${date.toISOString().slice(0, -5)}.${String(nanos).padStart(9, "0")}Z`;
}
