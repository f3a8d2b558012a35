// `unpin`: the rules decide about a snapshot again.

import type { Command } from "commander";
import { askVault, findRow } from "../ask-vault.ts";
import { action, type Context } from "../context.ts";
import { withVault } from "../open-vault.ts";
import { addExamples, type Cli } from "../program.ts";

export function define(command: Command, cli: Cli): void {
  command.argument("<snap>", "An id or its beginning, latest, latest:2, or latest@PLAN.").action(action(cli, run));
  addExamples(command, [["cyberbackup unpin 3fa9c0", "refused while a pin with a date holds"]]);
}

async function run(context: Context, _options: object, expression: string): Promise<undefined> {
  const { output } = context;
  await withVault(context, async (opened) => {
    const { id } = await findRow(opened, expression);
    await askVault(opened, "unpin", { snapshot: id });
    output.say(`Snapshot ${id.slice(0, 12)} is no longer pinned.`);
    output.json({ type: "result", command: "unpin", snapshot: id });
  });
}
