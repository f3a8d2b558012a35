// `rebuild`: the vault's index made anew from its packs, records and log. Needs no key and changes none of those.

import type { Command } from "commander";
import { EXIT } from "../../core/errors.ts";
import { rebuildIndex } from "../../vault/rebuild.ts";
import type { RebuildReport, Watched } from "../../wire/v4/admin-port.ts";
import { vaultPlace } from "../connect.ts";
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
  const { output, host } = context;
  const startMs = host.clock.monotonic();
  let donePacks = 0;
  const report = await whileShowing(
    context,
    () => ({ command: "rebuild", done: `${plural(donePacks, "pack")} read` }),
    () =>
      rebuild(context, {
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

async function rebuild(context: Context, watched: Watched<{ readonly donePacks: number }>): Promise<RebuildReport> {
  const { host, logger } = context;
  const place = vaultPlace(context);
  if (place.kind === "folder") return rebuildIndex(place.path, { clock: host.clock, logger, ...watched });
  const { administerServer } = await import("../connect-server.ts");
  const { admin, server } = await administerServer(context, place);
  try {
    return await admin.rebuild(watched);
  } finally {
    await server.transport.close();
  }
}
