// `config`: every setting, its value and where that comes from.

import type { Command } from "commander";
import { explainConfig } from "../../node/config.ts";
import { action, type Context } from "../context.ts";
import { addExamples, type Cli, settingOption } from "../program.ts";
import { shownText } from "../shown-path.ts";
import { table } from "../table.ts";

export function define(command: Command, cli: Cli): void {
  for (const key of ["writerFile", "compression", "workers", "packSizeMiB", "uploadLimitKiBps", "cacheMiB"] as const) {
    command.addOption(settingOption(key));
  }
  command.action(action(cli, run));
  addExamples(command, [["cyberbackup config", "secrets are masked"]]);
}

async function run({ output, resolved }: Context): Promise<undefined> {
  const rows = explainConfig(resolved);
  output.json({
    type: "result",
    command: "config",
    ...(resolved.file === undefined ? {} : { file: resolved.file }),
    settings: rows,
  });
  const columns = [{ title: "Setting" }, { title: "Value" }, { title: "From" }];
  const cells = rows.map(({ key, value, origin }) => [key, shownText(value), shownText(origin)]);
  for (const line of table(columns, cells, output.paint.bold)) output.print(line);
}
