// What only readers of the vault learn about a snapshot, sealed inside its record. Layout: docs/format.md, Snapshot record.

import { ByteReader, type Bytes, fromHex } from "../core/bytes.ts";
import type { ChunkId, SessionId, VaultId } from "../core/ids.ts";
import { type RawPath, rawFromBytes, rawToBytes } from "../core/raw-path.ts";
import type { Primitives } from "../crypto/primitives.ts";
import { padmeLength, sealAad, sealNonce } from "../crypto/sealing.ts";
import { decodeMap, encodeMap, failRecord, RECORD_MAX_BODY } from "../wire/v4/envelope.ts";
import { FieldReader } from "../wire/v4/fields.ts";
import { KIND_SNAPSHOT_INFO } from "../wire/v4/vault-port.ts";

export type SnapshotStats = {
  readonly files: number;
  readonly directories: number;
  readonly others: number;
  /** Sum of the sizes of all files. */
  readonly bytes: number;
  readonly newFiles: number;
  readonly changedFiles: number;
  readonly unchangedFiles: number;
  /** Sealed bytes that the run added. */
  readonly addedBytes: number;
};

export type SnapshotInfo = {
  /** Segments of the root directory. */
  readonly root: readonly ChunkId[];
  /** Absolute paths that were backed up. */
  readonly paths: readonly RawPath[];
  readonly host: string;
  readonly user: string;
  readonly plan: string;
  readonly tags: readonly string[];
  /** Milliseconds since 1970 UTC. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Name and version of the program that made it. */
  readonly program: string;
  readonly stats: SnapshotStats;
  /** What could not be read: how often, and the first of them (at most 100). */
  readonly errors: {
    readonly count: number;
    readonly first: readonly { readonly path: RawPath; readonly reason: string }[];
  };
};

export const MAX_INFO_ERRORS = 100;

const WHAT = "The sealed part of a snapshot";
const COUNTER = 0;
const TEXT_MAX_BYTES = 4096;

/** `key` is the session key. Sealed once per session: kind and counter are the same each time. */
export async function sealSnapshotInfo(
  primitives: Primitives,
  key: Uint8Array,
  vaultId: VaultId,
  sessionId: SessionId,
  info: SnapshotInfo,
): Promise<Bytes> {
  const map = encodeMap(mapOf(info));
  const padded = new Uint8Array(padmeLength(4 + map.length));
  new DataView(padded.buffer).setUint32(0, map.length, true);
  padded.set(map, 4);
  return primitives.gcmSeal(key, sealNonce(KIND_SNAPSHOT_INFO, COUNTER), aadOf(vaultId, sessionId), padded);
}

/** Throws `record_corrupt`. */
export async function openSnapshotInfo(
  primitives: Primitives,
  key: Uint8Array,
  vaultId: VaultId,
  sessionId: SessionId,
  sealed: Uint8Array,
): Promise<SnapshotInfo> {
  const nonce = sealNonce(KIND_SNAPSHOT_INFO, COUNTER);
  const plaintext = await primitives.gcmOpen(key, nonce, aadOf(vaultId, sessionId), sealed);
  return decodeSnapshotInfo(plaintext ?? fail("it cannot be opened with its key"));
}

/** The opened plaintext, padding included. Byte fields are views into it. */
export function decodeSnapshotInfo(plaintext: Uint8Array): SnapshotInfo {
  const reader = new ByteReader(plaintext, fail);
  const length = reader.u32();
  if (plaintext.length !== padmeLength(4 + length)) fail("its length is wrong");
  const map = decodeMap(reader.bytes(length), WHAT);
  if (reader.bytes(reader.remaining).some((byte) => byte !== 0)) fail("its padding is not empty");
  return readInfo(new FieldReader(map, fail));
}

function mapOf(info: SnapshotInfo): Record<string, unknown> {
  const first = info.errors.first.map(({ path, reason }) => ({ path: rawToBytes(path), reason }));
  return { ...info, paths: info.paths.map(rawToBytes), errors: { count: info.errors.count, first } };
}

function readInfo(fields: FieldReader): SnapshotInfo {
  const info = {
    root: fields.bytesArray("root", 32) as ChunkId[],
    paths: fields.bytesArray("paths", { maxLength: RECORD_MAX_BODY }).map(rawFromBytes),
    host: fields.text("host", TEXT_MAX_BYTES),
    user: fields.text("user", TEXT_MAX_BYTES),
    plan: fields.text("plan", TEXT_MAX_BYTES),
    tags: fields.textArray("tags", TEXT_MAX_BYTES),
    startedAt: fields.int("startedAt"),
    endedAt: fields.int("endedAt"),
    program: fields.text("program", TEXT_MAX_BYTES),
    stats: readStats(fields.map("stats")),
    errors: readErrors(fields.map("errors")),
  };
  fields.end();
  return info;
}

function readStats(fields: FieldReader): SnapshotStats {
  const stats = {
    files: fields.int("files"),
    directories: fields.int("directories"),
    others: fields.int("others"),
    bytes: fields.int("bytes"),
    newFiles: fields.int("newFiles"),
    changedFiles: fields.int("changedFiles"),
    unchangedFiles: fields.int("unchangedFiles"),
    addedBytes: fields.int("addedBytes"),
  };
  fields.end();
  return stats;
}

function readErrors(fields: FieldReader): SnapshotInfo["errors"] {
  const count = fields.int("count");
  const first = fields.array("first").map((value) => {
    const error = new FieldReader(value, fail);
    const path = rawFromBytes(error.bytes("path", { maxLength: RECORD_MAX_BODY }));
    const reason = error.text("reason", TEXT_MAX_BYTES);
    error.end();
    return { path, reason };
  });
  fields.end();
  if (first.length > MAX_INFO_ERRORS || first.length > count) fail("it lists more errors than it may");
  return { count, first };
}

function aadOf(vaultId: VaultId, sessionId: SessionId): Bytes {
  return sealAad(fromHex(vaultId), fromHex(sessionId), KIND_SNAPSHOT_INFO, COUNTER);
}

function fail(detail: string): never {
  return failRecord(WHAT)(detail);
}
