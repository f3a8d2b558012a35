// `init`: a new vault, its recovery key, and this machine enrolled in it.

import { hostname } from "node:os";
import type { Command } from "commander";
import { createNewVault } from "../../client/device.ts";
import { openHome } from "../../client/home.ts";
import { vaultAddressText } from "../../client/vault-address.ts";
import type { NewVault } from "../../engine/enrol/new-vault.ts";
import { createVault } from "../../vault/open-vault.ts";
import type { VaultPort } from "../../wire/v4/vault-port.ts";
import { type VaultPlace, vaultPlace } from "../connect.ts";
import { action, type Context } from "../context.ts";
import { newPassphrase } from "../passphrase.ts";
import { addExamples, type Cli } from "../program.ts";
import { showRecoveryKey } from "../recovery-key.ts";
import { shownText } from "../shown-path.ts";

type Options = { readonly deviceName?: string };

export function define(command: Command, cli: Cli): void {
  command
    .option("--device-name <name>", "What to call this machine in the vault (default: its host name).")
    .action(action(cli, run));
  addExamples(command, [
    ["cyberbackup init --vault /mnt/disk/vault", "asks for a passphrase, then prints the recovery key"],
    ["cyberbackup init --vault https://backup.example.org/home", "on a server, after `cyberbackup login`"],
    ["cyberbackup init --vault v --passphrase-file p.txt --quiet > recovery-key.txt", "without a terminal"],
  ]);
}

async function run(context: Context, options: Options): Promise<undefined> {
  const { host, output, config } = context;
  const place = vaultPlace(context);
  const path = vaultAddressText(place);
  const deviceName = options.deviceName ?? (hostname() || "this machine");
  const home = openHome(config.home, context.logger);
  const passphrase = await newPassphrase(context, "Passphrase for the new vault");
  const { vault, vaultId, recoveryIdentity } = await createNewVault({
    create: (contents) => create(context, place, contents),
    passphrase,
    home,
    deviceName,
    clock: host.clock,
    random: host.random,
    logN: host.keyslotLogN,
  });
  try {
    const device = await home.requireDevice(vaultId);
    output.say(`Made the vault ${vaultId} in ${shownText(path)}.`);
    output.say(`This machine is enrolled as ${shownText(device.name)}: its backups need no passphrase.`);
    showRecoveryKey(context, recoveryIdentity);
    output.say("");
    output.say(`Next: cyberbackup backup FOLDER --vault ${shownText(path)}`);
    output.json({
      type: "result",
      command: "init",
      vault: vaultId,
      path,
      device: device.device,
      deviceName: device.name,
      recoveryKey: recoveryIdentity,
    });
  } finally {
    await vault.close();
  }
}

async function create(context: Context, place: VaultPlace, contents: NewVault): Promise<VaultPort> {
  const { host, logger } = context;
  if (place.kind === "folder") return createVault(place.path, contents, { clock: host.clock, logger });
  const { createOnServer } = await import("../connect-server.ts");
  return createOnServer(context, place, contents);
}
