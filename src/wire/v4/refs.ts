// The blockNos on which a snapshot rests, as the `refs` field of its record: ascending, each as varint of the distance to the
// one before (the first to 0). One or two bytes a block. Layout: docs/format.md, Snapshot record.

import { ByteReader, type Bytes, ByteWriter } from "../../core/bytes.ts";
import { AppError } from "../../core/errors.ts";
import { failRecord } from "./envelope.ts";

/** `sorted` must ascend strictly from at least 1. */
export function encodeRefs(sorted: Iterable<number>): Bytes {
  const writer = new ByteWriter();
  let before = 0;
  for (const blockNo of sorted) {
    if (!(blockNo > before)) {
      throw new AppError("internal", { context: { detail: `block ${blockNo} comes after block ${before}` } });
    }
    writer.varint(blockNo - before);
    before = blockNo;
  }
  return writer.take();
}

/** Throws `record_corrupt` unless the blockNos ascend strictly from at least 1. */
export function decodeRefs(bytes: Uint8Array): number[] {
  const fail = failRecord("A snapshot record");
  const reader = new ByteReader(bytes, fail);
  const refs: number[] = [];
  let before = 0;
  while (reader.remaining > 0) {
    const distance = reader.varint();
    if (distance === 0) fail("its block numbers do not ascend");
    before += distance;
    if (before > Number.MAX_SAFE_INTEGER) fail("a block number is too large");
    refs.push(before);
  }
  return refs;
}
