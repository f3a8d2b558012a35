// Reads what a pack in the store says of itself (header, footer and trailer; no block), and checks that it is the pack that
// its name claims and that its parts fit each other. Whatever is wrong is `pack_corrupt`.

import type { Bytes } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import type { PackId, VaultId } from "../core/ids.ts";
import type { ObjectStore } from "../storage/object-store.ts";
import { failPack, packIdOf } from "../wire/v4/pack.ts";
import { checkFooterLayout, decodeFooter } from "../wire/v4/pack-footer.ts";
import { decodePackHeader } from "../wire/v4/pack-header.ts";
import { decodeTrailer, TRAILER_END_BYTES, trailerLength } from "../wire/v4/pack-trailer.ts";
import type { PackContents } from "./block-index.ts";
import { packKey } from "./object-keys.ts";

/** undefined when there is no such pack, or not any more: a collection may remove it while it is read. */
export async function readPackFile(
  store: ObjectStore,
  vaultId: VaultId,
  packId: PackId,
): Promise<PackContents | undefined> {
  try {
    return await read(store, vaultId, packId);
  } catch (error) {
    if (error === GONE) return undefined;
    throw error;
  }
}

const GONE = new Error("The pack is gone.");

async function read(store: ObjectStore, vaultId: VaultId, packId: PackId): Promise<PackContents | undefined> {
  const key = packKey(packId);
  const sizeBytes = await store.size(key);
  if (sizeBytes === undefined) return undefined;
  const fail = failPack(packId);
  const part = async (offset: number, length: number): Promise<Bytes> => {
    if (offset < 0) fail("it ends too early");
    const bytes = await store.getRange(key, offset, length);
    if (bytes === undefined) throw GONE;
    return bytes.length === length ? bytes : fail("it ends too early");
  };

  const trailerBytes = trailerLength(await part(sizeBytes - TRAILER_END_BYTES, TRAILER_END_BYTES), packId);
  const trailer = await decodeTrailer(await part(sizeBytes - trailerBytes, trailerBytes), packId);
  if (trailer.packId !== packId) fail("its trailer names another pack");
  const footerAt = sizeBytes - trailerBytes - trailer.footerLength;
  const footer = await part(footerAt, trailer.footerLength);
  const header = await part(0, trailer.headerLength);
  if ((await packIdOf(header, footer)) !== packId) fail("its header and footer do not fit its name");

  const { vaultId: owner, sessions } = decodePackHeader(header, packId);
  if (owner !== vaultId) throw new AppError("vault_mismatch", { context: { detail: `pack ${packId}` } });
  const entries = decodeFooter(footer, packId);
  checkFooterLayout(entries, { length: header.length, sessions: sessions.length }, packId);
  const last = entries.at(-1)!;
  if (last.offset + last.length !== footerAt) fail("bytes lie between its blocks and its footer");
  if (trailer.blockNos.length !== entries.length) fail("its trailer numbers other blocks than its footer lists");
  return { packId, sizeBytes, receivedAt: trailer.receivedAt, sessions, entries, blockNos: trailer.blockNos };
}
