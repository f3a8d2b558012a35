// Reads what is stored and finds what has rotted: every block against its blockId, every pack's parts against its name. A bad block
// is quarantined for good: its chunks count as missing, so the next backup that still has them sends them again, and readers
// find them in the new block. Packs that were checked longest ago come first, so many short runs cover everything.

import { createHash } from "node:crypto";
import { equalBytes, fromHex, toHex } from "../core/bytes.ts";
import { systemSleep } from "../core/clock.ts";
import { AppError, isAppError, throwIfAborted } from "../core/errors.ts";
import type { PackId } from "../core/ids.ts";
import type { Problem, ScrubOptions, ScrubReport } from "../wire/v4/admin-port.ts";
import { FRAME_HEADER_BYTES } from "../wire/v4/pack.ts";
import { decodeFrameHeader } from "../wire/v4/pack-frame.ts";
import { locateBlock, type PackContents } from "./block-index.ts";
import type { VaultContext } from "./context.ts";
import { withLock } from "./locks.ts";
import { packKey } from "./object-keys.ts";
import { readPackFile } from "./pack-file.ts";
import { BLOCK_DROPPED, BLOCK_OK, BLOCK_QUARANTINED } from "./schema.ts";

export type ScrubbedPack = { readonly pack: number; readonly packId: PackId; readonly sizeBytes: number };

/** Resumable: what was read before `signal` fired (`interrupted`) is noted, and comes last next time. */
export function scrubVault(vault: VaultContext, options: ScrubOptions = {}): Promise<ScrubReport> {
  return withLock(vault.database, vault.clock, "scrub", async () => {
    const packs = planScrub(vault, options);
    const totalBytes = packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const startedAt = vault.clock.monotonic();
    const report = { packs: 0, blocks: 0, bytes: 0, quarantined: [] as number[], problems: [] as Problem[] };
    for (const pack of packs) {
      throwIfAborted(options.signal);
      await scrubPack(vault, pack, report);
      report.packs++;
      report.bytes += pack.sizeBytes;
      options.onProgress?.({ doneBytes: report.bytes, totalBytes });
      await holdRate(vault, report.bytes, startedAt, options);
    }
    return report;
  });
}

/** Inside or outside a transaction: the block's chunks count as missing from now on. */
export function quarantineBlock(vault: VaultContext, blockNo: number): boolean {
  const sql = "UPDATE blocks SET state = ? WHERE blockNo = ? AND state = ?";
  return vault.database.transaction(() => vault.database.run(sql, BLOCK_QUARANTINED, blockNo, BLOCK_OK).changes > 0);
}

/** The packs that a scrub would read, checked longest ago first. */
export function planScrub(vault: VaultContext, { sample = 1, dueMs }: ScrubOptions = {}): ScrubbedPack[] {
  const packs = vault.database
    .tuples<[number, Uint8Array, number, number | null]>(
      `SELECT p.pack, p.packId, p.sizeBytes, min(b.verifiedAt) FROM packs p LEFT JOIN blocks b ON b.pack = p.pack
       GROUP BY p.pack ORDER BY 4, p.pack`,
    )
    .map(([pack, id, sizeBytes, readAt]) => ({ pack, packId: toHex(id) as PackId, sizeBytes, readAt: readAt ?? 0 }));
  const due = dueMs === undefined ? Number.NEGATIVE_INFINITY : vault.clock.now() - dueMs;
  let budget = packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) * sample;
  return packs.filter(({ sizeBytes, readAt }) => {
    const isChosen = budget > 0 || readAt <= due;
    budget -= sizeBytes;
    return isChosen;
  });
}

async function scrubPack(
  vault: VaultContext,
  { pack, packId }: ScrubbedPack,
  report: { blocks: number; quarantined: number[]; problems: Problem[] },
): Promise<void> {
  const problem = (code: Problem["code"], detail: string) =>
    report.problems.push({ object: packKey(packId), code, detail });
  const contents = await readContents(vault, packId, problem);
  const rows = vault.database.tuples<[number]>(
    "SELECT blockNo FROM blocks WHERE pack = ? AND state <> ? ORDER BY offset",
    pack,
    BLOCK_DROPPED,
  );
  for (const [blockNo] of rows) {
    const detail = await scrubBlock(vault, blockNo, packId, contents);
    report.blocks++;
    if (detail === undefined) continue;
    if (detail.isUnreadable && quarantineBlock(vault, blockNo)) report.quarantined.push(blockNo);
    problem("block_corrupt", `Block ${blockNo}: ${detail.text}`);
  }
  // Bad ones too: else a pack with one would be read again and again before all others.
  vault.database.transaction(() => {
    const sql = "UPDATE blocks SET verifiedAt = ? WHERE blockNo IN (SELECT value FROM json_each(?))";
    vault.database.run(sql, vault.clock.now(), JSON.stringify(rows.flat()));
  });
}

async function readContents(
  vault: VaultContext,
  packId: PackId,
  problem: (code: Problem["code"], detail: string) => void,
): Promise<PackContents | undefined> {
  try {
    const contents = await readPackFile(vault.store, vault.vaultId, packId);
    const isIndexed = () => vault.database.get("SELECT 1 FROM packs WHERE packId = ?", fromHex(packId)) !== undefined;
    if (contents === undefined && isIndexed()) problem("pack_corrupt", "It is missing.");
    return contents;
  } catch (error) {
    if (!isAppError(error)) throw error;
    problem(error.code, error.message);
    return undefined;
  }
}

/** undefined for a good block, and for one that garbage collection has moved or removed in the meantime. */
async function scrubBlock(
  vault: VaultContext,
  blockNo: number,
  packId: PackId,
  contents: PackContents | undefined,
): Promise<{ text: string; isUnreadable: boolean } | undefined> {
  const at = locateBlock(vault.database, blockNo);
  if (at === undefined || at.pack !== packId) return undefined;
  const bytes = await readFrame(vault, packId, at.offset - FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + at.length);
  const sealed = bytes?.subarray(FRAME_HEADER_BYTES);
  if (sealed?.length !== at.length || !equalBytes(createHash("sha256").update(sealed).digest(), at.blockId)) {
    const now = locateBlock(vault.database, blockNo);
    if (now?.pack !== packId) return undefined;
    return { text: bytes === undefined ? "it cannot be read." : "its bytes do not fit its id.", isUnreadable: true };
  }
  const entry = contents?.entries[contents.blockNos.indexOf(blockNo)];
  return entry && !frameFits(bytes!.subarray(0, FRAME_HEADER_BYTES), entry)
    ? { text: "its frame differs from the footer.", isUnreadable: false }
    : undefined;
}

async function readFrame(
  vault: VaultContext,
  packId: PackId,
  offset: number,
  length: number,
): Promise<Uint8Array | undefined> {
  try {
    return await vault.store.getRange(packKey(packId), offset, length);
  } catch (error) {
    if (isAppError(error, "io")) return undefined;
    throw error;
  }
}

export function frameFits(header: Uint8Array, entry: PackContents["entries"][number]): boolean {
  try {
    const frame = decodeFrameHeader(header);
    return (
      frame.length === entry.length &&
      frame.counter === entry.counter &&
      frame.kind === entry.kind &&
      frame.sessionIndex === entry.sessionIndex
    );
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}

async function holdRate(
  vault: VaultContext,
  bytes: number,
  startedAt: number,
  { bytesPerSecond, signal }: ScrubOptions,
): Promise<void> {
  if (bytesPerSecond === undefined) return;
  const dueMs = (bytes / bytesPerSecond) * 1000 - (vault.clock.monotonic() - startedAt);
  if (dueMs <= 0) return;
  await systemSleep(dueMs, signal);
  throwIfAborted(signal);
}
