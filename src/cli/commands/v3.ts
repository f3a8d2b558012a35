// `v3`: moving from CyberBackup 3, one end at a time (docs/migration.md).

import type { Command } from "commander";
import type { Cli } from "../program.ts";
import { defineImport } from "./v3-import.ts";
import { defineSend } from "./v3-send.ts";

export function define(command: Command, cli: Cli): void {
  defineSend(command.command("send").description("Send files to a CyberBackup 3 server, as the old client does."), cli);
  defineImport(command.command("import").description("Take what an old server received into the vault."), cli);
}
