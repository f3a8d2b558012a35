// What only an administrator of a vault does: change devices, keyslots and pins, move snapshots into the trash and back, and
// look after the store. Every change is a log entry, signed by the device that asked for it when one did.

import { AppError } from "../core/errors.ts";
import type { SnapshotId } from "../core/ids.ts";
import type { VaultAdminPort } from "../wire/v4/admin-port.ts";
import { decodeLogEvent, type LogBodies, type LogEvent } from "../wire/v4/log-entry.ts";
import { isPinned, type LogSnapshot, type LogState } from "../wire/v4/log-state.ts";
import type { LogHead, SignedStatement } from "../wire/v4/vault-port.ts";
import { checkVault } from "./check.ts";
import type { VaultContext } from "./context.ts";
import { previewGc, purgeTrash, runGc } from "./gc-run.ts";
import { dropIntent, INTENT_ADD, intendToAdd } from "./intents.ts";
import { addKeyslotFile, keyslotHash } from "./keyslot-files.ts";
import type { LocalVault } from "./local-vault.ts";
import { appendStatement } from "./log.ts";
import { keyslotKey } from "./object-keys.ts";
import { scrubVault } from "./scrub.ts";
import { readStats } from "./stats.ts";

export function vaultAdmin({ context }: LocalVault): VaultAdminPort {
  return {
    apply: (statement, keyslotFile) => apply(context, statement, keyslotFile),
    purgeTrash: (olderThanMs) => purgeTrash(context, olderThanMs),
    planGarbage: async (options) => previewGc(context, options),
    collectGarbage: (options) => runGc(context, options),
    scrub: (options) => scrubVault(context, options),
    check: (options) => checkVault(context, options),
    stats: async () => readStats(context.database),
  };
}

async function apply(
  vault: VaultContext,
  statement: SignedStatement,
  keyslotFile: Uint8Array | undefined,
): Promise<LogHead> {
  const event = await decodeLogEvent(statement.type, statement.body);
  const append = async () => (await appendStatement(vault, statement, (state) => precheck(vault, state, event))).head;
  if (event.type === "keyslot-add") return addKeyslot(vault, event.body, keyslotFile, append);
  const head = await append();
  if (event.type === "keyslot-remove") await vault.store.remove(keyslotKey(event.body.id));
  return head;
}

/** The file is durable before the entry that names it; the intent keeps garbage collection from it until then. */
async function addKeyslot(
  vault: VaultContext,
  { id, hash }: LogBodies["keyslot-add"],
  file: Uint8Array | undefined,
  append: () => Promise<LogHead>,
): Promise<LogHead> {
  if (file === undefined || keyslotHash(file) !== hash) refuse("The keyslot file is not the one that was signed.");
  const { database } = vault;
  const key = keyslotKey(id);
  database.transaction(() => intendToAdd(database, key, null, vault.clock.now()));
  await addKeyslotFile(vault.store, file!);
  const head = await append();
  database.transaction(() => dropIntent(database, key, INTENT_ADD));
  return head;
}

/** Says in a person's words what the log would refuse. */
function precheck(vault: VaultContext, state: LogState, event: LogEvent): void {
  const now = vault.clock.now();
  switch (event.type) {
    case "device-add":
      if (state.devices.has(event.body.device)) refuse("The device is enrolled already.");
      return;
    case "device-revoke": {
      const device = state.devices.get(event.body.device);
      if (device === undefined || device.revoked) missing(`The device ${event.body.device}`);
      return;
    }
    case "device-trust":
      if (!state.devices.has(event.body.device)) missing(`The device ${event.body.device}`);
      return;
    case "keyslot-add":
      if (state.keyslots.has(event.body.id)) refuse("The keyslot is there already.");
      return;
    case "keyslot-remove":
      if (!state.keyslots.has(event.body.id)) missing(`The keyslot ${event.body.id}`);
      if (state.keyslots.size === 1) throw new AppError("last_keyslot");
      return;
    case "remove": {
      const snapshot = snapshotIn(state, event.body.snapshot, "live");
      if (isPinned(snapshot, now)) pinned(snapshot);
      return;
    }
    case "undelete":
      snapshotIn(state, event.body.snapshot, "trash");
      return;
    case "pin": {
      const snapshot = snapshotIn(state, event.body.snapshot, "live");
      const until = snapshot.pinnedUntil ?? 0;
      if (until > now && event.body.until < until) pinned(snapshot);
      return;
    }
    case "unpin": {
      const snapshot = snapshotIn(state, event.body.snapshot, "live");
      if (snapshot.pinnedUntil === undefined) refuse(`Snapshot ${snapshot.id} is not pinned.`);
      if (snapshot.pinnedUntil! > now) pinned(snapshot);
      return;
    }
    default:
      refuse(`A "${event.type}" entry is not made this way.`);
  }
}

function snapshotIn(state: LogState, id: SnapshotId, wanted: "live" | "trash"): LogSnapshot {
  const snapshot = state.snapshots.get(id);
  if (snapshot?.state === wanted) return snapshot;
  return missing(wanted === "live" ? `The snapshot ${id}` : `The snapshot ${id} in the trash`);
}

function pinned({ id, pinnedUntil }: LogSnapshot): never {
  const until = pinnedUntil === 0 ? "it is unpinned" : new Date(pinnedUntil!).toISOString();
  throw new AppError("snapshot_pinned", { context: { snapshot: id, until } });
}

function missing(what: string): never {
  throw new AppError("not_found", { context: { what } });
}

function refuse(detail: string): never {
  throw new AppError("usage", { context: { detail } });
}
