// The record of a committed snapshot: signed by its device, readable without keys but for `info` and `key`.
// Layout: docs/format.md, Snapshot record. Decoding checks the shape only: whoever trusts a record verifies `sig` first.

import { type Bytes, concatBytes, fromHex, toHex, utf8 } from "../../core/bytes.ts";
import {
  type DeviceId,
  ID_BYTES,
  type NameToken,
  type SessionId,
  type SnapshotId,
  type VaultId,
} from "../../core/ids.ts";
import { sha256 } from "../../core/sha256.ts";
import { decodeRecord, encodeMap, encodeRecord, failRecord, RECORD_MAX_BODY } from "./envelope.ts";
import { FieldReader } from "./fields.ts";
import { SEALED_KEY_MAX } from "./pack.ts";

export type SnapshotRecord = {
  readonly vault: VaultId;
  readonly device: DeviceId;
  readonly session: SessionId;
  readonly plan: NameToken;
  /** Ascending, without doubles. */
  readonly tags: readonly NameToken[];
  /** The device's clock at the end of the run, milliseconds since 1970 UTC. */
  readonly time: number;
  readonly base: SnapshotId | undefined;
  /** The last log entry that the device had seen: its id in hex, and its number. */
  readonly head: string;
  readonly headSeq: number;
  /** Sealed bytes that this session added. */
  readonly added: number;
  /** blockNos on which the snapshot rests; see refs.ts. */
  readonly refs: Bytes;
  /** Session key as a binary age file. */
  readonly key: Bytes;
  /** Sealed snapshot info; see engine/snapshot-info.ts. */
  readonly info: Bytes;
  /** Ed25519 over `snapshotStatement`. */
  readonly sig: Bytes;
};

const WHAT = "A snapshot record";

export async function encodeSnapshotRecord(record: SnapshotRecord): Promise<{ bytes: Bytes; id: SnapshotId }> {
  const { bytes, id } = await encodeRecord("CB4S", { ...bodyOf(record), sig: record.sig });
  return { bytes, id: toHex(id) as SnapshotId };
}

/** Byte fields are views into `bytes`. */
export async function decodeSnapshotRecord(bytes: Uint8Array): Promise<SnapshotRecord & { readonly id: SnapshotId }> {
  const { body, id } = await decodeRecord("CB4S", bytes);
  const fail = failRecord(WHAT);
  const fields = new FieldReader(body, fail);
  const record = {
    vault: fields.id<VaultId>("vault", ID_BYTES.vault),
    device: fields.id<DeviceId>("device", ID_BYTES.device),
    session: fields.id<SessionId>("session", ID_BYTES.session),
    plan: fields.id<NameToken>("plan", ID_BYTES.token),
    tags: fields.bytesArray("tags", ID_BYTES.token).map((tag) => toHex(tag) as NameToken),
    time: fields.int("time"),
    base: fields.optionalId<SnapshotId>("base", ID_BYTES.snapshot),
    head: fields.id("head", 32),
    headSeq: fields.int("headSeq"),
    added: fields.int("added"),
    refs: fields.bytes("refs", { maxLength: RECORD_MAX_BODY }),
    key: fields.bytes("key", { maxLength: SEALED_KEY_MAX }),
    info: fields.bytes("info", { maxLength: RECORD_MAX_BODY }),
    sig: fields.bytes("sig", 64),
  };
  fields.end();
  if (record.tags.some((tag, i) => i > 0 && tag <= record.tags[i - 1]!)) fail("its tags are out of order");
  return { ...record, id: toHex(id) as SnapshotId };
}

/** The bytes that the device signs. */
export async function snapshotStatement(bodyWithoutSig: Omit<SnapshotRecord, "sig">): Promise<Bytes> {
  return concatBytes([utf8("CB4 snap v1\n"), await sha256(encodeMap(bodyOf(bodyWithoutSig)))]);
}

function bodyOf(record: Omit<SnapshotRecord, "sig">): Record<string, unknown> {
  return {
    added: record.added,
    base: record.base === undefined ? null : fromHex(record.base),
    device: fromHex(record.device),
    head: fromHex(record.head),
    headSeq: record.headSeq,
    info: record.info,
    key: record.key,
    plan: fromHex(record.plan),
    refs: record.refs,
    session: fromHex(record.session),
    tags: record.tags.map(fromHex),
    time: record.time,
    vault: fromHex(record.vault),
  };
}
