// `diff`: what changed from one snapshot to another.

import type { Command } from "commander";
import { type Change, type ChangeKind, diffTrees } from "../../engine/reader/diff.ts";
import { resolveSnapshot } from "../../engine/reader/resolve.ts";
import { ENTRY } from "../../wire/v4/tree-types.ts";
import { action, type Context } from "../context.ts";
import { formatCount } from "../format-bytes.ts";
import { metadataJson, pathJson } from "../json-values.ts";
import { withReader } from "../open-vault.ts";
import { addExamples, type Cli, settingOption } from "../program.ts";
import { shownPath } from "../shown-path.ts";
import { requireTyped } from "../snapshot-path.ts";

type Options = { readonly path: string; readonly metadata?: boolean };

const SIGNS: Readonly<Record<ChangeKind, string>> = {
  added: "+",
  removed: "-",
  modified: "M",
  metadata: "U",
  type: "T",
};

export function define(command: Command, cli: Cli): void {
  command
    .argument("<before>", "A snapshot: an id or its beginning, latest, latest:2, or latest@PLAN.")
    .argument("<after>", "Another one.")
    .option("--path <path>", "Only below this folder.", "/")
    .option("--metadata", "Also where only mode, owner, times or attributes changed.")
    .addOption(settingOption("cacheMiB"))
    .action(action(cli, run));
  addExamples(command, [
    ["cyberbackup diff latest:2 latest", "what the last backup changed"],
    ["cyberbackup diff 3fa9 latest --path /etc", "below one folder"],
  ]);
}

async function run(context: Context, options: Options, before: string, after: string): Promise<undefined> {
  const { output, host } = context;
  await withReader(context, async (opened) => {
    const reader = await opened.reader();
    const [left, right] = [await resolveSnapshot(reader, before), await resolveSnapshot(reader, after)];
    const [from, to] = [
      await requireTyped(reader, left, options.path),
      await requireTyped(reader, right, options.path),
    ];
    const readers = { before: reader.of(left), after: reader.of(right) };
    const counts: Record<ChangeKind, number> = { added: 0, removed: 0, modified: 0, metadata: 0, type: 0 };
    for await (const change of diffTrees(readers, from, to, { signal: host.signal })) {
      if (output.isClosed) break;
      counts[change.kind]++;
      if (change.kind === "metadata" && !options.metadata) continue;
      output.print(lineOf(context, change));
      if (output.isJson) output.json(toJson(change));
    }
    const { type: changedType, ...others } = counts;
    output.json({
      type: "summary",
      command: "diff",
      before: left.row.id,
      after: right.row.id,
      ...others,
      changedType,
    });
    output.say(
      `${formatCount(counts.added)} added, ${formatCount(counts.removed)} removed, ${formatCount(counts.modified)} modified, ` +
        `${formatCount(counts.type)} of another type, ${formatCount(counts.metadata)} with other metadata only`,
    );
  });
}

function lineOf({ output }: Context, { kind, path, before, after }: Change): string {
  const { green, red, yellow, dim } = output.paint;
  const style = { added: green, removed: red, modified: yellow, metadata: dim, type: yellow }[kind];
  const isDirectory = (after ?? before)?.type === ENTRY.directory;
  return style(`${SIGNS[kind]} ${shownPath(path)}${isDirectory ? "/" : ""}`);
}

function toJson({ kind, path, before, after }: Change) {
  return {
    type: "change" as const,
    change: kind,
    ...pathJson(path),
    ...(before ? { before: metadataJson(before) } : {}),
    ...(after ? { after: metadataJson(after) } : {}),
  };
}
