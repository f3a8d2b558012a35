// The header of a pack: whose vault it is and the sealed keys of its sessions. Layout: docs/format.md, Pack header.

import { ByteReader, type Bytes, ByteWriter, fromHex, toHex, utf8 } from "../../core/bytes.ts";
import { AppError } from "../../core/errors.ts";
import { type DeviceId, ID_BYTES, type SessionId, type VaultId } from "../../core/ids.ts";
import { failPack, NEW_PACK, PACK_PART_MAX, type PackSession, SEALED_KEY_MAX } from "./pack.ts";
import { readPartHead, writePartHead } from "./pack-part.ts";

export const PACK_HEADER_MAGIC = utf8("CB4PACK\n");
/** Up to and with the length of the whole header. */
export const PACK_HEADER_HEAD_BYTES = 36;

export type PackHeader = { readonly vaultId: VaultId; readonly sessions: readonly PackSession[] };

export function encodePackHeader(vaultId: VaultId, sessions: readonly PackSession[]): Bytes {
  if (sessions.length === 0 || sessions.length > 0xffff) {
    throw new AppError("internal", { context: { detail: `a pack cannot have ${sessions.length} sessions` } });
  }
  const length = sessions.reduce((sum, { sealedKey }) => sum + 34 + sealedKey.length, PACK_HEADER_HEAD_BYTES);
  if (length > PACK_PART_MAX || sessions.some(({ sealedKey }) => sealedKey.length > SEALED_KEY_MAX)) {
    throw new AppError("internal", { context: { detail: "the header of a pack is too long" } });
  }
  const writer = new ByteWriter(length);
  writePartHead(writer, PACK_HEADER_MAGIC);
  writer.bytes(fromHex(vaultId));
  writer.u16(sessions.length);
  writer.u16(0);
  writer.u32(length);
  for (const { session, device, sealedKey } of sessions) {
    writer.bytes(fromHex(session));
    writer.bytes(fromHex(device));
    writer.u16(sealedKey.length);
    writer.bytes(sealedKey);
  }
  return writer.take();
}

/** Takes exactly one header; sealed keys are views into it. Throws `pack_corrupt`. */
export function decodePackHeader(bytes: Uint8Array, pack: string = NEW_PACK): PackHeader {
  const fail = failPack(pack);
  const reader = new ByteReader(bytes, fail);
  const { vaultId, count, length } = readHead(reader, fail);
  if (length !== bytes.length) fail("the length of its header is wrong");
  const sessions: PackSession[] = [];
  for (let i = 0; i < count; i++) {
    const session = toHex(reader.bytes(ID_BYTES.session)) as SessionId;
    const device = toHex(reader.bytes(ID_BYTES.device)) as DeviceId;
    const keyLength = reader.u16();
    if (keyLength > SEALED_KEY_MAX) fail("a sealed session key is over its limit");
    sessions.push({ session, device, sealedKey: reader.bytes(keyLength) as Bytes });
  }
  reader.end();
  return { vaultId, sessions };
}

/** The length of the whole header, from its first 36 bytes. */
export function packHeaderLength(head: Uint8Array, pack: string = NEW_PACK): number {
  const fail = failPack(pack);
  return readHead(new ByteReader(head, fail), fail).length;
}

function readHead(reader: ByteReader, fail: (detail: string) => never) {
  readPartHead(reader, PACK_HEADER_MAGIC, fail);
  const vaultId = toHex(reader.bytes(ID_BYTES.vault)) as VaultId;
  const count = reader.u16();
  if (count === 0) fail("it has no session");
  if (reader.u16() !== 0) fail("a reserved field is set");
  const length = reader.u32();
  if (length > PACK_PART_MAX) fail("its header is over its limit");
  if (length < PACK_HEADER_HEAD_BYTES + 34 * count) fail("its header is too short for its sessions");
  return { vaultId, count, length };
}
