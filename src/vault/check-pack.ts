// The check of one pack: its parts fit its name and each other, its blocks are signed by their devices, and the index agrees with it;
// with `readData` also every frame and every sealed byte.

import { createHash } from "node:crypto";
import { equalBytes, toHex } from "../core/bytes.ts";
import type { PackId } from "../core/ids.ts";
import { sha256 } from "../core/sha256.ts";
import { verifySignature } from "../crypto/signature.ts";
import type { LogState } from "../wire/v4/log-state.ts";
import { blockStatement, FRAME_HEADER_BYTES } from "../wire/v4/pack.ts";
import { locateBlock, type PackContents } from "./block-index.ts";
import type { Report } from "./check.ts";
import type { VaultContext } from "./context.ts";
import { currentState } from "./log.ts";
import { packKey } from "./object-keys.ts";
import { readPackFile } from "./pack-file.ts";
import { BLOCK_DROPPED, BLOCK_QUARANTINED } from "./schema.ts";
import { frameFits } from "./scrub.ts";

/** Answers how many blocks it has, and how many chunk rows the index must have for it. */
export async function checkPack(
  vault: VaultContext,
  state: LogState,
  packId: PackId,
  readData: boolean,
  report: Report,
): Promise<{ blocks: number; chunkRows: number }> {
  const key = packKey(packId);
  const contents = await readPackFile(vault.store, vault.vaultId, packId);
  if (contents === undefined) {
    report(key, "pack_corrupt", "It is missing.");
    return { blocks: 0, chunkRows: 0 };
  }
  checkPackRow(vault, contents, report);
  let chunkRows = 0;
  for (const i of contents.entries.keys()) {
    await checkSignature(vault, state, contents, i, report);
    chunkRows += checkBlockRow(vault, contents, i, report);
    if (readData) await checkBytes(vault, contents, i, report);
  }
  return { blocks: contents.entries.length, chunkRows };
}

function checkPackRow(vault: VaultContext, contents: PackContents, report: Report): void {
  const row = vault.database.get<{ sizeBytes: number; acceptedAt: number; blocks: number }>(
    `SELECT sizeBytes, acceptedAt, (SELECT count(*) FROM blocks b WHERE b.pack = p.pack) AS blocks
     FROM packs p WHERE packId = unhex(?)`,
    contents.packId,
  );
  // Removed by a collection since the list was made.
  if (row === undefined) return;
  const fits =
    row.sizeBytes === contents.sizeBytes &&
    row.acceptedAt === contents.receivedAt &&
    row.blocks <= contents.entries.length;
  if (!fits) report("index", "index_corrupt", `Pack ${contents.packId} differs from its file.`);
}

async function checkSignature(
  vault: VaultContext,
  state: LogState,
  { packId, sessions, entries }: PackContents,
  i: number,
  report: Report,
): Promise<void> {
  const { blockId, counter, kind, chunkIds, sessionIndex, signature } = entries[i]!;
  const { session, device } = sessions[sessionIndex]!;
  // Enrolled since the log was replayed, perhaps.
  const publicKey = (state.devices.get(device) ?? currentState(vault).devices.get(device))?.publicKey;
  const statement = blockStatement(vault.vaultId, session, counter, kind, blockId, await sha256(chunkIds));
  if (publicKey === undefined || !(await verifySignature(publicKey, statement, signature))) {
    report(packKey(packId), "signature_bad", `The signature of block ${i} does not fit.`);
  }
}

/** Answers how many chunk rows the block must have. */
function checkBlockRow(vault: VaultContext, contents: PackContents, i: number, report: Report): number {
  const { packId, entries, sessions, blockNos } = contents;
  const entry = entries[i]!;
  const blockNo = blockNos[i]!;
  const row = locateBlock(vault.database, blockNo);
  // A rebuild after a crash in the middle of a compaction finds a block twice and takes the newer copy.
  const isElsewhere = row !== undefined && row.pack !== packId && equalBytes(row.blockId, entry.blockId);
  if (isElsewhere) return 0;
  const session = sessions[entry.sessionIndex]!;
  const chunkRows = row?.state === BLOCK_DROPPED ? 0 : countDistinct(entry.chunkIds);
  const fits =
    row !== undefined &&
    row.pack === packId &&
    row.offset === entry.offset &&
    row.length === entry.length &&
    row.counter === entry.counter &&
    row.kind === entry.kind &&
    row.session === session.session &&
    row.device === session.device &&
    equalBytes(row.blockId, entry.blockId) &&
    (row.state === BLOCK_DROPPED || countRows(vault, blockNo, entry.chunkIds) === chunkRows);
  if (!fits) report("index", "index_corrupt", `Block ${blockNo} differs from pack ${packId}.`);
  if (row?.state === BLOCK_QUARANTINED) report(packKey(packId), "block_corrupt", `Block ${blockNo} is quarantined.`);
  return chunkRows;
}

function countDistinct(chunkIds: Uint8Array): number {
  const distinct = new Set<string>();
  for (let at = 0; at < chunkIds.length; at += 32) distinct.add(toHex(chunkIds.subarray(at, at + 32)));
  return distinct.size;
}

function countRows(vault: VaultContext, blockNo: number, chunkIds: Uint8Array): number {
  return vault.database.tuples<[number]>(
    `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)
     SELECT count(DISTINCT chunkId) FROM n CROSS JOIN chunks ON chunkId = substr(?2, i * 32 + 1, 32) AND blockNo = ?3`,
    chunkIds.length / 32,
    chunkIds,
    blockNo,
  )[0]![0];
}

async function checkBytes(vault: VaultContext, contents: PackContents, i: number, report: Report): Promise<void> {
  const key = packKey(contents.packId);
  const entry = contents.entries[i]!;
  const bytes = await vault.store.getRange(key, entry.offset - FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + entry.length);
  const sealed = bytes?.subarray(FRAME_HEADER_BYTES);
  if (sealed?.length !== entry.length || !equalBytes(createHash("sha256").update(sealed).digest(), entry.blockId)) {
    report(key, "block_corrupt", `The bytes of block ${contents.blockNos[i]} do not fit its id.`);
  } else if (!frameFits(bytes!.subarray(0, FRAME_HEADER_BYTES), entry)) {
    report(key, "pack_corrupt", `The frame of block ${contents.blockNos[i]} differs from the footer.`);
  }
}
