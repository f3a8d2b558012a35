// How header, footer and trailer of a pack begin: 8 bytes of magic, version, a reserved field.

import { type ByteReader, type ByteWriter, equalBytes } from "../../core/bytes.ts";
import { PACK_VERSION } from "./pack.ts";

export function writePartHead(writer: ByteWriter, magic: Uint8Array): void {
  writer.bytes(magic);
  writer.u16(PACK_VERSION);
  writer.u16(0);
}

export function readPartHead(reader: ByteReader, magic: Uint8Array, fail: (detail: string) => never): void {
  if (!equalBytes(reader.bytes(magic.length), magic)) fail("a part of it does not begin as it should");
  const version = reader.u16();
  if (version !== PACK_VERSION) fail(`it has format version ${version}, which this program does not know`);
  if (reader.u16() !== 0) fail("a reserved field is set");
}
