// Takes a pack from a device: verified while it streams into an unfinished object, then given blockNos, made durable, and only
// then indexed (format.md, invariants 1 and 2). An intent row written before the pack gets its name lets `openVault` finish
// what a crash cut short. See docs/vault.md, [Note: intents].

import { createHash } from "node:crypto";
import { equalBytes, fromHex, toHex } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import type { PackId, SessionId } from "../core/ids.ts";
import { sha256 } from "../core/sha256.ts";
import { verifySignature } from "../crypto/signature.ts";
import type { ObjectWriter } from "../storage/object-store.ts";
import { type BlockEntry, blockStatement, failPack, NEW_PACK, packIdOf } from "../wire/v4/pack.ts";
import { decodeFooter } from "../wire/v4/pack-footer.ts";
import { decodePackHeader, type PackHeader } from "../wire/v4/pack-header.ts";
import { PackStreamParser } from "../wire/v4/pack-stream.ts";
import { encodeTrailer } from "../wire/v4/pack-trailer.ts";
import type { PackReceipt } from "../wire/v4/vault-port.ts";
import { allocateBlockNos, insertPack, type PackContents } from "./block-index.ts";
import type { VaultContext } from "./context.ts";
import { dropIntent, INTENT_ADD, intendToAdd } from "./intents.ts";
import { packKey } from "./object-keys.ts";
import { readPackFile } from "./pack-file.ts";
import { assertLease, type Lease, memoryOf, requireLease } from "./sessions.ts";

/** How many signatures are verified at a time. */
const VERIFY_BATCH = 64;
/** A pack that a session sends has one session key in its header, and is closed before its footer is a quarter of this. */
const HEADER_MAX_BYTES = 64 * 1024;
const FOOTER_MAX_BYTES = 32 * 1024 * 1024;
/** Footers up to here need not ask for memory. */
const SMALL_FOOTER_BYTES = 512 * 1024;

type Received = {
  readonly header: PackHeader;
  readonly headerBytes: Uint8Array;
  readonly entries: readonly BlockEntry[];
  readonly footerBytes: Uint8Array;
  readonly lengthBytes: number;
};

/** Memory that was asked for. */
type Held = { release: () => void };

export async function receivePack(
  vault: VaultContext,
  session: SessionId,
  stream: AsyncIterable<Uint8Array>,
  n?: number,
): Promise<PackReceipt> {
  const lease = requireLease(vault, session);
  const writer = await vault.store.create();
  let receipt: PackReceipt;
  const held: Held = { release: () => undefined };
  try {
    const received = await receive(vault, session, lease, stream, writer, held);
    await verifySignatures(vault, session, lease, received.entries);
    receipt = await store(vault, session, received, writer, n);
  } finally {
    held.release();
    await writer.abort();
  }
  // Invariant 2: the row survives a power cut before anybody is told of it.
  await vault.database.flush();
  return receipt;
}

/**
 * Indexes a pack that lies whole in the store and has an intent: after a crash, or when the same pack came twice.
 * undefined when there is no such pack, or no intent for it any more.
 */
export async function adoptPack(vault: VaultContext, packId: PackId): Promise<PackReceipt | undefined> {
  const contents = await readPackFile(vault.store, vault.vaultId, packId);
  if (contents === undefined) return undefined;
  return indexPack(vault, contents) ? { packId, blockNos: contents.blockNos } : undefined;
}

/** The receipt of a pack that the index has. */
export function receiptOf(vault: VaultContext, packId: PackId): PackReceipt | undefined {
  const rows = vault.database.tuples<[number]>(
    "SELECT b.blockNo FROM packs p JOIN blocks b ON b.pack = p.pack WHERE p.packId = ? ORDER BY b.offset",
    fromHex(packId),
  );
  return rows.length === 0 ? undefined : { packId, blockNos: rows.map(([blockNo]) => blockNo) };
}

async function receive(
  vault: VaultContext,
  session: SessionId,
  lease: Lease,
  stream: AsyncIterable<Uint8Array>,
  writer: ObjectWriter,
  held: Held,
): Promise<Received> {
  const parser = new PackStreamParser(NEW_PACK, { inParts: true });
  let hash = createHash("sha256");
  const blockHashes: Uint8Array[] = [];
  let header: { header: PackHeader; bytes: Uint8Array } | undefined;
  let footer: { entries: readonly BlockEntry[]; bytes: Uint8Array } | undefined;
  let lengthBytes = 0;
  for await (const slice of stream) {
    for (const event of parser.push(slice)) {
      if (event.type === "header") {
        checkHeader(vault, session, lease, event.header);
        const bytes = event.bytes.slice();
        header = { header: decodePackHeader(bytes), bytes };
      } else if (event.type === "length") {
        checkLength(event.of, event.length);
        // Its bytes, the copy of them, and what is decoded from it.
        if (event.length > SMALL_FOOTER_BYTES) held.release = await vault.takeMemory(event.length * 3);
      } else if (event.type === "part") {
        if (!vault.trustBlockHashes) hash.update(event.bytes);
      } else if (event.type === "frame") {
        if (vault.trustBlockHashes) continue;
        blockHashes.push(hash.digest());
        hash = createHash("sha256");
      } else {
        // Decoded anew from a copy: after each step of the stream the slice is its sender's again.
        const bytes = event.bytes.slice();
        footer = { entries: decodeFooter(bytes), bytes };
      }
    }
    await writer.write(slice);
    lengthBytes += slice.length;
  }
  parser.end();
  const { entries, bytes: footerBytes } = footer!;
  blockHashes.forEach((hash, i) => {
    if (!equalBytes(hash, entries[i]!.blockId)) failPack(NEW_PACK)(`the bytes of block ${i} do not fit its id`);
  });
  return { header: header!.header, headerBytes: header!.bytes, entries, footerBytes, lengthBytes };
}

function checkLength(of: "header" | "footer", length: number): void {
  const max = of === "header" ? HEADER_MAX_BYTES : FOOTER_MAX_BYTES;
  if (length > max) throw new AppError("limit", { context: { what: `The ${of} of a pack`, limit: `${max} bytes` } });
}

function checkHeader(vault: VaultContext, session: SessionId, lease: Lease, header: PackHeader): void {
  const fail = failPack(NEW_PACK);
  if (header.vaultId !== vault.vaultId) {
    throw new AppError("vault_mismatch", { context: { detail: `a pack of vault ${header.vaultId}` } });
  }
  const [only, ...more] = header.sessions;
  if (more.length > 0 || only?.session !== session) fail("it belongs to another session");
  if (only!.device !== lease.device) fail("it belongs to another device");
  if (only!.sealedKey.length === 0) fail("it has no session key");
}

async function verifySignatures(
  vault: VaultContext,
  session: SessionId,
  lease: Lease,
  entries: readonly BlockEntry[],
): Promise<void> {
  for (let start = 0; start < entries.length; start += VERIFY_BATCH) {
    await Promise.all(
      entries.slice(start, start + VERIFY_BATCH).map(async ({ blockId, counter, kind, chunkIds, signature }, i) => {
        const statement = blockStatement(vault.vaultId, session, counter, kind, blockId, await sha256(chunkIds));
        if (await verifySignature(lease.publicKey, statement, signature)) return;
        throw new AppError("signature_bad", { context: { what: `block ${start + i} of a new pack` } });
      }),
    );
  }
}

async function store(
  vault: VaultContext,
  session: SessionId,
  received: Received,
  writer: ObjectWriter,
  n: number | undefined,
): Promise<PackReceipt> {
  const { header, headerBytes, footerBytes, entries } = received;
  const packId = await packIdOf(headerBytes, footerBytes);
  if (n !== undefined) claimNumber(vault, session, packId, n);
  const known = receiptOf(vault, packId) ?? (await adoptPack(vault, packId));
  if (known !== undefined) return protect(vault, session, known);

  const blockNos = await intend(vault, session, packId, entries.length);
  const receivedAt = vault.clock.now();
  const trailer = await encodeTrailer({
    receivedAt,
    headerLength: headerBytes.length,
    footerLength: footerBytes.length,
    packId,
    blockNos,
  });
  await writer.write(trailer);
  const isOurs = await writer.commit(packKey(packId));
  if (!isOurs) {
    // The same pack came twice at a time, and the other one was first: its trailer counts.
    const other = receiptOf(vault, packId) ?? (await adoptPack(vault, packId));
    if (other !== undefined) return protect(vault, session, other);
    throw new AppError("vault_busy", { context: { holder: `pack ${packId} is being removed` } });
  }
  const sizeBytes = received.lengthBytes + trailer.length;
  const contents = { packId, sizeBytes, receivedAt, sessions: header.sessions, entries, blockNos };
  if (!indexPack(vault, contents)) throw new AppError("session_unknown");
  return protect(vault, session, { packId, blockNos });
}

/**
 * In the turn that found or indexed the pack: once this waits for anything, a collection may run. A pack that was there already is only
 * good for a session that is still there, too.
 */
function protect(vault: VaultContext, session: SessionId, receipt: PackReceipt): PackReceipt {
  requireLease(vault, session);
  const { protectedBlocks } = memoryOf(vault, session);
  for (const blockNo of receipt.blockNos) protectedBlocks.add(blockNo);
  return receipt;
}

/** From now on the number is this pack's. Throws `pack_conflict` when it is another one's. */
function claimNumber(vault: VaultContext, session: SessionId, packId: PackId, n: number): void {
  const { database } = vault;
  const lease = requireLease(vault, session);
  database.softTransaction(() => {
    assertLease(database, lease.session);
    const sql = "INSERT OR IGNORE INTO session_packs (session, n, packId) VALUES (?, ?, ?)";
    if (database.run(sql, lease.session, n, fromHex(packId)).changes > 0) return;
    const row = database.get<{ packId: Uint8Array }>(
      "SELECT packId FROM session_packs WHERE session = ? AND n = ?",
      lease.session,
      n,
    );
    if (toHex(row!.packId) !== packId) throw new AppError("pack_conflict", { context: { n } });
  });
}

/** Notes that the pack is about to get its name. */
function intend(vault: VaultContext, session: SessionId, packId: PackId, count: number): Promise<number[]> {
  const lease = requireLease(vault, session);
  return vault.database.durably(() => {
    assertLease(vault.database, lease.session);
    intendToAdd(vault.database, packKey(packId), lease.session, vault.clock.now());
    return allocateBlockNos(vault.database, count);
  });
}

/**
 * False when the intent is gone: the lease had expired, and garbage collection has written the pack off. Should a power cut undo it, the
 * intent is there again, and with it the next start finds the pack.
 */
function indexPack(vault: VaultContext, contents: PackContents): boolean {
  const { database } = vault;
  return database.softTransaction(() => {
    if (database.get("SELECT 1 FROM packs WHERE packId = ?", fromHex(contents.packId)) !== undefined) return true;
    if (!dropIntent(database, packKey(contents.packId), INTENT_ADD)) return false;
    insertPack(database, contents, contents.receivedAt);
    return true;
  });
}
