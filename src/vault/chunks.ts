// The two questions about chunks: which of these does the vault have (a session asks, and relies on the answer), and where do
// these lie (a reader asks).

import { concatBytes } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import type { ChunkId, SessionId } from "../core/ids.ts";
import type { BlockLocation } from "../wire/v4/vault-port.ts";
import { locateBlock, lookUpChunks, unsoundAmong } from "./block-index.ts";
import type { VaultContext } from "./context.ts";
import { assertLease, memoryOf, requireLease } from "./sessions.ts";

const CHUNK_BYTES = 32;

/** For each chunkId the block that holds it, 0 for none. The session protects those blocks when this answers. */
export function findChunks(vault: VaultContext, session: SessionId, chunkIds: Uint8Array): Float64Array {
  if (chunkIds.length % CHUNK_BYTES !== 0) {
    throw new AppError("usage", { context: { detail: "Chunk ids have 32 bytes each." } });
  }
  const lease = requireLease(vault, session);
  const { protectedBlocks } = memoryOf(vault, session);
  const answer = lookUp(vault, chunkIds, protectedBlocks);
  if (answer.fresh.size === 0) return answer.blockNos;

  return vault.database.softTransaction(() => {
    assertLease(vault.database, lease.session);
    // Garbage collection by another process may have come between: then ask again, in here, where none can.
    const isStale = unsoundAmong(vault.database, [...answer.fresh]).length > 0;
    const { blockNos, fresh } = isStale ? lookUp(vault, chunkIds, protectedBlocks) : answer;
    const sql = "INSERT OR IGNORE INTO session_refs (session, blockNo) VALUES (?, ?)";
    for (const blockNo of fresh) vault.database.run(sql, lease.session, blockNo);
    for (const blockNo of fresh) protectedBlocks.add(blockNo);
    return blockNos;
  });
}

export function locateChunks(
  vault: VaultContext,
  chunkIds: readonly ChunkId[],
  prefer: ReadonlySet<number> = new Set(),
): (BlockLocation | undefined)[] {
  const blockNos = new Float64Array(chunkIds.length);
  lookUpChunks(vault.database, concatBytes(chunkIds), (i, blockNo) => {
    const chosen = blockNos[i]!;
    if (chosen === 0 || (prefer.has(blockNo) && !prefer.has(chosen))) blockNos[i] = blockNo;
  });
  const locations = new Map<number, BlockLocation | undefined>([[0, undefined]]);
  return Array.from(blockNos, (blockNo) => {
    if (!locations.has(blockNo)) locations.set(blockNo, locateBlock(vault.database, blockNo));
    return locations.get(blockNo);
  });
}

/** `fresh`: blocks in the answer that are not among `known`. Of several blocks with one chunk the oldest is named. */
function lookUp(
  vault: VaultContext,
  chunkIds: Uint8Array,
  known: ReadonlySet<number>,
): { blockNos: Float64Array; fresh: Set<number> } {
  const blockNos = new Float64Array(chunkIds.length / CHUNK_BYTES);
  const fresh = new Set<number>();
  lookUpChunks(vault.database, chunkIds, (i, blockNo) => {
    if (blockNos[i] !== 0) return;
    blockNos[i] = blockNo;
    if (!known.has(blockNo)) fresh.add(blockNo);
  });
  return { blockNos, fresh };
}
