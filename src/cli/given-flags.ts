// The flags that a command was given, as words again, for a process that is to run with the same ones.

import type { Command, Option } from "commander";

/** Of the program itself only what says where things are and how much is told. */
const SHARED = ["home", "logLevel"];

/** `without`: names of options that the other process does not know. */
export function givenFlags(command: Command, without: readonly string[]): string[] {
  const own = command.options.filter((option) => !without.includes(option.attributeName()));
  const shared = (command.parent?.options ?? []).filter((option) => SHARED.includes(option.attributeName()));
  return [
    ...own.flatMap((option) => wordsOf(command, option)),
    ...shared.flatMap((option) => wordsOf(command.parent!, option)),
  ];
}

function wordsOf(command: Command, option: Option): string[] {
  const name = option.attributeName();
  const value: unknown = command.getOptionValue(name);
  if (command.getOptionValueSource(name) !== "cli" || option.negate !== (value === false)) return [];
  const flag = option.long!;
  if (value === true || value === false) return [flag];
  return (Array.isArray(value) ? value : [value]).flatMap((one) => [flag, String(one)]);
}
