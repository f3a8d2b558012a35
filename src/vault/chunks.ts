// The two questions about chunks: which of these does the vault have (a session asks, and relies on the answer), and where do
// these lie (a reader asks).

import { setImmediate as nextTurn } from "node:timers/promises";
import { concatBytes, fromHex, toHex } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import type { ChunkId, DeviceId, SessionId, SnapshotId } from "../core/ids.ts";
import { decodeRefs } from "../wire/v4/refs.ts";
import type { BlockLocation } from "../wire/v4/vault-port.ts";
import { locateBlock, lookUpChunks } from "./block-index.ts";
import type { VaultContext } from "./context.ts";
import { assertLease, memoryOf, requireLease } from "./sessions.ts";
import { trustOf } from "./trust.ts";

const CHUNK_BYTES = 32;
/** Ids that are looked up in one go: a few milliseconds, however large the index. */
const SLICE_BYTES = 1024 * CHUNK_BYTES;

/**
 * For each chunkId the block that holds it, 0 for none that the session's device relies on. The session protects those blocks when this answers. A long question is answered in
 * slices, so that others are not kept waiting.
 */
export async function findChunks(vault: VaultContext, session: SessionId, chunkIds: Uint8Array): Promise<Float64Array> {
  if (chunkIds.length % CHUNK_BYTES !== 0) {
    throw new AppError("usage", { context: { detail: "Chunk ids have 32 bytes each." } });
  }
  if (chunkIds.length <= SLICE_BYTES) return findSlice(vault, session, chunkIds);
  const blockNos = new Float64Array(chunkIds.length / CHUNK_BYTES);
  for (let at = 0; at < chunkIds.length; at += SLICE_BYTES) {
    if (at > 0) await nextTurn();
    blockNos.set(findSlice(vault, session, chunkIds.subarray(at, at + SLICE_BYTES)), at / CHUNK_BYTES);
  }
  return blockNos;
}

function findSlice(vault: VaultContext, session: SessionId, chunkIds: Uint8Array): Float64Array {
  const lease = requireLease(vault, session);
  const { protectedBlocks } = memoryOf(vault, session);
  const version = vault.database.othersVersion();
  const answer = lookUp(vault, lease.device, chunkIds, protectedBlocks);
  if (answer.fresh.size === 0) return answer.blockNos;

  return vault.database.softTransaction(() => {
    assertLease(vault.database, lease.session);
    // Garbage collection by another process may have come between: then ask again, in here, where none can.
    const isStale = vault.database.othersVersion() !== version;
    const { blockNos, fresh } = isStale ? lookUp(vault, lease.device, chunkIds, protectedBlocks) : answer;
    const sql = "INSERT OR IGNORE INTO session_refs (session, blockNo) SELECT ?, value FROM json_each(?)";
    vault.database.run(sql, lease.session, JSON.stringify([...fresh].sort((a, b) => a - b)));
    for (const blockNo of fresh) protectedBlocks.add(blockNo);
    return blockNos;
  });
}

export function locateChunks(
  vault: VaultContext,
  chunkIds: readonly ChunkId[],
  prefer?: SnapshotId,
): (BlockLocation | undefined)[] {
  const blockNos = new Float64Array(chunkIds.length);
  const rank = ranking(vault, prefer);
  lookUpChunks(vault.database, concatBytes(chunkIds), (i, blockNo) => {
    const chosen = blockNos[i]!;
    // Few chunks lie in two blocks, so the snapshot's list is only looked at for those.
    if (chosen === 0 || rank(blockNo) > rank(chosen)) blockNos[i] = blockNo;
  });
  const locations = new Map<number, BlockLocation | undefined>([[0, undefined]]);
  return Array.from(blockNos, (blockNo) => {
    if (!locations.has(blockNo)) locations.set(blockNo, locateBlock(vault.database, blockNo));
    return locations.get(blockNo);
  });
}

/** The higher, the better the block for a reader of the snapshot: what it rests on comes before what its device relies on, that before the rest. */
function ranking(vault: VaultContext, snapshot: SnapshotId | undefined): (blockNo: number) => number {
  if (snapshot === undefined) return () => 0;
  const device = deviceOf(vault, snapshot);
  const isTrusted = device && trustOf(vault.database, device);
  return (blockNo) => (isRef(vault, snapshot, blockNo) ? 2 : 0) + (isTrusted?.(blockNo) ? 1 : 0);
}

function deviceOf({ database }: VaultContext, snapshot: SnapshotId): DeviceId | undefined {
  const sql = "SELECT deviceId FROM snapshots WHERE snapshotId = ?";
  const row = database.get<{ deviceId: Uint8Array }>(sql, fromHex(snapshot));
  return row && (toHex(row.deviceId) as DeviceId);
}

/** Whether the snapshot rests on the block. One list is kept: restores ask for one snapshot again and again. */
function isRef(vault: VaultContext, snapshot: SnapshotId, blockNo: number): boolean {
  if (vault.preferred?.snapshot !== snapshot) vault.preferred = { snapshot, refs: sortedRefs(vault, snapshot) };
  return hasSorted(vault.preferred.refs, blockNo);
}

function sortedRefs({ database }: VaultContext, snapshot: SnapshotId): Float64Array {
  const sql = "SELECT refs FROM snapshots WHERE snapshotId = ?";
  const row = database.get<{ refs: Uint8Array | null }>(sql, fromHex(snapshot));
  return Float64Array.from(row?.refs ? decodeRefs(row.refs) : []);
}

function hasSorted(sorted: Float64Array, value: number): boolean {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === value;
}

/** `fresh`: blocks in the answer that are not among `known`. Of several blocks with one chunk the oldest is named. */
function lookUp(
  vault: VaultContext,
  device: DeviceId,
  chunkIds: Uint8Array,
  known: ReadonlySet<number>,
): { blockNos: Float64Array; fresh: Set<number> } {
  const places: number[] = [];
  const found: number[] = [];
  lookUpChunks(vault.database, chunkIds, (i, blockNo) => {
    places.push(i);
    found.push(blockNo);
  });
  const isTrusted = trustOf(vault.database, device, found);
  const blockNos = new Float64Array(chunkIds.length / CHUNK_BYTES);
  const fresh = new Set<number>();
  for (const [at, i] of places.entries()) {
    const blockNo = found[at]!;
    if (blockNos[i] !== 0 || isTrusted?.(blockNo) === false) continue;
    blockNos[i] = blockNo;
    if (!known.has(blockNo)) fresh.add(blockNo);
  }
  return { blockNos, fresh };
}
