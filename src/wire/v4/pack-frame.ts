// The 16 bytes before the sealed bytes of a block. Layout: docs/format.md, Block frame.

import { ByteReader, type Bytes, ByteWriter, equalBytes, utf8 } from "../../core/bytes.ts";
import { AppError } from "../../core/errors.ts";
import { FRAME_HEADER_BYTES, failPack, NEW_PACK, SEALED_MAX, SEALED_MIN } from "./pack.ts";
import { type BlockKind, KIND_DATA, KIND_TREE } from "./vault-port.ts";

export const FRAME_MAGIC = utf8("CB4B");

export type FrameHeader = {
  /** Of the sealed bytes that follow. */
  readonly length: number;
  readonly counter: number;
  readonly sessionIndex: number;
  readonly kind: BlockKind;
};

export function encodeFrameHeader({ length, counter, sessionIndex, kind }: FrameHeader): Bytes {
  if (length < SEALED_MIN || length > SEALED_MAX || counter > 0xffffffff) {
    throw new AppError("internal", { context: { detail: `a block of ${length} bytes, number ${counter}` } });
  }
  const writer = new ByteWriter(FRAME_HEADER_BYTES);
  writer.bytes(FRAME_MAGIC);
  writer.u32(length);
  writer.u32(counter);
  writer.u16(sessionIndex);
  writer.u8(kind);
  writer.u8(0);
  return writer.take();
}

/** Takes exactly 16 bytes. Throws `pack_corrupt`. */
export function decodeFrameHeader(bytes: Uint8Array, pack: string = NEW_PACK): FrameHeader {
  const fail = failPack(pack);
  const reader = new ByteReader(bytes, fail);
  if (!equalBytes(reader.bytes(4), FRAME_MAGIC)) fail("a block frame does not begin as it should");
  const frame = readBlockShape(reader, fail);
  reader.end();
  return frame;
}

/** The fields that frames and footer entries have in common, in the same order. */
export function readBlockShape(reader: ByteReader, fail: (detail: string) => never): FrameHeader {
  const length = reader.u32();
  if (length < SEALED_MIN || length > SEALED_MAX) fail(`a block cannot have ${length} bytes`);
  const counter = reader.u32();
  const sessionIndex = reader.u16();
  const kind = reader.u8();
  if (kind !== KIND_DATA && kind !== KIND_TREE) return fail(`a block cannot be of kind ${kind}`);
  if (reader.u8() !== 0) fail("a reserved field is set");
  return { length, counter, sessionIndex, kind };
}
