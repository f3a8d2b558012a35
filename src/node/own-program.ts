// How this very program is started once more: from its sources, from an installed package, or as a single executable.

import { isSea } from "node:sea";

export type OwnProgram = { readonly file: string; readonly args: readonly string[] };

type Process = {
  readonly execPath: string;
  readonly execArgv: readonly string[];
  readonly argv: readonly string[];
};

/** What to spawn; the arguments of the command follow `args`. */
export function ownProgram(process: Process, isSingleExecutable: boolean = isSea()): OwnProgram {
  const { execPath, execArgv, argv } = process;
  // A single executable holds its script and its flags within itself.
  return { file: execPath, args: isSingleExecutable ? [] : [...execArgv, argv[1]!] };
}
