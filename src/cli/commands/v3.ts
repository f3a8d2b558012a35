// `v3`: moving from CyberBackup 3, one end at a time (docs/migration.md).

import type { Command } from "commander";
import type { Cli } from "../program.ts";
import { defineImport } from "./v3-import.ts";

export function define(command: Command, cli: Cli): void {
  defineImport(command.command("import").description("Take what an old server received into the vault."), cli);
}
