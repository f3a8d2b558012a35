// `enroll`: makes this machine a device of a vault by an enrolment code. That is all that a machine needs to back up.

import { hostname } from "node:os";
import type { Command } from "commander";
import { planFiles } from "../../client/agent/plan-files.ts";
import { enrol } from "../../client/enrol.ts";
import { type DeviceFile, type Home, openHome } from "../../client/home.ts";
import { newServerFile } from "../../client/server-file.ts";
import { parseVaultAddress, type ServerVault, vaultAddressText } from "../../client/vault-address.ts";
import { AppError, isAppError } from "../../core/errors.ts";
import { invitationId } from "../../crypto/invitation.ts";
import { importSigner } from "../../crypto/signature.ts";
import { acceptHead } from "../../engine/heads.ts";
import { openRemoteVault } from "../../engine/remote/remote-vault.ts";
import { decodeInviteCode, type InviteCode } from "../../wire/v4/invite-code.ts";
import { placeServedVaults } from "../agent-places.ts";
import { action, type Context } from "../context.ts";
import { usage } from "../parse-values.ts";
import { addExamples, type Cli } from "../program.ts";
import { reachServer, type ServerAccess } from "../server-access.ts";
import { shownText } from "../shown-path.ts";

type Options = { readonly name?: string };

export function define(command: Command, cli: Cli): void {
  command
    .argument("<code>", "The line that `cyberbackup device invite` has printed.")
    .option("--name <name>", "What to call this machine (default: its host name).")
    .action(action(cli, run));
  addExamples(command, [["cyberbackup enroll cb4-AQEB…", "from then on `backup` asks for nothing"]]);
}

async function run(context: Context, options: Options, text: string): Promise<undefined> {
  const { config, logger, output } = context;
  const code = decodeInviteCode(text);
  const place = parseVaultAddress(code.address);
  if (place.kind !== "server") throw usage("The code is for a vault in a folder: use `cyberbackup device add`.");
  const home = openHome(config.home, logger);
  const server = await meet(context, home, place, code);
  try {
    await requireNew(context, home, server, place, code);
    const name = options.name ?? (hostname() || "this machine");
    const { device } = await enrol({ api: server.nobody, home, code, name });
    await home.saveDevice(device);
    await remember(home, server, place, code);
    await home.endEnrolment(await invitationId(code.key));
    const vault = await asDevice(context, server, place, device);
    await acceptHead({ vault, home });
    await placeServedVaults(home, planFiles(config.home));
    const address = vaultAddressText(place);
    output.say(
      `This machine is enrolled as ${shownText(device.name)} in ${shownText(address)}: its backups need no passphrase.`,
    );
    output.say(`Try it: cyberbackup backup ~ --vault ${shownText(address)}`);
    output.json({
      type: "result",
      command: "enroll",
      vault: code.vault,
      address,
      id: device.device,
      name: device.name,
    });
  } finally {
    await server.transport.close();
  }
}

/** The code says whom to trust, whatever this machine believed before. */
async function meet(context: Context, home: Home, { origin }: ServerVault, { pin }: InviteCode): Promise<ServerAccess> {
  const known = (await home.server(origin)) ?? newServerFile(origin, pin);
  return reachServer({ ...context, config: { ...context.config, serverPin: undefined } }, origin, { ...known, pin });
}

/** A code is good once: it is not wasted on a machine that is enrolled already. */
async function requireNew(
  context: Context,
  home: Home,
  server: ServerAccess,
  place: ServerVault,
  { vault }: InviteCode,
): Promise<void> {
  const own = await home.device(vault);
  if (!own) return;
  try {
    await asDevice(context, server, place, own);
  } catch (error) {
    if (isAppError(error, "login_failed") || isAppError(error, "device_revoked")) return;
    throw error;
  }
  const detail = `This machine is enrolled already, as ${shownText(own.name)}, and can back up there. The code was not used.`;
  throw new AppError("usage", { context: { detail } });
}

/** An API key that another server gave is not for this one. */
async function remember(
  home: Home,
  { origin }: ServerAccess,
  { name }: ServerVault,
  { vault, pin }: InviteCode,
): Promise<void> {
  const known = await home.server(origin);
  const isSame = known !== undefined && known.pin?.toHex() === pin?.toHex();
  const file = isSame ? known : newServerFile(origin, pin);
  await home.saveServer({ ...file, vaults: { ...known?.vaults, [name]: vault } });
}

async function asDevice({ host }: Context, server: ServerAccess, { name }: ServerVault, device: DeviceFile) {
  const client = server.as(await importSigner(device.signingKey), device.vault);
  return openRemoteVault({ client, name, vaultId: device.vault, signal: host.signal });
}
