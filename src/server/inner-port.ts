// A served vault for a device that works in this very process (the gateway): the same admission, events and cutting off as through
// the doors (device-api/session-handlers.ts), without HTTP between. The vault is looked up anew for every call, since a rebuild
// takes it away and brings another in its place; meanwhile calls throw `vault_busy`.

import { AppError } from "../core/errors.ts";
import type { DeviceId, SessionId, VaultId } from "../core/ids.ts";
import type { LocalVault } from "../vault/local-vault.ts";
import type { PackReceipt, VaultPort } from "../wire/v4/vault-port.ts";
import { admitSession } from "./admit-session.ts";
import type { ServerKit } from "./kit.ts";
import type { ServedVault } from "./vaults.ts";

/** `close` closes nothing: the vault is the server's. */
export function innerPort(kit: ServerKit, vaultId: VaultId, device: DeviceId): VaultPort {
  /** As a running call, so that whoever takes the vault away, or revokes the device, waits for it or cuts it off. */
  async function call<T>(
    work: (vault: LocalVault, served: ServedVault, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const served = kit.vaults.byNameOrId(vaultId);
    if (served === undefined) throw new AppError("vault_not_found", { context: { path: vaultId } });
    const controller = new AbortController();
    const cut = (reason: AppError): void => controller.abort(reason);
    const over = kit.running.begin({ vault: vaultId, device, person: undefined, isEndless: false, cut });
    try {
      return await work(served.vault, served, controller.signal);
    } finally {
      over();
    }
  }

  async function putPack(session: SessionId, pack: AsyncIterable<Uint8Array>): Promise<PackReceipt> {
    return call(async (vault, served, signal) => {
      const startMs = kit.clock.monotonic();
      const room = await kit.admit({ kind: "pack", vault: served, device, sizeBytes: undefined });
      let stored: readonly number[] | undefined;
      let sizeBytes = 0;
      try {
        const counted = tapped(pack, (bytes) => {
          signal.throwIfAborted();
          sizeBytes += bytes;
          room.take(bytes);
        });
        const receipt = await vault.putPack(session, counted);
        stored = receipt.blockNos;
        const durationMs = kit.clock.monotonic() - startMs;
        kit.emit({ type: "pack", vault: vaultId, device, session, sizeBytes, durationMs });
        return receipt;
      } finally {
        room.end(stored);
      }
    });
  }

  return {
    vaultId,
    head: () => call((vault) => vault.head()),
    logAfter: (seq, limit) => call((vault) => vault.logAfter(seq, limit)),
    devices: () => call((vault) => vault.devices()),
    keyslots: () => call((vault) => vault.keyslots()),
    keyslotFile: (id) => call((vault) => vault.keyslotFile(id)),

    openSession: (request) =>
      call(async (vault, served) => {
        const about = { vault: vaultId, device, session: request.session, plan: request.plan };
        await admitSession(kit, served, about);
        const granted = await vault.openSession(request);
        kit.emit({ type: "session-open", ...about, isGateway: true });
        return granted;
      }),
    renewSession: (session) => call((vault) => vault.renewSession(session)),
    closeSession: (session) =>
      call(async (vault) => {
        await vault.closeSession(session);
        kit.emit({ type: "session-close", vault: vaultId, device, session });
      }),
    findChunks: (session, chunkIds) => call((vault) => vault.findChunks(session, chunkIds)),
    putPack,
    commit: (session, record) =>
      call(async (vault) => {
        const committed = await vault.commit(session, record);
        kit.emit({ type: "commit", vault: vaultId, device, session, snapshot: committed.id });
        return committed;
      }),

    snapshots: () => call((vault) => vault.snapshots()),
    snapshotRecord: (id) => call((vault) => vault.snapshotRecord(id)),
    locateChunks: (chunkIds, prefer) => call((vault) => vault.locateChunks(chunkIds, prefer)),
    fetchBlocks: () => {
      throw new AppError("internal", { context: { detail: "a device in the server's process only writes" } });
    },
    sealedSessionKeys: (sessions) => call((vault) => vault.sealedSessionKeys(sessions)),
    close: async () => undefined,
  };
}

async function* tapped(slices: AsyncIterable<Uint8Array>, take: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  for await (const slice of slices) {
    take(slice.length);
    yield slice;
  }
}
