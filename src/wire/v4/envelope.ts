// The envelope that vault record, snapshot record and log entry share, and the MessagePack map inside it.
// Layout: docs/format.md, Record envelope. Signatures live in the bodies; the hash here finds accidents and gives the id.

import { encode } from "@msgpack/msgpack";
import { ByteReader, type Bytes, ByteWriter, equalBytes, tryUtf8Decode, utf8 } from "../../core/bytes.ts";
import { AppError } from "../../core/errors.ts";
import { sha256 } from "../../core/sha256.ts";
import { readMessagePack } from "./msgpack-reader.ts";

export type RecordMagic = "CB4V" | "CB4S" | "CB4L";

export const RECORD_MAX_BODY = 64 * 1024 * 1024;

const VERSION = 1;
const HEAD_BYTES = 12;
const HASH_BYTES = 32;
const RECORD_NAMES = { CB4V: "The vault record", CB4S: "A snapshot record", CB4L: "A log entry" } as const;

export async function encodeRecord(
  magic: RecordMagic,
  body: Record<string, unknown>,
): Promise<{ bytes: Bytes; id: Bytes }> {
  const encoded = encodeMap(body);
  if (encoded.length > RECORD_MAX_BODY) {
    throw new AppError("limit", { context: { what: RECORD_NAMES[magic], limit: "64 MiB" } });
  }
  const writer = new ByteWriter(HEAD_BYTES + encoded.length + HASH_BYTES);
  writer.bytes(utf8(magic));
  writer.u16(VERSION);
  writer.u16(0);
  writer.u32(encoded.length);
  writer.bytes(encoded);
  const id = await sha256(writer.view());
  writer.bytes(id);
  return { bytes: writer.take(), id };
}

/** Throws `record_corrupt`, or `vault_version` for an intact record of another version. Byte fields are views into `bytes`. */
export async function decodeRecord(magic: RecordMagic, bytes: Uint8Array): Promise<{ body: unknown; id: Bytes }> {
  const what = RECORD_NAMES[magic];
  const fail = failRecord(what);
  const reader = new ByteReader(bytes, fail);
  if (tryUtf8Decode(reader.bytes(4)) !== magic) fail("it does not begin as it should");
  const version = reader.u16();
  const reserved = reader.u16();
  const length = reader.u32();
  if (length > RECORD_MAX_BODY) fail("its length is over the limit");
  if (reader.remaining !== length + HASH_BYTES) fail("its length is wrong");
  const end = bytes.length - HASH_BYTES;
  const id = bytes.slice(end);
  if (!equalBytes(await sha256(bytes.subarray(0, end)), id)) fail("its checksum does not match");
  if (version !== VERSION) throw new AppError("vault_version", { context: { version } });
  if (reserved !== 0) fail("a reserved field is set");
  return { body: decodeMap(reader.bytes(length), what), id };
}

/** Canonical MessagePack: sorted keys, shortest codings; text, bytes, booleans, null and safe non-negative integers only. */
export function encodeMap(body: Record<string, unknown>): Bytes {
  requirePlain(body);
  return encode(body, { sortKeys: true });
}

/** The map in `bytes`. `what` begins the message of a `record_corrupt` error. */
export function decodeMap(bytes: Uint8Array, what: string): unknown {
  return readMessagePack(bytes, failRecord(what));
}

export function failRecord(what: string): (detail: string) => never {
  return (detail) => {
    throw new AppError("record_corrupt", { context: { what, detail } });
  };
}

function requirePlain(value: unknown): void {
  if (value === null || typeof value === "boolean" || value instanceof Uint8Array) return;
  if (typeof value === "string" && value.isWellFormed()) return;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return;
  if (typeof value !== "object") {
    throw new AppError("internal", { context: { detail: `${typeof value} ${String(value)} cannot be in a record` } });
  }
  for (const item of Object.values(value)) requirePlain(item);
}
