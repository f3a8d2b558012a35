// How this very program is started once more: from its sources, from an installed package, or as a single executable.

import { isSea } from "node:sea";

export type OwnProgram = { readonly file: string; readonly args: readonly string[] };

type Process = {
  readonly execPath: string;
  readonly execArgv: readonly string[];
  readonly argv: readonly string[];
};

/**
 * Flags for Node of commands that run for long, after those of every command: the last one of a name counts. The launchers, which cannot
 * read this file, have them too (own-program.test.ts); what they are worth is in ./cyberbackup.
 */
export const COMMAND_FLAGS: Readonly<Record<string, readonly string[]>> = {
  serve: ["--max-semi-space-size=8", "--heap-growing-percent=60"],
  gateway: ["--heap-growing-percent=60"],
};

/** What to spawn for `command`, whose arguments follow `args`. */
export function ownProgram(process: Process, command: string, isSingleExecutable: boolean = isSea()): OwnProgram {
  const { execPath, execArgv, argv } = process;
  // A single executable holds its script and its flags within itself.
  if (isSingleExecutable) return { file: execPath, args: [command] };
  return { file: execPath, args: [...execArgv, ...(COMMAND_FLAGS[command] ?? []), argv[1]!, command] };
}
