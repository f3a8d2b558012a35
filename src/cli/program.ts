// The tree of commands. A command's file is loaded when the command is used: its options, examples and action live there.

import { Command, Option } from "commander";
import { CONFIG, type ConfigKey, flagName } from "../core/config-schema.ts";
import { programName } from "../node/version.ts";
import { COMMANDS } from "./command-list.ts";
import type { CrashHandling } from "./crash.ts";
import type { Host } from "./host.ts";
import type { Output } from "./output.ts";

/** What a run hands to its command, and gets back. */
export type Cli = { readonly host: Host; readonly output: Output; readonly crash: CrashHandling; exitCode: number };

/** Settings that every command takes as flags. */
const COMMON: readonly ConfigKey[] = [
  "vault",
  "passphraseFile",
  "identityFile",
  "home",
  "color",
  "progress",
  "logLevel",
];

const PLACEHOLDERS: Readonly<Record<string, string>> = {
  vault: "folder|url",
  home: "folder",
  passphraseFile: "file",
  identityFile: "file",
  writerFile: "file",
  serverPin: "sha256",
  compression: "how",
  color: "when",
  progress: "when",
  logLevel: "level",
  data: "folder",
  gateway: "address:port",
  gatewayVault: "name",
  listen: "address:port",
  listenHttp: "address:port",
  tlsCert: "file",
  tlsKey: "file",
  trustProxy: "how",
  publicUrl: "url",
  proxyCertificate: "file",
};

export function buildProgram(cli: Cli): Command {
  const program = new Command("cyberbackup")
    .description("Encrypted, deduplicating backup that never lets its storage see a file or a name.")
    .version(programName(), "-V, --version", "Show the version.")
    .helpOption("-h, --help", "Show this help.")
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void cli.host.stdout.write(text),
      // The run says what went wrong (failure.ts); help that nobody asked for would bury it.
      writeErr: () => undefined,
      outputError: () => undefined,
    })
    // Commands that are not loaded yet know none of their arguments, so that only names are listed.
    .configureHelp({ showGlobalOptions: true, subcommandTerm: (command) => command.name() })
    .optionsGroup("Common options:")
    .addOption(new Option("--json", "Answer in JSON, as docs/json.md describes."))
    .addOption(new Option("-q, --quiet", "Say nothing but results, problems and errors."));
  for (const key of COMMON) program.addOption(settingOption(key));
  addExamples(program, [
    ["cyberbackup init --vault /mnt/disk/vault", "make a vault and enrol this machine"],
    ["cyberbackup backup ~ --vault /mnt/disk/vault", "back up your home folder"],
    ["cyberbackup restore latest --target /tmp/back --vault /mnt/disk/vault", "get it back"],
    ["cyberbackup demo", "see all of it work, on a vault that is thrown away"],
  ]);
  for (const { name, summary, group } of COMMANDS) {
    program.command(name).description(summary).helpGroup(`${group}:`);
  }
  program.hook("preSubcommand", (_, command) => loadCommand(command, cli));
  return program;
}

/** Loads every command, for completion scripts and the reference page. */
export async function loadAll(program: Command, cli: Cli): Promise<void> {
  for (const command of program.commands) (await listed(command)?.load())?.define(command, cli);
}

/** The flag of a setting, as the table of settings has it. */
export function settingOption(key: ConfigKey): Option {
  const { accepts, description, default: byDefault } = CONFIG[key];
  const placeholder = PLACEHOLDERS[key] ?? "n";
  const shown = byDefault === undefined ? description : `${description.replace(/\.$/, "")} (default: ${byDefault}).`;
  const option = new Option(`${flagName(key)} <${placeholder}>`, shown);
  const choices = accepts.split(", ");
  return placeholder === "when" || placeholder === "how" || placeholder === "level" ? option.choices(choices) : option;
}

export function addExamples(command: Command, examples: readonly (readonly [line: string, meaning: string])[]): void {
  const lines = examples.map(([line, meaning]) => `  ${line}\n      ${meaning}`);
  command.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
}

/** On the way to running it. */
async function loadCommand(command: Command, cli: Cli): Promise<void> {
  const used = listed(command);
  if (used?.writesData) cli.output.reserveForData();
  (await used?.load())?.define(command, cli);
}

function listed(command: Command): (typeof COMMANDS)[number] | undefined {
  return COMMANDS.find(({ name }) => name === command.name());
}
