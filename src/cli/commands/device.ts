// `device`: the machines that may back up here. They can add, but neither read nor delete.

import { hostname } from "node:os";
import type { Command } from "commander";
import { enrolDevice } from "../../client/device.ts";
import { AppError } from "../../core/errors.ts";
import { requireGroupName } from "../../engine/enrol/statements.ts";
import type { TrustGroup } from "../../wire/v4/log-entry.ts";
import type { SignedStatement } from "../../wire/v4/vault-port.ts";
import { askVault } from "../ask-vault.ts";
import { action, type Context } from "../context.ts";
import { findDevice } from "../find-device.ts";
import { withVault } from "../open-vault.ts";
import { parseCount } from "../parse-values.ts";
import { addExamples, type Cli } from "../program.ts";
import { shownText } from "../shown-path.ts";
import { table } from "../table.ts";

type AddOptions = { readonly name?: string };

export function define(command: Command, cli: Cli): void {
  const list = command.command("list").description("List the machines; needs no passphrase.");
  list.action(action(cli, runList));
  addExamples(list, [["cyberbackup device list", ""]]);

  const add = command
    .command("add")
    .description("Enrol this machine; asks for the passphrase.")
    .option("--name <name>", "What to call it (default: its host name).")
    .action(action(cli, runAdd));
  addExamples(add, [["cyberbackup device add --vault /mnt/disk/vault --name laptop", "later backups ask for nothing"]]);

  const invite = command
    .command("invite")
    .description("Print a code, good once, that enrols a further machine at a server.")
    .option("--name <name>", "What to call the machine until it says so itself.", "new machine")
    .option("--hours <n>", "How long the code is good.", parseCount, 24)
    .option("--qr", "Show it as a QR code as well.")
    .action(
      action(cli, async (context: Context, options: InviteOptions) =>
        (await import("../device-invite.ts")).runInvite(context, options),
      ),
    );
  addExamples(invite, [
    [
      "cyberbackup device invite --vault https://backup.example.org/home",
      "then `enroll` the line on the other machine",
    ],
  ]);

  const rename = command
    .command("rename")
    .description("Change the name that a server shows for a machine.")
    .argument("<machine>", "Its name, or the beginning of its id, as in the list.")
    .argument("[name]", "The new name; without one, the name that the machine gave itself.")
    .action(
      action(cli, async (context: Context, _options: object, prefix: string, name: string | undefined) =>
        (await import("../device-invite.ts")).runRename(context, prefix, name),
      ),
    );
  addExamples(rename, [["cyberbackup device rename 77ab 'Ann, living room'", ""]]);

  const trust = command
    .command("trust")
    .description("Say with which machines one shares stored pieces: none, those of a group, or all (the default).")
    .argument("<machine>", "Its name, or the beginning of its id, as in the list.")
    .option("--apart", "Alone: it relies on what it has stored itself, and no other machine relies on that.")
    .option("--group <name>", "With those that are in the group of this name.")
    .option("--together", "With all that were not put elsewhere.")
    .action(action(cli, runTrust));
  addExamples(trust, [
    ["cyberbackup device trust kiosk --apart", "a machine that strangers use"],
    ["cyberbackup device trust laptop --group ann", "ann's machines share with each other only"],
    ["cyberbackup device trust kiosk --together", "share with all again"],
  ]);

  const revoke = command
    .command("revoke")
    .description("Take from a machine the right to back up here. What it stored stays.")
    .argument("<machine>", "Its name, or the beginning of its id, as in the list.")
    .action(action(cli, runRevoke));
  addExamples(revoke, [["cyberbackup device revoke laptop", "one that was stolen"]]);
}

export type InviteOptions = { readonly name: string; readonly hours: number; readonly qr?: boolean };

async function runList(context: Context): Promise<undefined> {
  const { output } = context;
  await withVault(context, async ({ vault, home, server }) => {
    const own = (await home.device(vault.vaultId))?.device;
    const rows = await vault.devices();
    const shownNames = server?.hasAccount
      ? await (await import("../device-invite.ts")).shownNames(server, vault.vaultId)
      : new Map<string, string>();
    const devices = rows.map((row) => ({ ...row, name: shownNames.get(row.device) ?? row.name }));
    output.json({
      type: "result",
      command: "device list",
      devices: devices.map(({ device, name, revoked, group }) => ({
        id: device,
        name,
        revoked,
        current: device === own,
        group,
      })),
    });
    const columns = ["ID", "Name", "State", "Shares with"].map((title) => ({ title }));
    const cells = devices.map(({ device, name, revoked, group }) => [
      device.slice(0, 12),
      shownText(name),
      revoked ? output.paint.red("revoked") : device === own ? "this machine" : "enrolled",
      shownText(trustWords(group)),
    ]);
    for (const line of table(columns, cells, output.paint.bold)) output.print(line);
  });
}

async function runAdd(context: Context, { name = hostname() }: AddOptions): Promise<undefined> {
  const { output } = context;
  await withVault(context, async (opened) => {
    const { vault, admin, home } = opened;
    const own = await home.device(vault.vaultId);
    const known = (await vault.devices()).find(({ device }) => device === own?.device);
    if (own && known && !known.revoked) {
      throw new AppError("usage", {
        context: { detail: `This machine is enrolled already, as ${shownText(own.name)}.` },
      });
    }
    const { writer } = await opened.secrets();
    const append = (statement: SignedStatement) => admin.apply(statement);
    const file = await enrolDevice({ vaultId: vault.vaultId, name, writer, append });
    await home.saveDevice(file);
    output.say(`This machine is enrolled as ${shownText(file.name)}: its backups need no passphrase.`);
    output.json({ type: "result", command: "device add", id: file.device, name: file.name });
  });
}

type TrustOptions = { readonly apart?: boolean; readonly group?: string; readonly together?: boolean };

async function runTrust(context: Context, options: TrustOptions, which: string): Promise<undefined> {
  const { output } = context;
  const group = groupIn(options);
  await withVault(context, async (opened) => {
    const { device: id, name, group: before } = findDevice(await opened.vault.devices(), which);
    if (group !== before) await askVault(opened, "device-trust", { device: id, group });
    output.say(
      `${shownText(name)} ${group === before ? "shares already" : "now shares"} with ${shownText(trustWords(group))}.`,
    );
    if (group !== before && group !== "") {
      output.say("Its next backup sends again what so far only other machines had stored. What it has stored stays.");
    }
    output.json({ type: "result", command: "device trust", id, name, group });
  });
}

function groupIn({ apart, group, together }: TrustOptions): TrustGroup {
  if ([apart, group, together].filter((given) => given !== undefined).length !== 1) {
    throw new AppError("usage", { context: { detail: "Give one of --apart, --group NAME and --together." } });
  }
  if (group !== undefined) return requireGroupName(group);
  return apart ? null : "";
}

function trustWords(group: TrustGroup): string {
  if (group === null) return "nobody";
  return group === "" ? "all" : `group ${group}`;
}

async function runRevoke(context: Context, _options: object, which: string): Promise<undefined> {
  const { output } = context;
  await withVault(context, async (opened) => {
    const { device: id, name } = findDevice(await opened.vault.devices(), which);
    await askVault(opened, "device-revoke", { device: id });
    output.say(`${shownText(name)} (${id.slice(0, 12)}) can no longer back up here. What it has stored stays.`);
    output.json({ type: "result", command: "device revoke", id, name });
  });
}
