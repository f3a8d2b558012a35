// `cat`: the bytes of one file, and nothing else, on standard output.

import type { Command } from "commander";
import { readFile } from "../../engine/reader/file-content.ts";
import { resolveSnapshot } from "../../engine/reader/resolve.ts";

import { action, type Context } from "../context.ts";
import { withReader } from "../open-vault.ts";
import { addExamples, type Cli } from "../program.ts";
import { requireTyped } from "../snapshot-path.ts";

export function define(command: Command, cli: Cli): void {
  command
    .argument("<snap>", "An id or its beginning, latest, latest:2, or latest@PLAN.")
    .argument("<path>", "The file in the snapshot.")
    .action(action(cli, run));
  addExamples(command, [["cyberbackup cat latest /etc/fstab", "one file as it was"]]);
}

async function run(context: Context, _options: object, expression: string, path: string): Promise<undefined> {
  const { output, host } = context;
  await withReader(context, async (opened) => {
    const reader = await opened.reader();
    const snapshot = await resolveSnapshot(reader, expression);
    const found = await requireTyped(reader, snapshot, path);
    for await (const slice of readFile(reader.of(snapshot), found, { signal: host.signal })) {
      if (output.isClosed) break;
      await output.bytes(slice);
    }
  });
}
