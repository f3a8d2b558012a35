// `stats`: how much there is, and how much it takes.

import type { Command } from "commander";
import { resolveSnapshot } from "../../engine/reader/resolve.ts";
import { rootOf, treeStats } from "../../engine/reader/search.ts";
import { listSnapshots } from "../../engine/reader/snapshots.ts";
import { action, type Context } from "../context.ts";
import { formatBytes, formatCount } from "../format-bytes.ts";
import { pathJson } from "../json-values.ts";
import { type OpenedVault, withVault } from "../open-vault.ts";
import { addExamples, type Cli } from "../program.ts";
import { shownPath } from "../shown-path.ts";
import { table } from "../table.ts";

type Row = readonly [what: string, howMuch: string];

export function define(command: Command, cli: Cli): void {
  command.argument("[snap]", "Count what one snapshot holds instead.").action(action(cli, run));
  addExamples(command, [
    ["cyberbackup stats", "all snapshots against what they take on the disk"],
    ["cyberbackup stats latest", "what a restore of the newest one would bring"],
  ]);
}

async function run(context: Context, _options: object, expression: string | undefined): Promise<undefined> {
  const { output } = context;
  await withVault(context, async (opened) => {
    const rows =
      expression === undefined ? await ofVault(context, opened) : await ofSnapshot(context, opened, expression);
    for (const line of table([{ title: "What" }, { title: "How much" }], rows, output.paint.bold)) output.print(line);
  });
}

async function ofVault({ output }: Context, opened: OpenedVault): Promise<Row[]> {
  const listed = await listSnapshots(await opened.reader());
  const stats = await opened.admin.stats();
  const { snapshots, trashedSnapshots, packs, blocks, damagedBlocks, chunks, packBytes: storedBytes } = stats;
  const files = listed.reduce((sum, { info }) => sum + (info?.stats.files ?? 0), 0);
  const bytes = listed.reduce((sum, { info }) => sum + (info?.stats.bytes ?? 0), 0);
  output.json({
    type: "result",
    command: "stats",
    snapshots,
    trashedSnapshots,
    files,
    bytes,
    storedBytes,
    packs,
    blocks,
    chunks,
    damagedBlocks,
    ...(storedBytes > 0 ? { ratio: bytes / storedBytes } : {}),
  });
  const damage = damagedBlocks > 0 ? output.paint.red(` (${formatCount(damagedBlocks)} damaged)`) : "";
  return [
    ["Snapshots", `${formatCount(snapshots)} (and ${formatCount(trashedSnapshots)} in the trash)`],
    ["Files in them", formatCount(files)],
    ["Size of those", formatBytes(bytes)],
    ["Stored", `${formatBytes(storedBytes)} in ${formatCount(packs)} packs`],
    ["Ratio", storedBytes > 0 ? `${(bytes / storedBytes).toFixed(1)} : 1` : "–"],
    ["Blocks", formatCount(blocks) + damage],
    ["Chunks", formatCount(chunks)],
  ];
}

async function ofSnapshot({ output, host }: Context, opened: OpenedVault, expression: string): Promise<Row[]> {
  const reader = await opened.reader();
  const snapshot = await resolveSnapshot(reader, expression);
  const { largestFile, ...stats } = await treeStats(reader.of(snapshot), rootOf(snapshot), { signal: host.signal });
  output.json({
    type: "result",
    command: "stats",
    snapshot: snapshot.row.id,
    ...stats,
    ...(largestFile ? { largestFile: { ...pathJson(largestFile.path), size: largestFile.size } } : {}),
  });
  return [
    ["Snapshot", snapshot.row.id],
    ["Files", formatCount(stats.files)],
    ["Folders", formatCount(stats.directories)],
    ["Links", formatCount(stats.links)],
    ["Others", formatCount(stats.others)],
    ["Size", `${formatBytes(stats.bytes)} (${formatBytes(stats.uniqueBytes)} with hard links counted once)`],
    ["Largest file", largestFile ? `${shownPath(largestFile.path)} (${formatBytes(largestFile.size)})` : "–"],
  ];
}
