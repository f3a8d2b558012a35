// The ids of a call as they come: 32 bytes each, one after the other.

import type { Bytes } from "../../core/bytes.ts";
import { AppError } from "../../core/errors.ts";
import { type ChunkId, ID_BYTES } from "../../core/ids.ts";

/** Throws `request_invalid`. */
export function requireChunkIds(ids: Uint8Array): void {
  if (ids.length % ID_BYTES.chunk === 0) return;
  throw new AppError("request_invalid", { context: { detail: "ids: not a whole number of ids" } });
}

export function cutChunkIds(ids: Bytes): ChunkId[] {
  requireChunkIds(ids);
  const cut: ChunkId[] = [];
  for (let at = 0; at < ids.length; at += ID_BYTES.chunk) cut.push(ids.subarray(at, at + ID_BYTES.chunk) as ChunkId);
  return cut;
}
