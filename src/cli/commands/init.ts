// `init`: a new vault, its recovery key, and this machine enrolled in it.

import { hostname } from "node:os";
import type { Command } from "commander";
import { createLocalVault } from "../../client/device.ts";
import { openHome } from "../../client/home.ts";
import { createVault } from "../../vault/open-vault.ts";
import { requireFolder } from "../connect.ts";
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
    ["cyberbackup init --vault v --passphrase-file p.txt --quiet > recovery-key.txt", "without a terminal"],
  ]);
}

async function run(context: Context, options: Options): Promise<undefined> {
  const { host, output, config } = context;
  const path = requireFolder(context);
  const deviceName = options.deviceName ?? (hostname() || "this machine");
  const home = openHome(config.home, context.logger);
  const passphrase = await newPassphrase(context, "Passphrase for the new vault");
  const { vault, vaultId, recoveryIdentity } = await createLocalVault({
    create: (contents) => createVault(path, contents, { clock: host.clock, logger: context.logger }),
    passphrase,
    home,
    deviceName,
    clock: host.clock,
    random: host.random,
  });
  try {
    const device = await home.requireDevice(vaultId);
    output.say(`Made the vault ${vaultId} in ${shownText(path)}.`);
    output.say(`This machine is enrolled as ${shownText(device.name)}: its backups need no passphrase.`);
    showRecoveryKey(context, recoveryIdentity);
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
