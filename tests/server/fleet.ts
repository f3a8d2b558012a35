// Devices that back up to one vault of a real server, each from a disk in memory, through the engine and the client that people use.

import { randomBytes } from "node:crypto";
import { httpsTransport } from "../../src/client/http/node-transport.ts";
import { fromHex, toHex } from "../../src/core/bytes.ts";
import { systemClock, systemRandom } from "../../src/core/clock.ts";
import type { SnapshotId, VaultId } from "../../src/core/ids.ts";
import { generateSecrets, type ReaderSecrets } from "../../src/crypto/secrets.ts";
import { openReader } from "../../src/engine/reader/reader.ts";
import { ApiClient } from "../../src/engine/remote/api-client.ts";
import { deviceCredentials } from "../../src/engine/remote/credentials.ts";
import { openRemoteVault, type RemoteVault } from "../../src/engine/remote/remote-vault.ts";
import { Retrier } from "../../src/engine/remote/retrier.ts";
import type { HttpTransport } from "../../src/engine/remote/transport.ts";
import { VAULT_ROUTES } from "../../src/wire/v4/api/vault-routes.ts";
import { BackupRig } from "../backup-rig.ts";
import type { MemoryVault } from "../memory-vault.ts";
import { platform } from "../platform.ts";
import { deviceAdd, hashOf, newDevice, type Prng, prng, signed } from "../vault/kit.ts";
import { call, newVault, toWire } from "./device.ts";

export type Member = {
  readonly rig: BackupRig;
  readonly vault: RemoteVault;
  readonly random: Prng;
  /** Snapshots that the server has acknowledged, with what the disk held then. */
  readonly acknowledged: Map<SnapshotId, ReadonlyMap<string, string>>;
};

export type Fleet = { readonly vaultId: VaultId; readonly secrets: ReaderSecrets; readonly members: readonly Member[] };

export type FleetOptions = {
  readonly socket: string;
  readonly port: number;
  /** The server's pin, hex. */
  readonly pin: string;
  readonly devices: number;
  readonly seed: number;
  readonly decorate?: (transport: HttpTransport) => HttpTransport;
};

const NAME = "fleet";

export async function newFleet({
  socket,
  port,
  pin,
  devices,
  seed,
  decorate = (t) => t,
}: FleetOptions): Promise<Fleet> {
  const local = { socketPath: socket };
  const vaultId = toHex(randomBytes(16)) as VaultId;
  const secrets = await generateSecrets(platform.random);
  const signers = await Promise.all(Array.from({ length: devices }, newDevice));
  const body = await newVault(NAME, vaultId, signers[0]!, new Uint8Array(randomBytes(100)));
  await call(local, VAULT_ROUTES.makeVault, { body });
  for (const [i, signer] of signers.slice(1).entries()) {
    const statement = toWire(await signed(vaultId, signer, deviceAdd(signer, `device ${i + 2}`)));
    await call(local, VAULT_ROUTES.statement, { params: { vault: NAME }, body: { statement, keyslotFile: null } });
  }
  const members = await Promise.all(
    signers.map(async (signer, i): Promise<Member> => {
      const transport = decorate(httpsTransport({ origin: `https://127.0.0.1:${port}`, pin: fromHex(pin) }));
      const credentials = deviceCredentials({ transport, vault: vaultId, signer, clock: systemClock });
      const retrier = new Retrier({ clock: systemClock, random: systemRandom });
      const vault = await openRemoteVault({
        client: new ApiClient({ transport, credentials, retrier }),
        name: NAME,
        vaultId,
      });
      // The rig's own vault is never used: every run names the remote one.
      const rig = new BackupRig(vault as unknown as MemoryVault, secrets, signer);
      return { rig, vault, random: prng(seed * 1000 + i), acknowledged: new Map() };
    }),
  );
  return { vaultId, secrets, members };
}

/** Changes a few files, and backs up. Throws what the run throws. */
export async function backUpOnce({ rig, vault, random, acknowledged }: Member): Promise<void> {
  const files = 1 + random.below(3);
  for (let i = 0; i < files; i++) {
    rig.disk.write(`/file-${random.below(6)}`, random.bytes(20_000 + random.below(200_000)));
  }
  const truth = new Map<string, string>();
  for (const [path, node] of rig.disk.nodes) if (path !== "/") truth.set(path, hashOf(node.content));
  const { snapshot } = await rig.run({ vault, packBytes: 2 ** 17 });
  acknowledged.set(snapshot!, truth);
}

/** What a snapshot reads back as. */
export async function readSnapshot({ rig, vault }: Member, snapshot: SnapshotId): Promise<Map<string, string>> {
  const reader = openReader({ vault, secrets: rig.secrets, platform });
  const found = await rig.readBack(snapshot, reader);
  return new Map(Array.from(found, ([path, { content }]) => [path, hashOf(content!)]));
}
