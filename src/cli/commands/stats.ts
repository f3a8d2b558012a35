// `stats`: how much there is, and how much it takes.

import type { Command } from "commander";
import { listSnapshots } from "../../engine/reader/snapshots.ts";
import { vaultAdmin } from "../../vault/admin.ts";
import { action, type Context } from "../context.ts";
import { formatBytes, formatCount } from "../format-bytes.ts";
import { withVault } from "../open-vault.ts";
import { addExamples, type Cli } from "../program.ts";
import { table } from "../table.ts";

export function define(command: Command, cli: Cli): void {
  command.action(action(cli, run));
  addExamples(command, [["cyberbackup stats", "all snapshots against what they take on the disk"]]);
}

async function run(context: Context): Promise<undefined> {
  const { output } = context;
  await withVault(context, async (opened) => {
    const listed = await listSnapshots(await opened.reader());
    const stats = vaultAdmin(opened.vault).stats();
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
    const rows: [string, string][] = [
      ["Snapshots", `${formatCount(snapshots)} (and ${formatCount(trashedSnapshots)} in the trash)`],
      ["Files in them", formatCount(files)],
      ["Size of those", formatBytes(bytes)],
      ["Stored", `${formatBytes(storedBytes)} in ${formatCount(packs)} packs`],
      ["Ratio", storedBytes > 0 ? `${(bytes / storedBytes).toFixed(1)} : 1` : "–"],
      ["Blocks", formatCount(blocks) + (damagedBlocks > 0 ? output.paint.red(` (${damagedBlocks} damaged)`) : "")],
      ["Chunks", formatCount(chunks)],
    ];
    for (const line of table([{ title: "What" }, { title: "How much" }], rows, output.paint.bold)) output.print(line);
  });
}
