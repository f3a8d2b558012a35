// `server`: looking after a server that runs, on this machine by its local socket or elsewhere.

import type { Command } from "commander";
import type { Cli } from "../program.ts";
import { defineSetup } from "./server-setup.ts";

export function define(command: Command, cli: Cli): void {
  defineSetup(
    command.command("setup").description("Make the first owner's account, or choose a password by a link."),
    cli,
  );
}
