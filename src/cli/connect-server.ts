// Opens a vault on a server: as the device that this machine is there, or as the person who has logged in. Remembers which vault is
// behind the name, so that another one under the same name is noticed.

import { type DeviceFile, type Home, openHome } from "../client/home.ts";
import { newServerFile, type ServerFile } from "../client/server-file.ts";
import type { ServerVault } from "../client/vault-address.ts";
import { AppError, type ErrorCode, isAppError } from "../core/errors.ts";
import type { VaultId } from "../core/ids.ts";
import { importSigner } from "../crypto/signature.ts";
import type { NewVault } from "../engine/enrol/new-vault.ts";
import { statementMessage } from "../engine/enrol/statements.ts";
import { RemoteAdmin } from "../engine/remote/remote-admin.ts";
import { openRemoteVault, type RemoteVault } from "../engine/remote/remote-vault.ts";
import { VAULT_ROUTES } from "../wire/v4/api/vault-routes.ts";
import type { Connected, ConnectOptions } from "./connect.ts";
import type { Context } from "./context.ts";
import { reachServer, type ServerAccess } from "./server-access.ts";
import { givenWriter } from "./writer-option.ts";

const VAULT_ID = /^[0-9a-f]{32}$/;
/** What a device is told that may not log in any more. */
const SHUT_OUT: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["login_failed", "device_revoked"]);

/** Throws `not_logged_in` when this machine is neither enrolled there nor logged in, and what reaching the server throws. */
export async function connectServer(
  context: Context,
  place: ServerVault,
  { asDevice = false }: ConnectOptions = {},
): Promise<Connected> {
  const home = openHome(context.config.home, context.logger);
  const [file, writer] = [await home.server(place.origin), await givenWriter(context)];
  const server = reachServer(context, place.origin, file, writer?.server?.pin);
  try {
    const vaultId = writer?.vault ?? knownVault(file, place.name);
    const device = writer ?? (vaultId && (await home.device(vaultId)));
    const vault = await open(context, server, { name: place.name, vaultId, device, asDevice });
    if (!writer) await rememberVault(home, server, place.name, vault.vaultId);
    return { vault, admin: adminOf(server, vault.vaultId), place, server };
  } catch (error) {
    await server.transport.close();
    throw error;
  }
}

/** To look after a vault that cannot be opened: nothing is asked before the first call. */
export async function administerServer(
  context: Context,
  place: ServerVault,
): Promise<{ admin: RemoteAdmin; server: ServerAccess }> {
  const home = openHome(context.config.home, context.logger);
  const file = await home.server(place.origin);
  const server = reachServer(context, place.origin, file);
  return { admin: adminOf(server, knownVault(file, place.name) ?? (place.name as VaultId)), server };
}

/** Makes the vault there; the device that the contents enrol is this machine, whose device file is there already. */
export async function createOnServer(context: Context, place: ServerVault, contents: NewVault): Promise<RemoteVault> {
  const home = openHome(context.config.home, context.logger);
  const server = reachServer(context, place.origin, await home.server(place.origin));
  try {
    const { record, keyslotFiles } = contents;
    const statements = contents.statements.map(statementMessage);
    const body = { name: place.name, record, statements, keyslotFiles: [...keyslotFiles] };
    const { vault: vaultId } = await server.people.call(VAULT_ROUTES.makeVault, { body });
    await rememberVault(home, server, place.name, vaultId);
    return await open(context, server, {
      name: place.name,
      vaultId,
      device: await home.requireDevice(vaultId),
      asDevice: true,
    });
  } catch (error) {
    await server.transport.close();
    throw error;
  }
}

/** From now on the name in the address means this vault. */
export async function rememberVault(
  home: Home,
  { origin, pin }: Pick<ServerAccess, "origin" | "pin">,
  name: string,
  vault: VaultId,
): Promise<void> {
  const file = (await home.server(origin)) ?? newServerFile(origin, pin);
  if (file.vaults[name] === vault || VAULT_ID.test(name)) return;
  await home.saveServer({ ...file, vaults: { ...file.vaults, [name]: vault } });
}

type OpenAs = {
  readonly name: string;
  readonly vaultId: VaultId | undefined;
  readonly device: DeviceFile | undefined;
  readonly asDevice: boolean;
};

async function open(
  { host }: Context,
  server: ServerAccess,
  { name, vaultId, device, asDevice }: OpenAs,
): Promise<RemoteVault> {
  const { signal } = host;
  if (device) {
    const client = server.as(await importSigner(device.signingKey), device.vault);
    try {
      return await openRemoteVault({ client, name, vaultId: device.vault, signal });
    } catch (error) {
      // A person may still look where their machine may not write any more.
      if (asDevice || !server.hasAccount || !isAppError(error) || !SHUT_OUT.has(error.code)) throw error;
    }
  }
  if (!server.hasAccount) throw new AppError("not_logged_in", { context: { address: server.origin } });
  return openRemoteVault({ client: server.people, name, vaultId, signal });
}

function adminOf(server: ServerAccess, vault: VaultId): RemoteAdmin {
  return new RemoteAdmin({ api: server.people, vault, giveFactor: () => server.giveFactor() });
}

function knownVault(file: ServerFile | undefined, name: string): VaultId | undefined {
  return file?.vaults[name] ?? (VAULT_ID.test(name) ? (name as VaultId) : undefined);
}
