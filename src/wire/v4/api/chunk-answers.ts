// How the answers about chunks are packed (docs/protocol-v4.md, The device API): which are there and in which blocks, and where they
// lie. Decoders take nothing for granted: every count, bit and index is checked, and what does not fit is told to `fail`.

import { ByteReader, type Bytes, ByteWriter } from "../../../core/bytes.ts";
import type { BlockLocation } from "../vault-port.ts";

type Fail = (detail: string) => never;

export type FoundMessage = { readonly have: Bytes; readonly blockNos: Bytes };

/** `blockNos` has one number for each chunk that was asked for, 0 where it is missing. */
export function encodeFound(blockNos: Float64Array): FoundMessage {
  const have = new Uint8Array(Math.ceil(blockNos.length / 8));
  const writer = new ByteWriter(blockNos.length * 2 + 8);
  let before = 0;
  for (const [i, blockNo] of blockNos.entries()) {
    if (blockNo === 0) continue;
    have[i >>> 3]! |= 1 << (i & 7);
    writer.zigzag(blockNo - before);
    before = blockNo;
  }
  return { have, blockNos: writer.take() };
}

/** For `count` chunks the blockNo that holds each one, 0 where it is missing. */
export function decodeFound(count: number, { have, blockNos }: FoundMessage, fail: Fail): Float64Array {
  if (have.length !== Math.ceil(count / 8)) fail("the bitmap of chunks has the wrong length");
  if (count % 8 !== 0 && have.at(-1)! >>> (count % 8) !== 0)
    fail("the bitmap of chunks names more than were asked for");
  const reader = new ByteReader(blockNos, fail);
  const found = new Float64Array(count);
  let before = 0;
  for (let i = 0; i < count; i++) {
    if ((have[i >>> 3]! & (1 << (i & 7))) === 0) continue;
    before += reader.zigzag();
    if (before < 1 || before > Number.MAX_SAFE_INTEGER) fail("a block number is out of range");
    found[i] = before;
  }
  reader.end();
  return found;
}

export type LocatedMessage = { readonly blocks: readonly BlockMessage[]; readonly of: Bytes };
/** `kind` is checked by the route's schema. */
type BlockMessage = Omit<BlockLocation, "kind" | "blockId"> & { readonly kind: number; readonly blockId: Bytes };

/** Each block once. */
export function encodeLocated(locations: readonly (BlockLocation | undefined)[]): {
  blocks: BlockLocation[];
  of: Bytes;
} {
  const rows = new Map<number, number>();
  const blocks: BlockLocation[] = [];
  const writer = new ByteWriter(locations.length * 4);
  for (const location of locations) {
    let row = location === undefined ? 0 : rows.get(location.blockNo);
    if (row === undefined) {
      row = blocks.push(plain(location!));
      rows.set(location!.blockNo, row);
    }
    writer.u32(row);
  }
  return { blocks, of: writer.take() };
}

/** Just these fields: a schema takes no others. */
function plain(location: BlockLocation): BlockLocation {
  const { blockNo, blockId, kind, session, device, counter, length, pack, offset } = location;
  return { blockNo, blockId, kind, session, device, counter, length, pack, offset };
}

/** For `count` chunks where each one lies, undefined where it is missing. */
export function decodeLocated(
  count: number,
  { blocks, of }: LocatedMessage,
  fail: Fail,
): (BlockLocation | undefined)[] {
  if (of.length !== count * 4) fail("the places of chunks have the wrong length");
  const reader = new ByteReader(of, fail);
  return Array.from({ length: count }, () => {
    const row = reader.u32();
    if (row > blocks.length) fail("a chunk is said to lie in a block that is not named");
    return row === 0 ? undefined : (blocks[row - 1] as BlockLocation);
  });
}
