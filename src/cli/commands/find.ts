// `find`: files by name, in the newest snapshot or in all of them.

import type { Command } from "commander";
import { EXIT } from "../../core/errors.ts";
import { compileGlobs } from "../../engine/reader/glob.ts";
import type { VaultReader } from "../../engine/reader/reader.ts";
import { resolveSnapshot } from "../../engine/reader/resolve.ts";
import { findEntries } from "../../engine/reader/search.ts";
import { listSnapshots, type OpenedSnapshot } from "../../engine/reader/snapshots.ts";
import { action, type Context } from "../context.ts";
import { entryLine } from "../entry-line.ts";
import type { ProblemJson } from "../json-schema.ts";
import { entryJson, pathJson } from "../json-values.ts";
import { withReader } from "../open-vault.ts";
import { collect } from "../parse-values.ts";
import { addExamples, type Cli, settingOption } from "../program.ts";
import { shownPath } from "../shown-path.ts";

type Options = { readonly snapshot?: readonly string[]; readonly all?: boolean; readonly long?: boolean };

export function define(command: Command, cli: Cli): void {
  command
    .argument("<glob...>", "A name (*.jpg), the end of a path (src/*.c), or a whole path (/home/ann/**).")
    .option("--snapshot <snap>", "Look in this snapshot; may be repeated (default: latest).", collect)
    .option("--all", "Look in every snapshot.")
    .option("-l, --long", "With mode, owner, size and time.")
    .addOption(settingOption("cacheMiB"))
    .action(action(cli, run));
  addExamples(command, [
    ["cyberbackup find '*.key'", "by name, in the newest snapshot"],
    ["cyberbackup find --all 'letters/*.odt'", "in every snapshot"],
  ]);
}

async function run(context: Context, options: Options, globs: string[]): Promise<number> {
  const { output, host } = context;
  const matches = compileGlobs(globs);
  return withReader(context, async (opened) => {
    const reader = await opened.reader();
    const snapshots = await snapshotsOf(reader, options);
    const problems: ProblemJson[] = [];
    let entries = 0;
    const found = findEntries(reader, snapshots, matches, {
      signal: host.signal,
      onProblem: (_, { path, error }) => {
        problems.push({ ...pathJson(path), code: error?.code ?? "internal", detail: error?.message ?? "" });
        output.warn(`${shownPath(path)}: ${error?.message}`);
      },
    });
    for await (const finding of found) {
      if (output.isClosed) break;
      entries++;
      const mark = snapshots.length > 1 ? `${output.paint.dim(finding.snapshot.row.id.slice(0, 12))}  ` : "";
      output.print(mark + entryLine(finding, options.long === true));
      if (output.isJson) output.json({ type: "entry", snapshot: finding.snapshot.row.id, ...entryJson(finding) });
    }
    output.json({ type: "summary", command: "find", entries, snapshots: snapshots.length, problems });
    if (entries === 0) output.say("Nothing fits.");
    return problems.length > 0 ? EXIT.damaged : EXIT.ok;
  });
}

async function snapshotsOf(reader: VaultReader, { snapshot, all }: Options): Promise<OpenedSnapshot[]> {
  if (all) return (await listSnapshots(reader)).filter((listed) => listed.error === undefined);
  return Promise.all((snapshot ?? ["latest"]).map((expression) => resolveSnapshot(reader, expression)));
}
