// `rebuild`: the vault's index made anew from its packs, records and log. Needs no key and changes none of those.

import type { Command } from "commander";
import { EXIT } from "../../core/errors.ts";
import { rebuildIndex } from "../../vault/rebuild.ts";
import { requireFolder } from "../connect.ts";
import { action, type Context } from "../context.ts";
import { formatCount, plural } from "../format-bytes.ts";
import { formatDuration } from "../format-time.ts";
import { withVault } from "../open-vault.ts";
import { addExamples, type Cli } from "../program.ts";
import { whileShowing } from "../status.ts";
import { showVaultProblems, vaultProblemJson } from "../vault-problems.ts";

export function define(command: Command, cli: Cli): void {
  command.action(action(cli, run));
  addExamples(command, [["cyberbackup rebuild --vault /mnt/disk/vault", "after index.db was lost or damaged"]]);
}

async function run(context: Context): Promise<number> {
  const { output, host, logger } = context;
  const path = requireFolder(context);
  const startMs = host.clock.monotonic();
  let donePacks = 0;
  const report = await whileShowing(
    context,
    () => ({ command: "rebuild", done: `${plural(donePacks, "pack")} read` }),
    () =>
      rebuildIndex(path, {
        clock: host.clock,
        logger,
        signal: host.signal,
        onProgress: (progress) => {
          donePacks = progress.donePacks;
        },
      }),
  );
  // Opening it again shows that the new index works, and checks the log against what this machine remembers.
  const snapshots = await withVault(context, async ({ vault }) => (await vault.snapshots()).length);
  const durationMs = Math.round(host.clock.monotonic() - startMs);
  const { packs, blocks, problems } = report;
  const exit = problems.length > 0 ? EXIT.damaged : EXIT.ok;
  showVaultProblems(context, problems);
  output.say(
    `The index was made anew from ${plural(packs, "pack")} (${formatCount(blocks)} blocks) and ` +
      `${plural(snapshots, "snapshot")} in ${formatDuration(durationMs)}.`,
  );
  output.json({
    type: "summary",
    command: "rebuild",
    packs,
    blocks,
    snapshots,
    problemCount: problems.length,
    problems: problems.map(vaultProblemJson),
    durationMs,
    exit,
  });
  return exit;
}
