// The manual page: every command as its help has it, in roff (groff_man(7)). Made by scripts/prepack.ts for the package.

import type { Argument, Command, Option } from "commander";
import { ENV_PREFIX } from "../core/config-schema.ts";
import { ERRORS, EXIT } from "../core/errors.ts";

/** Give it a program whose commands are all loaded. */
export function manPage(program: Command, version: string): string {
  const [, ...commands] = commandsBelow(program);
  const lines = [
    `.TH CYBERBACKUP 1 "" "cyberbackup ${version}" "User Commands"`,
    ".SH NAME",
    text(`cyberbackup - ${lowerFirst(program.description()).replace(/\.$/, "")}`),
    ".SH SYNOPSIS",
    ".B cyberbackup",
    ".I command",
    "[\\fIoptions\\fR] [\\fIarguments\\fR]",
    ".SH OPTIONS",
    text("These are understood by every command."),
    ...program.options.flatMap(optionLines),
    ".SH COMMANDS",
    ...commands.flatMap(({ command, path }) => commandLines(command, path)),
    ".SH ENVIRONMENT",
    text(`Each setting that is an option is also a variable: --pack-size-mib is ${ENV_PREFIX}PACK_SIZE_MIB.`),
    text("The command `cyberbackup config` shows every setting, its value and where that comes from."),
    ".SH EXIT STATUS",
    ...Object.entries(EXIT).flatMap(([name, code]) => [".TP", `.B ${code}`, text(meaningOf(name, code))]),
    ".SH EXAMPLES",
    ...exampleLines(program),
    ".SH SEE ALSO",
    text("The documentation comes with the program, in its folder docs."),
  ];
  return `${lines.join("\n")}\n`;
}

function commandsBelow(command: Command, path = command.name()): { command: Command; path: string }[] {
  return [{ command, path }, ...command.commands.flatMap((child) => commandsBelow(child, `${path} ${child.name()}`))];
}

function commandLines(command: Command, path: string): string[] {
  const words = command.registeredArguments.map(argumentName).join(" ");
  return [
    `.SS ${quoted(`${path} ${words}`.trim())}`,
    text(command.description()),
    ...command.registeredArguments.flatMap((argument) => [
      ".TP",
      `.I ${text(argumentName(argument))}`,
      text(argument.description || "See the examples."),
    ]),
    ...command.options.filter(({ hidden }) => !hidden).flatMap(optionLines),
    ...exampleLines(command),
  ];
}

function argumentName(argument: Argument): string {
  const shown = `${argument.name()}${argument.variadic ? "..." : ""}`;
  return argument.required ? shown : `[${shown}]`;
}

function optionLines({ flags, description, argChoices }: Option): string[] {
  const choices = argChoices ? ` One of: ${argChoices.join(", ")}.` : "";
  return [".TP", `.B ${text(flags)}`, text(`${description}${choices}`)];
}

/** What addExamples has put below the help. */
function exampleLines(command: Command): string[] {
  let help = "";
  const before = command.configureOutput();
  command.configureOutput({
    ...before,
    writeOut: (part) => {
      help += part;
    },
    getOutHelpWidth: () => 80,
  });
  command.outputHelp();
  command.configureOutput(before);
  const [, examples = ""] = help.split("\nExamples:\n");
  return examples
    .split("\n")
    .filter((line) => line.trim() !== "")
    .flatMap((line) => (/^ {2}\S/.test(line) ? [".PP", `.B ${text(line.trim())}`] : [".RS", text(line.trim()), ".RE"]));
}

function meaningOf(name: string, code: number): string {
  if (code === EXIT.ok) return "Success.";
  if (code === EXIT.partial) return "Done, but some files could not be read or written.";
  const codes = Object.entries(ERRORS).flatMap(([error, { exit }]) => (exit === code ? [error] : []));
  return codes.length === 0 ? `${name}.` : `Errors: ${codes.slice(0, 6).join(", ")}${codes.length > 6 ? ", ..." : "."}`;
}

function lowerFirst(words: string): string {
  return words.charAt(0).toLowerCase() + words.slice(1);
}

/** A line may not begin with a control character, and a hyphen that is typed must be one. */
function text(words: string): string {
  const escaped = words
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("\n", " ")
    .replace(
      /[^\x20-\x7e]/gu,
      (character) => `\\[u${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}]`,
    );
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

function quoted(words: string): string {
  return `"${text(words).replaceAll('"', "\\(dq")}"`;
}
