// `writer`: a further enrolment as one text, for machines that should back up and do nothing else.

import { hostname } from "node:os";
import type { Command } from "commander";
import { exportWriter } from "../../client/device.ts";
import { vaultAddressText } from "../../client/vault-address.ts";
import { decodeWriterFile } from "../../client/writer-file.ts";
import { action, type Context } from "../context.ts";
import { withVault } from "../open-vault.ts";
import { addExamples, type Cli } from "../program.ts";

type Options = { readonly name?: string };

export function define(command: Command, cli: Cli): void {
  const exporting = command
    .command("export")
    .description("Enrol a further device and print its writer file.")
    .option("--name <name>", "What to call it in the vault.")
    .action(action(cli, run));
  addExamples(exporting, [
    [
      "cyberbackup writer export --name server > w.txt",
      "keep it secret: whoever has it can add backups, not read them",
    ],
    ["cyberbackup backup /srv --vault V --writer-file w.txt", "on the other machine"],
  ]);
}

async function run(context: Context, options: Options): Promise<undefined> {
  const { output } = context;
  await withVault(context, async ({ vault, admin, home, place, server }) => {
    const name = options.name ?? `writer of ${hostname()}`;
    const writer = await exportWriter({
      home,
      vaultId: vault.vaultId,
      name,
      append: (statement) => admin.apply(statement),
      server: server && { address: vaultAddressText(place), pin: server.pin },
    });
    output.print(writer.trimEnd());
    const { device } = await decodeWriterFile(writer);
    output.json({ type: "result", command: "writer export", device, name, writer });
  });
}
