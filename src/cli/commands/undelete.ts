// `undelete`: snapshots back from the trash, as long as no prune has emptied it.

import type { Command } from "commander";
import type { SnapshotId } from "../../core/ids.ts";
import { askVault, findRow } from "../ask-vault.ts";
import { action, type Context } from "../context.ts";
import { plural } from "../format-bytes.ts";
import { type OpenedVault, withVault } from "../open-vault.ts";
import { usage } from "../parse-values.ts";
import { addExamples, type Cli } from "../program.ts";

type Options = { readonly all?: boolean };

export function define(command: Command, cli: Cli): void {
  command
    .argument("[snap...]", "Ids, or their beginnings.")
    .option("--all", "Everything that is in the trash.")
    .action(action(cli, run));
  addExamples(command, [
    ["cyberbackup undelete 3fa9c0", "bring one back"],
    ["cyberbackup snapshots --trash", "see what is there to bring back"],
  ]);
}

async function run(context: Context, options: Options, expressions: string[]): Promise<undefined> {
  const { output } = context;
  if (expressions.length === 0 && !options.all) throw usage("Say which: ids of snapshots in the trash, or --all.");
  await withVault(context, async (opened) => {
    const ids = options.all ? await trashed(opened) : await named(opened, expressions);
    for (const snapshot of ids) await askVault(opened, "undelete", { snapshot });
    output.say(`${plural(ids.length, "snapshot")} brought back.`);
    output.json({ type: "result", command: "undelete", snapshots: ids });
  });
}

async function trashed({ vault }: OpenedVault): Promise<SnapshotId[]> {
  return (await vault.snapshots()).filter(({ state }) => state === "trash").map(({ id }) => id);
}

async function named(opened: OpenedVault, expressions: readonly string[]): Promise<SnapshotId[]> {
  const ids: SnapshotId[] = [];
  for (const expression of expressions) ids.push((await findRow(opened, expression)).id);
  return [...new Set(ids)];
}
