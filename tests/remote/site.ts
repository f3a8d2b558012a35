// A disk, a vault behind a server in memory, and a device that uses it: what tests of the remote side start from. Time stands still
// unless a wait is asked for, and then it passes at once.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bytes } from "../../src/core/bytes.ts";
import type { AppError } from "../../src/core/errors.ts";
import type { RawPath } from "../../src/core/raw-path.ts";
import { ApiClient } from "../../src/engine/remote/api-client.ts";
import { deviceCredentials } from "../../src/engine/remote/credentials.ts";
import { openRemoteVault, type RemoteVault } from "../../src/engine/remote/remote-vault.ts";
import { Retrier } from "../../src/engine/remote/retrier.ts";
import type { HttpTransport } from "../../src/engine/remote/transport.ts";
import { memoryDisk, memoryStore } from "../../src/storage/memory-store.ts";
import type { LocalVault } from "../../src/vault/local-vault.ts";
import { createVault, openVault } from "../../src/vault/open-vault.ts";
import { ENTRY } from "../../src/wire/v4/tree-types.ts";
import { encodeVaultRecord } from "../../src/wire/v4/vault-record.ts";
import { type BackupRig, makeRig } from "../backup-rig.ts";
import { pseudoRandomBytes } from "../pseudo-random.ts";
import { deviceAdd, hashOf, keyslotAdd, prng, signed, type TestClock, testClock } from "../vault/kit.ts";
import { MemoryServer } from "./memory-server.ts";

export type Site = {
  readonly rig: BackupRig;
  readonly server: MemoryServer;
  readonly clock: TestClock;
  /** Why and how long clients have waited. */
  readonly waits: { readonly code: string; readonly ms: number }[];
  /** What the disk holds, by path. */
  truth(): Map<string, string>;
  connect(options?: { transport?: HttpTransport; signal?: AbortSignal }): Promise<RemoteVault>;
  /** A further vault object on what is stored, as after a restart of the server. */
  reopen(): Promise<LocalVault>;
  remove(): Promise<void>;
};

export async function newSite(): Promise<Site> {
  const rig = await makeRig();
  const folder = mkdtempSync(join(tmpdir(), "remote-"));
  const location = { store: memoryStore(memoryDisk()), indexPath: join(folder, "index.db") };
  const clock = testClock();
  const { vaultId } = rig.vault;
  const record = await encodeVaultRecord({ vault: vaultId, createdAt: 0, chunker: 1 });
  const keyslot = pseudoRandomBytes(5, 200);
  const statements = [
    await signed(vaultId, rig.signer, deviceAdd(rig.signer, "test")),
    await signed(vaultId, rig.signer, keyslotAdd(keyslot, "test")),
  ];
  const vault = await createVault(location, { record: record.bytes, statements, keyslotFiles: [keyslot] }, { clock });
  const server = new MemoryServer(vault);
  const waits: { code: string; ms: number }[] = [];
  const site: Site = {
    rig,
    server,
    clock,
    waits,
    truth() {
      const truth = new Map<string, string>();
      for (const [path, node] of rig.disk.nodes) if (node.type === ENTRY.file) truth.set(path, hashOf(node.content));
      return truth;
    },
    connect({ transport = server.transport(), signal } = {}) {
      const retrier = new Retrier({
        clock,
        random: prng(7),
        sleep: async (ms) => clock.advance(Math.ceil(ms)),
        onWait: (error: AppError, ms) => waits.push({ code: error.code, ms }),
      });
      const credentials = deviceCredentials({ transport, vault: vaultId, signer: rig.signer, clock });
      const client = new ApiClient({ transport, credentials, retrier, signal });
      return openRemoteVault({ client, name: "home", vaultId, signal });
    },
    async reopen() {
      server.forgetTokens();
      server.vault.context.database.close();
      server.vault = await openVault(location, { clock });
      return server.vault;
    },
    async remove() {
      await server.vault.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return site;
}

export function hashesOfFiles(
  files: ReadonlyMap<RawPath, { readonly content: Bytes | undefined }>,
): Map<string, string> {
  const hashes = new Map<string, string>();
  for (const [path, { content }] of files) if (content) hashes.set(path, hashOf(content));
  return hashes;
}
