// Objects in the store that nothing explains: what crashes left, and what purges and key removals did not get to delete. Each is
// claimed by an intent, in a transaction that looks again, before it is removed: nobody can begin to use it in between.

import { fromHex } from "../core/bytes.ts";
import { isAppError, throwIfAborted } from "../core/errors.ts";
import { decodeSnapshotRecord } from "../wire/v4/snapshot-record.ts";
import type { VaultContext } from "./context.ts";
import { dropIntent, hasIntent, INTENT_REMOVE, intend } from "./intents.ts";
import { type ObjectName, parseKey } from "./object-keys.ts";
import { SNAPSHOT_PURGED } from "./schema.ts";

export async function removeOrphans(
  vault: VaultContext,
  signal: AbortSignal | undefined,
): Promise<{ removed: string[]; unexpected: string[] }> {
  const removed: string[] = [];
  const unexpected: string[] = [];
  for await (const { key } of vault.store.list("")) {
    throwIfAborted(signal);
    const name = parseKey(key);
    if (name === undefined) {
      unexpected.push(key);
      continue;
    }
    const isFree = await explanation(vault, name);
    if (isFree === undefined || !claim(vault, key, isFree)) continue;
    await vault.store.remove(key);
    vault.database.transaction(() => dropIntent(vault.database, key, INTENT_REMOVE));
    removed.push(key);
  }
  return { removed, unexpected };
}

/** A check that nothing needs the object, to be asked inside a transaction; undefined for what is never removed. */
async function explanation(vault: VaultContext, name: ObjectName): Promise<(() => boolean) | undefined> {
  const { database } = vault;
  switch (name.kind) {
    case "vault":
    case "log":
      return undefined;
    case "keyslot":
      return () => database.get("SELECT 1 FROM keyslots WHERE keyslotId = ?", fromHex(name.id)) === undefined;
    case "pack":
      return () => database.get("SELECT 1 FROM packs WHERE packId = ?", fromHex(name.id)) === undefined;
    case "snapshot": {
      const id = fromHex(name.id);
      const state = () => database.get("SELECT state FROM snapshots WHERE snapshotId = ?", id)?.state;
      if (state() !== undefined) return () => state() === SNAPSHOT_PURGED;
      const session = await sessionOf(vault, name.id);
      if (session === undefined) return undefined;
      // Never committed, and never will be: a session without a lease is not opened again.
      return () =>
        state() === undefined &&
        database.get(
          "SELECT 1 FROM leases l JOIN sessions s ON s.session = l.session WHERE s.sessionId = ?",
          session,
        ) === undefined;
    }
  }
}

/** undefined for a record that cannot be read, which is for a person to look at. */
async function sessionOf(vault: VaultContext, id: string): Promise<Uint8Array | undefined> {
  const bytes = await vault.store.get(`snapshots/${id}`);
  if (bytes === undefined) return undefined;
  try {
    const record = await decodeSnapshotRecord(bytes);
    return fromHex(record.session);
  } catch (error) {
    if (isAppError(error)) return undefined;
    throw error;
  }
}

function claim(vault: VaultContext, key: string, isFree: () => boolean): boolean {
  const { database } = vault;
  return database.transaction(() => {
    if (hasIntent(database, key) || !isFree()) return false;
    intend(database, key, INTENT_REMOVE, null, vault.clock.now());
    return true;
  });
}
