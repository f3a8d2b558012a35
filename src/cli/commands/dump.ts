// `dump`: a file or folder of a snapshot as an archive on standard output.

import { type Command, Option } from "commander";
import { EXIT } from "../../core/errors.ts";
import { type RawPath, rawToText } from "../../core/raw-path.ts";
import type { VaultReader } from "../../engine/reader/reader.ts";
import { resolveSnapshot } from "../../engine/reader/resolve.ts";
import type { FoundEntry } from "../../engine/reader/tree-reader.ts";
import { walkTree } from "../../engine/reader/walk.ts";
import { isTerminal } from "../../node/terminal.ts";
import { action, type Context } from "../context.ts";
import { withReader } from "../open-vault.ts";
import { usage } from "../parse-values.ts";
import { addExamples, type Cli, settingOption } from "../program.ts";
import { shownPath } from "../shown-path.ts";
import { requireTyped } from "../snapshot-path.ts";
import { type NamedEntry, tarArchive } from "../tar-archive.ts";
import { zipArchive } from "../zip-archive.ts";

type Options = { readonly format: "tar" | "zip" };

export function define(command: Command, cli: Cli): void {
  command
    .argument("<snap>", "An id or its beginning, latest, latest:2, or latest@PLAN.")
    .argument("[path]", "The file or folder in the snapshot.", "/")
    .addOption(new Option("--format <format>", "Kind of archive.").choices(["tar", "zip"]).default("tar"))
    .addOption(settingOption("cacheMiB"))
    .action(action(cli, run));
  addExamples(command, [
    ["cyberbackup dump latest /home/ann/letters | tar -tv", "look into a folder"],
    ["cyberbackup dump latest /srv --format zip > srv.zip", "for somebody with Windows"],
  ]);
}

async function run(context: Context, { format }: Options, expression: string, path: string): Promise<number> {
  const { host, output } = context;
  if (isTerminal(host.stdout))
    throw usage("An archive is not for a terminal: redirect it to a file or another program.");
  return withReader(context, async (opened) => {
    const whole = await opened.reader();
    const snapshot = await resolveSnapshot(whole, expression);
    const reader = whole.of(snapshot);
    const start = await requireTyped(reader, snapshot, path);
    let skipped = 0;
    const archive = { tar: tarArchive, zip: zipArchive }[format];
    const onSkipped = (found: NamedEntry): void => {
      skipped++;
      output.warn(`${shownPath(found.path)} is nothing that ${format} can hold.`);
    };
    for await (const slice of archive(reader, entriesOf(reader, start, host.signal), host.signal, onSkipped)) {
      if (output.isClosed) break;
      await output.bytes(slice);
    }
    return skipped > 0 ? EXIT.partial : EXIT.ok;
  });
}

/** Names in the archive start with the name of what is dumped; the root has none. */
async function* entriesOf(reader: VaultReader, start: FoundEntry, signal: AbortSignal): AsyncGenerator<NamedEntry> {
  const cut = start.path.lastIndexOf("/") + 1;
  for await (const step of walkTree(reader, start, { signal })) {
    if (step.kind === "problem") throw step.error;
    const nameInArchive = rawToText(step.path.slice(cut) as RawPath);
    if (step.kind !== "leave" && nameInArchive !== "") yield { ...step, nameInArchive };
  }
}
