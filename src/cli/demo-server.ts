// The server of the demo: a real one, over TLS on a free loopback port, with a vault that one machine makes and another one enrols in
// by a code. It lives as long as the demo.

import { join } from "node:path";
import { createNewVault } from "../client/device.ts";
import { enrol } from "../client/enrol.ts";
import { type DeviceFile, type Home, openHome } from "../client/home.ts";
import { parseVaultAddress, type ServerVault } from "../client/vault-address.ts";
import type { VaultId } from "../core/ids.ts";
import { importSigner } from "../crypto/signature.ts";
import { invite } from "../engine/enrol/invite.ts";
import { RemoteAdmin } from "../engine/remote/remote-admin.ts";
import { openRemoteVault, type RemoteVault } from "../engine/remote/remote-vault.ts";
import { type RunningServer, startServer } from "../server/app.ts";
import { VAULT_ROUTES } from "../wire/v4/api/vault-routes.ts";
import { decodeInviteCode } from "../wire/v4/invite-code.ts";
import type { Context } from "./context.ts";
import { reachLocalServer, reachServer, type ServerAccess } from "./server-access.ts";

const VAULT_NAME = "demo";

export class DemoServer {
  readonly #context: Context;
  readonly #folder: string;
  readonly #server: RunningServer;
  /** As whoever owns the server. */
  readonly #owner: ServerAccess;
  readonly #open: { close(): Promise<unknown> }[] = [];

  private constructor(context: Context, folder: string, server: RunningServer) {
    this.#context = context;
    this.#folder = folder;
    this.#server = server;
    this.#owner = reachLocalServer(context, server.socketPath);
    this.#open.push(this.#owner.transport);
  }

  static async start(context: Context, folder: string): Promise<DemoServer> {
    const settings = {
      data: join(folder, "server"),
      listen: { host: "127.0.0.1", port: 0 },
      listenHttp: undefined,
      tls: undefined,
      trustProxy: false,
      publicUrl: undefined,
      proxyCertificateFile: undefined,
      web: false,
      reserveBytes: 0,
      scrubDays: 30,
      scrubBytesPerSecond: 0,
    };
    const { clock, random } = context.host;
    return new DemoServer(context, folder, await startServer({ settings, clock, random, logger: context.logger }));
  }

  /** `https://127.0.0.1:port/demo`. */
  get address(): string {
    return `https://127.0.0.1:${this.#server.port}/${VAULT_NAME}`;
  }

  /** A first machine makes the vault and an enrolment code for a second one. */
  async makeVault(passphrase: string, logN: number): Promise<{ vaultId: VaultId; code: string }> {
    const { clock, random } = this.#context.host;
    const home = openHome(join(this.#folder, "first-machine"), this.#context.logger);
    const { people } = this.#owner;
    const { vaultId } = await createNewVault({
      create: async ({ record, statements, keyslotFiles }) => {
        const wire = statements.map(({ type, body, by, sig }) => ({ type, body, by: by ?? null, sig: sig ?? null }));
        const body = { name: VAULT_NAME, record, statements: wire, keyslotFiles: [...keyslotFiles] };
        const { vault } = await people.call(VAULT_ROUTES.makeVault, { body });
        return openRemoteVault({ client: people, name: VAULT_NAME, vaultId: vault });
      },
      ...{ passphrase, home, clock, random, logN },
      deviceName: "first machine",
    });
    const { writer } = await home.requireDevice(vaultId);
    const pin = Uint8Array.fromHex(this.#server.kit.identity().pin!);
    const { address } = this;
    const name = "second machine";
    const { code } = await invite({ api: people, vault: vaultId, writer, address, pin, name, hours: 1, random });
    return { vaultId, code };
  }

  /** The second machine, which knows nothing but the code. */
  async enrol(text: string): Promise<{ vault: RemoteVault; device: DeviceFile; home: Home }> {
    const code = decodeInviteCode(text);
    const { origin, name } = parseVaultAddress(code.address) as ServerVault;
    const home = openHome(join(this.#folder, "home"), this.#context.logger);
    const file = { origin, pin: code.pin, vaults: {}, login: undefined };
    const server = reachServer(this.#context, origin, file);
    this.#open.push(server.transport);
    const { device } = await enrol({ api: server.nobody, home, code, name: "second machine" });
    await home.saveDevice(device);
    const client = server.as(await importSigner(device.signingKey), device.vault);
    const { signal } = this.#context.host;
    return { vault: await openRemoteVault({ client, name, vaultId: device.vault, signal }), device, home };
  }

  admin(vault: VaultId): RemoteAdmin {
    return new RemoteAdmin({ api: this.#owner.people, vault });
  }

  async stop(): Promise<void> {
    for (const one of this.#open) await one.close();
    await this.#server.stop();
  }
}
