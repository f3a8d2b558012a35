// The footer of a pack: one entry for each block, in the order of the frames. Layout: docs/format.md, Footer.
// Decoding checks the shape only: the vault verifies every signature and blockId before it relies on them.

import { ByteReader, type Bytes, ByteWriter, utf8 } from "../../core/bytes.ts";
import { AppError } from "../../core/errors.ts";
import type { BlockId } from "../../core/ids.ts";
import {
  BLOCK_MAX_CHUNKS,
  type BlockEntry,
  FRAME_HEADER_BYTES,
  failPack,
  NEW_PACK,
  PACK_MAX_BLOCKS,
  PACK_PART_MAX,
} from "./pack.ts";
import { type FrameHeader, readBlockShape } from "./pack-frame.ts";
import { readPartHead, writePartHead } from "./pack-part.ts";

export const FOOTER_MAGIC = utf8("CB4FOOT\n");
/** Up to and with the length of the whole footer. */
export const FOOTER_HEAD_BYTES = 20;
const ENTRY_BYTES = 120;

export function encodeFooter(entries: readonly BlockEntry[]): Bytes {
  const length = entries.reduce((sum, { chunkIds }) => sum + ENTRY_BYTES + chunkIds.length, FOOTER_HEAD_BYTES);
  if (entries.length === 0 || entries.length > PACK_MAX_BLOCKS || length > PACK_PART_MAX) {
    throw new AppError("internal", { context: { detail: `a pack cannot have ${entries.length} blocks` } });
  }
  const writer = new ByteWriter(length);
  writePartHead(writer, FOOTER_MAGIC);
  writer.u32(entries.length);
  writer.u32(length);
  for (const entry of entries) {
    writer.bytes(entry.blockId);
    writer.u64(entry.offset);
    writer.u32(entry.length);
    writer.u32(entry.counter);
    writer.u16(entry.sessionIndex);
    writer.u8(entry.kind);
    writer.u8(0);
    writer.u32(chunkCount(entry));
    writer.bytes(entry.signature);
    writer.bytes(entry.chunkIds);
  }
  return writer.take();
}

/** Takes exactly one footer; ids and signatures are views into it. Throws `pack_corrupt`. */
export function decodeFooter(bytes: Uint8Array, pack: string = NEW_PACK): BlockEntry[] {
  const fail = failPack(pack);
  const reader = new ByteReader(bytes, fail);
  const { count, length } = readHead(reader, fail);
  if (length !== bytes.length) fail("the length of its footer is wrong");
  const entries: BlockEntry[] = [];
  for (let i = 0; i < count; i++) {
    const blockId = reader.bytes(32) as BlockId;
    const offset = reader.u64();
    const shape = readBlockShape(reader, fail);
    const chunks = reader.u32();
    if (chunks === 0 || chunks > BLOCK_MAX_CHUNKS) fail(`a block cannot hold ${chunks} chunks`);
    const signature = reader.bytes(64) as Bytes;
    entries.push({ blockId, offset, ...shape, signature, chunkIds: reader.bytes(chunks * 32) });
  }
  reader.end();
  return entries;
}

/** The length of the whole footer, from its first 20 bytes. */
export function footerLength(head: Uint8Array, pack: string = NEW_PACK): number {
  const fail = failPack(pack);
  return readHead(new ByteReader(head, fail), fail).length;
}

/** Refuses entries that do not lie one after the other behind the header, or that name a session it does not have. */
export function checkFooterLayout(
  entries: readonly BlockEntry[],
  header: { readonly length: number; readonly sessions: number },
  pack: string = NEW_PACK,
): void {
  const fail = failPack(pack);
  let end = header.length;
  for (const { offset, length, sessionIndex } of entries) {
    if (offset !== end + FRAME_HEADER_BYTES) fail("its footer puts a block where none is");
    if (sessionIndex >= header.sessions) fail("its footer names a session that it does not have");
    end = offset + length;
  }
}

/** A frame as it was met in the pack. */
export type SeenFrame = FrameHeader & { readonly offset: number };

/** Refuses any difference between the frames of a pack and its footer. */
export function checkFooterAgainstFrames(
  entries: readonly BlockEntry[],
  frames: readonly SeenFrame[],
  pack: string = NEW_PACK,
): void {
  const fail = failPack(pack);
  if (entries.length !== frames.length) fail(`it has ${frames.length} blocks and its footer lists ${entries.length}`);
  entries.forEach((entry, i) => {
    const frame = frames[i]!;
    const same =
      entry.offset === frame.offset &&
      entry.length === frame.length &&
      entry.counter === frame.counter &&
      entry.sessionIndex === frame.sessionIndex &&
      entry.kind === frame.kind;
    if (!same) fail(`block ${i} differs from what its footer says`);
  });
}

function chunkCount({ chunkIds }: BlockEntry): number {
  const count = chunkIds.length / 32;
  if (!Number.isInteger(count) || count === 0 || count > BLOCK_MAX_CHUNKS) {
    throw new AppError("internal", { context: { detail: `a block cannot hold ${count} chunks` } });
  }
  return count;
}

function readHead(reader: ByteReader, fail: (detail: string) => never) {
  readPartHead(reader, FOOTER_MAGIC, fail);
  const count = reader.u32();
  if (count === 0 || count > PACK_MAX_BLOCKS) fail(`it cannot have ${count} blocks`);
  const length = reader.u32();
  if (length > PACK_PART_MAX) fail("its footer is over its limit");
  if (length < FOOTER_HEAD_BYTES + (ENTRY_BYTES + 32) * count) fail("its footer is too short for its blocks");
  return { count, length };
}
