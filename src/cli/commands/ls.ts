// `ls`: one folder of a snapshot, or everything below it.

import type { Command } from "commander";
import type { VaultReader } from "../../engine/reader/reader.ts";
import { resolveSnapshot } from "../../engine/reader/resolve.ts";
import { type FoundEntry, listDirectory } from "../../engine/reader/tree-reader.ts";
import { walkTree } from "../../engine/reader/walk.ts";
import { ENTRY } from "../../wire/v4/tree-types.ts";
import { action, type Context } from "../context.ts";
import { entryLine } from "../entry-line.ts";
import { formatBytes, plural } from "../format-bytes.ts";
import { entryJson } from "../json-values.ts";
import { withReader } from "../open-vault.ts";
import { addExamples, type Cli, settingOption } from "../program.ts";
import { requireTyped } from "../snapshot-path.ts";

type Options = { readonly long?: boolean; readonly recursive?: boolean };

export function define(command: Command, cli: Cli): void {
  command
    .argument("<snap>", "An id or its beginning, latest, latest:2, or latest@PLAN.")
    .argument("[path]", "Folder or file in the snapshot.", "/")
    .option("-l, --long", "With mode, owner, size and time.")
    .option("-r, --recursive", "Everything below it.")
    .addOption(settingOption("cacheMiB"))
    .action(action(cli, run));
  addExamples(command, [
    ["cyberbackup ls latest", "the top of the newest snapshot"],
    ["cyberbackup ls -l latest@home /home/ann/letters", "one folder, with its details"],
  ]);
}

async function run(context: Context, options: Options, expression: string, path: string): Promise<undefined> {
  const { output, host } = context;
  await withReader(context, async (opened) => {
    const reader = await opened.reader();
    const snapshot = await resolveSnapshot(reader, expression);
    const start = await requireTyped(reader, snapshot, path);
    let [entries, bytes] = [0, 0];
    for await (const found of entriesOf(reader.of(snapshot), start, options, host.signal)) {
      if (output.isClosed) break;
      entries++;
      bytes += found.entry.size ?? 0;
      output.print(entryLine(found, options.long === true));
      if (output.isJson) output.json({ type: "entry", ...entryJson(found) });
    }
    output.json({ type: "summary", command: "ls", snapshot: snapshot.row.id, entries, bytes });
    if (options.long) output.say(`${plural(entries, "entry", "entries")}, ${formatBytes(bytes)}`);
  });
}

async function* entriesOf(
  reader: VaultReader,
  start: FoundEntry,
  { recursive }: Options,
  signal: AbortSignal,
): AsyncGenerator<FoundEntry> {
  if (start.entry.type !== ENTRY.directory) return yield start;
  if (!recursive) return yield* listDirectory(reader, start.path, start.entry, { signal });
  for await (const step of walkTree(reader, start, { signal })) {
    if (step.kind === "problem") throw step.error;
    if (step.kind !== "leave" && step.path !== start.path) yield step;
  }
}
