// `pin`: a snapshot that no rule and nobody removes, for good or until a date.

import type { Command } from "commander";
import { askVault, findRow } from "../ask-vault.ts";
import { action, type Context } from "../context.ts";
import { formatTime, isoTime } from "../format-time.ts";
import { withVault } from "../open-vault.ts";
import { parseDate } from "../parse-values.ts";
import { addExamples, type Cli } from "../program.ts";

type Options = { readonly until?: string };

export function define(command: Command, cli: Cli): void {
  command
    .argument("<snap>", "An id or its beginning, latest, latest:2, or latest@PLAN.")
    .option("--until <date>", "Until a date (2027-01-31) or for so long (90d): nobody can end such a pin earlier.")
    .action(action(cli, run));
  addExamples(command, [
    ["cyberbackup pin 3fa9c0", "keep it until it is unpinned"],
    ["cyberbackup pin latest --until 1y", "keep it for a year, whoever asks"],
  ]);
}

async function run(context: Context, options: Options, expression: string): Promise<undefined> {
  const { output, host } = context;
  const until = options.until === undefined ? 0 : parseDate(options.until, host.clock.now());
  await withVault(context, async (opened) => {
    const { id } = await findRow(opened, expression);
    await askVault(opened, "pin", { snapshot: id, until });
    output.say(
      `Snapshot ${id.slice(0, 12)} is pinned ${until === 0 ? "until it is unpinned" : `until ${formatTime(until)}`}.`,
    );
    output.json({ type: "result", command: "pin", snapshot: id, ...(until === 0 ? {} : { until: isoTime(until) }) });
  });
}
