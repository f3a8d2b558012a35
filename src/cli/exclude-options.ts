// The options by which a backup leaves things out: the same words for `backup` and for plans.

import type { Command } from "commander";
import { collect, parseSize } from "./parse-values.ts";

export type ExcludeOptions = {
  readonly exclude?: readonly string[];
  readonly iexclude?: readonly string[];
  readonly excludeFile?: readonly string[];
  readonly excludeCaches?: boolean;
  readonly excludeLargerThan?: number;
  readonly oneFileSystem?: boolean;
};

export function addExcludeOptions(command: Command): Command {
  return command
    .option("--exclude <glob>", "Leave out what fits, by the rules of gitignore; may be repeated.", collect)
    .option("--iexclude <glob>", "The same, upper and lower case alike; may be repeated.", collect)
    .option(
      "--exclude-file <file>",
      "Read such patterns from a file, one a line, at each run; may be repeated.",
      collect,
    )
    .option("--exclude-caches", "Leave out the contents of folders that a CACHEDIR.TAG marks as caches.")
    .option("--exclude-larger-than <size>", "Leave out files over this size, such as 500M.", parseSize)
    .option("--one-file-system", "Do not cross into other file systems.");
}
