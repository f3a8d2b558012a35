// The trailer of a pack, which the vault adds when it accepts it: blockNos and where the other parts are.
// Layout: docs/format.md, Trailer. To open a pack: its last 8 bytes, then the trailer, then footer and header.

import { ByteReader, type Bytes, ByteWriter, equalBytes, fromHex, toHex, utf8 } from "../../core/bytes.ts";
import { AppError } from "../../core/errors.ts";
import { ID_BYTES, type PackId } from "../../core/ids.ts";
import { sha256 } from "../../core/sha256.ts";
import { failPack, NEW_PACK, PACK_MAX_BLOCKS, PACK_PART_MAX } from "./pack.ts";
import { FOOTER_HEAD_BYTES } from "./pack-footer.ts";
import { PACK_HEADER_HEAD_BYTES } from "./pack-header.ts";
import { readPartHead, writePartHead } from "./pack-part.ts";

const TRAILER_MAGIC = utf8("CB4TRLR\n");
const END_MAGIC = utf8("CB4E");
const FIXED_BYTES = 104;
/** How much of a pack's end `trailerLength` reads. */
export const TRAILER_END_BYTES = 8;

export type Trailer = {
  /** When the vault accepted the pack, milliseconds since 1970 UTC. */
  readonly receivedAt: number;
  readonly headerLength: number;
  readonly footerLength: number;
  readonly packId: PackId;
  /** In the order of the footer. */
  readonly blockNos: readonly number[];
};

export async function encodeTrailer(trailer: Trailer): Promise<Bytes> {
  const { blockNos } = trailer;
  if (blockNos.length === 0 || blockNos.length > PACK_MAX_BLOCKS || blockNos.some((blockNo) => blockNo < 1)) {
    throw new AppError("internal", { context: { detail: "a pack has at least one block, numbered from 1" } });
  }
  const length = FIXED_BYTES + 8 * blockNos.length;
  const writer = new ByteWriter(length);
  writePartHead(writer, TRAILER_MAGIC);
  writer.u32(blockNos.length);
  writer.u64(trailer.receivedAt);
  writer.u32(trailer.headerLength);
  writer.u32(trailer.footerLength);
  writer.bytes(fromHex(trailer.packId));
  for (const blockNo of blockNos) writer.u64(blockNo);
  writer.bytes(await sha256(writer.view()));
  writer.u32(length);
  writer.bytes(END_MAGIC);
  return writer.take();
}

/** Takes exactly one trailer. Throws `pack_corrupt`. */
export async function decodeTrailer(bytes: Uint8Array, pack: string = NEW_PACK): Promise<Trailer> {
  const fail = failPack(pack);
  if (trailerLength(bytes.subarray(Math.max(0, bytes.length - TRAILER_END_BYTES)), pack) !== bytes.length) {
    fail("the length of its trailer is wrong");
  }
  const hashAt = bytes.length - TRAILER_END_BYTES - 32;
  const hash = bytes.subarray(hashAt, hashAt + 32);
  if (!equalBytes(await sha256(bytes.subarray(0, hashAt)), hash)) fail("the checksum of its trailer does not match");
  const reader = new ByteReader(bytes.subarray(0, hashAt), fail);
  readPartHead(reader, TRAILER_MAGIC, fail);
  const count = reader.u32();
  if (FIXED_BYTES + 8 * count !== bytes.length) fail("its trailer has the wrong number of blocks");
  const receivedAt = reader.u64();
  const headerLength = reader.u32();
  const footerLength = reader.u32();
  if (headerLength < PACK_HEADER_HEAD_BYTES || headerLength > PACK_PART_MAX) fail("its header has no possible length");
  if (footerLength < FOOTER_HEAD_BYTES || footerLength > PACK_PART_MAX) fail("its footer has no possible length");
  const packId = toHex(reader.bytes(ID_BYTES.pack)) as PackId;
  const blockNos: number[] = [];
  for (let i = 0; i < count; i++) {
    const blockNo = reader.u64();
    if (blockNo === 0) fail("a block has number 0");
    blockNos.push(blockNo);
  }
  reader.end();
  return { receivedAt, headerLength, footerLength, packId, blockNos };
}

/** The length of the whole trailer, from the last 8 bytes of a pack. Throws `pack_corrupt`. */
export function trailerLength(lastBytes: Uint8Array, pack: string = NEW_PACK): number {
  const fail = failPack(pack);
  const reader = new ByteReader(lastBytes, fail);
  const length = reader.u32();
  if (!equalBytes(reader.bytes(4), END_MAGIC)) fail("it does not end as it should");
  reader.end();
  const count = (length - FIXED_BYTES) / 8;
  if (!Number.isInteger(count) || count < 1 || count > PACK_MAX_BLOCKS) fail("its trailer has no possible length");
  return length;
}
