// Copies the blocks that are still needed out of wasteful packs into new ones. Sealed bytes, signatures and blockNos stay as they
// are; every block's hash is verified on the way, and a bad one stays behind, quarantined, in a pack that is then left alone.
// The new pack is durable and the index points to it before an old one goes (format.md, invariant 4).

import { createHash } from "node:crypto";
import { equalBytes, fromHex } from "../core/bytes.ts";
import { AppError, isAppError, throwIfAborted } from "../core/errors.ts";
import type { PackId, SessionId } from "../core/ids.ts";
import type { GcOptions, GcPlan } from "../wire/v4/admin-port.ts";
import { type BlockEntry, FRAME_HEADER_BYTES, type PackSession, packIdOf } from "../wire/v4/pack.ts";
import { encodeFooter } from "../wire/v4/pack-footer.ts";
import { encodeFrameHeader } from "../wire/v4/pack-frame.ts";
import { encodePackHeader } from "../wire/v4/pack-header.ts";
import { encodeTrailer } from "../wire/v4/pack-trailer.ts";
import { insertPackRow, type PackContents } from "./block-index.ts";
import type { VaultContext } from "./context.ts";
import { dropIntent, INTENT_COMPACT, INTENT_REMOVE, intend } from "./intents.ts";
import { packKey } from "./object-keys.ts";
import { readPackFile } from "./pack-file.ts";
import { BLOCK_DROPPED, BLOCK_OK, BLOCK_QUARANTINED } from "./schema.ts";
import { quarantineBlock } from "./scrub.ts";

/** Sessions that a pack's header can name. */
const MAX_SESSIONS = 0xffff;

type Source = {
  /** Row number. */
  readonly pack: number;
  readonly contents: PackContents;
  /** Indices into its entries. */
  readonly needed: readonly number[];
};

export async function compactPacks(
  vault: VaultContext,
  plan: GcPlan,
  { signal, onProgress }: GcOptions,
): Promise<{ compactedPacks: number; writtenPacks: number }> {
  let compactedPacks = 0;
  let writtenPacks = 0;
  let doneBytes = 0;
  for (const group of plan.compact) {
    throwIfAborted(signal);
    const sources = await readSources(vault, group);
    const copied = sources.length === 0 ? undefined : await writeCompacted(vault, sources, signal);
    if (copied === undefined) continue;
    compactedPacks += sources.length;
    writtenPacks++;
    doneBytes += copied;
    onProgress?.({ doneBytes, totalBytes: plan.copiedBytes });
  }
  return { compactedPacks, writtenPacks };
}

/** Packs that cannot be read as they should are left alone: scrub and check name them. */
async function readSources(vault: VaultContext, group: readonly PackId[]): Promise<Source[]> {
  const sources: Source[] = [];
  const sessions = new Set<SessionId>();
  for (const packId of group) {
    const contents = await readPackFile(vault.store, vault.vaultId, packId).catch((error) => {
      if (!isAppError(error, "pack_corrupt")) throw error;
      vault.logger.warn("a damaged pack is not compacted", { packId });
      return undefined;
    });
    if (contents === undefined) continue;
    for (const { session } of contents.sessions) sessions.add(session);
    if (sessions.size > MAX_SESSIONS) break;
    const source = sourceOf(vault, contents);
    if (source !== undefined) sources.push(source);
  }
  return sources;
}

function sourceOf(vault: VaultContext, contents: PackContents): Source | undefined {
  const { database } = vault;
  const row = database.get<{ pack: number }>("SELECT pack FROM packs WHERE packId = ?", fromHex(contents.packId));
  if (row === undefined) return undefined;
  const states = new Map(
    database.tuples<[number, number]>("SELECT blockNo, state FROM blocks WHERE pack = ?", row.pack),
  );
  if ([...states.values()].includes(BLOCK_QUARANTINED)) return undefined;
  const needed = contents.blockNos.flatMap((blockNo, i) => (states.get(blockNo) === BLOCK_OK ? [i] : []));
  return needed.length === 0 ? undefined : { pack: row.pack, contents, needed };
}

/** Bytes copied; undefined when a damaged block was met, which is then quarantined, and nothing has moved. */
async function writeCompacted(
  vault: VaultContext,
  sources: readonly Source[],
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const sessions = collectSessions(sources);
  const index = new Map([...sessions.keys()].map((session, i) => [session, i]));
  const header = encodePackHeader(vault.vaultId, [...sessions.values()]);
  const entries: BlockEntry[] = [];
  const blockNos: number[] = [];
  let offset = header.length;
  if (isUnchanged(sources)) return undefined;
  const writer = await vault.store.create();
  try {
    await writer.write(header);
    for (const { contents, needed } of sources) {
      for (const i of needed) {
        throwIfAborted(signal);
        const entry = contents.entries[i]!;
        const sealed = await vault.store.getRange(packKey(contents.packId), entry.offset, entry.length);
        if (sealed === undefined || !equalBytes(createHash("sha256").update(sealed).digest(), entry.blockId)) {
          quarantineBlock(vault, contents.blockNos[i]!);
          return undefined;
        }
        const sessionIndex = index.get(contents.sessions[entry.sessionIndex]!.session)!;
        await writer.write(encodeFrameHeader({ ...entry, sessionIndex }));
        await writer.write(sealed);
        entries.push({ ...entry, sessionIndex, offset: offset + FRAME_HEADER_BYTES });
        blockNos.push(contents.blockNos[i]!);
        offset += FRAME_HEADER_BYTES + entry.length;
      }
    }
    const footer = encodeFooter(entries);
    await writer.write(footer);
    const packId = await packIdOf(header, footer);
    const receivedAt = vault.clock.now();
    const lengths = { headerLength: header.length, footerLength: footer.length };
    const trailer = await encodeTrailer({ receivedAt, ...lengths, packId, blockNos });
    await writer.write(trailer);
    const sizeBytes = offset + footer.length + trailer.length;
    const target = { packId, sizeBytes, receivedAt, sessions: [...sessions.values()], entries, blockNos };
    vault.database.transaction(() => intend(vault.database, packKey(packId), INTENT_COMPACT, null, receivedAt));
    if (!(await writer.commit(packKey(packId)))) {
      throw new AppError("internal", { context: { detail: `pack ${packId} is there with other bytes` } });
    }
    moveBlocks(vault, sources, target);
    return offset - header.length;
  } finally {
    await writer.abort();
  }
}

/** All of one pack would become the same pack again: since the plan was made somebody came to rely on its garbage. */
function isUnchanged(sources: readonly Source[]): boolean {
  return sources.length === 1 && sources.every(({ contents, needed }) => needed.length === contents.entries.length);
}

/** Only those that still have a block; each with the sealed key that comes first. */
function collectSessions(sources: readonly Source[]): Map<SessionId, PackSession> {
  const sessions = new Map<SessionId, PackSession>();
  for (const { contents, needed } of sources) {
    for (const i of needed) {
      const session = contents.sessions[contents.entries[i]!.sessionIndex]!;
      if (!sessions.has(session.session)) sessions.set(session.session, session);
    }
  }
  return sessions;
}

/** One transaction: the blocks lie in the new pack, the old ones are to be removed. */
function moveBlocks(vault: VaultContext, sources: readonly Source[], target: PackContents): void {
  const { database } = vault;
  database.transaction(() => {
    dropIntent(database, packKey(target.packId), INTENT_COMPACT);
    const row = insertPackRow(database, target);
    const sql = "UPDATE blocks SET pack = ?, offset = ?, verifiedAt = ? WHERE blockNo = ?";
    target.entries.forEach(({ offset }, i) => {
      database.run(sql, row, offset, target.receivedAt, target.blockNos[i]!);
    });
    for (const { pack, contents } of sources) {
      const left = database.get("SELECT 1 FROM blocks WHERE pack = ? AND state <> ?", pack, BLOCK_DROPPED);
      if (left !== undefined) {
        throw new AppError("index_corrupt", { context: { detail: `pack ${contents.packId} lacks a block.` } });
      }
      database.run("DELETE FROM blocks WHERE pack = ?", pack);
      database.run("DELETE FROM packs WHERE pack = ?", pack);
      intend(database, packKey(contents.packId), INTENT_REMOVE, null, target.receivedAt);
    }
  });
}
