// `prune`: empties the trash of what has lain there long enough and frees the space that nothing needs. Shows its plan first.

import type { Command } from "commander";
import { LIMITS } from "../../core/config-schema.ts";
import type { GcPlan } from "../../wire/v4/admin-port.ts";
import { action, type Context } from "../context.ts";
import { formatBytes, formatCount, plural } from "../format-bytes.ts";
import { formatDuration } from "../format-time.ts";
import { withVault } from "../open-vault.ts";
import { parseCount } from "../parse-values.ts";
import { addExamples, type Cli } from "../program.ts";
import { whileShowing } from "../status.ts";

type Options = { readonly trashDays: number; readonly dryRun?: boolean };

const DAY_MS = 24 * 60 * 60_000;

export function define(command: Command, cli: Cli): void {
  command
    .option(
      "--trash-days <n>",
      "Purge what has been in the trash for so many days.",
      parseCount,
      LIMITS.trashDays.value,
    )
    .option("--dry-run", "Only show the plan.")
    .action(action(cli, run));
  addExamples(command, [
    ["cyberbackup prune --dry-run", "how much there is to gain"],
    ["cyberbackup prune --trash-days 0", "empty the trash now; nothing can be brought back then"],
  ]);
}

async function run(context: Context, { trashDays, dryRun = false }: Options): Promise<undefined> {
  const { output, host } = context;
  await withVault(context, async ({ admin }) => {
    const options = { trashMs: trashDays * DAY_MS, signal: host.signal };
    const plan = await admin.planGarbage(options);
    showPlan(context, plan);
    const base = { type: "summary", command: "prune", dryRun } as const;
    if (dryRun) {
      output.say("Nothing was changed: this was a dry run.");
      output.json({
        ...base,
        purged: plan.purge.length,
        removedPacks: plan.remove.length,
        compactedPacks: plan.compact.flat().length,
        freedBytes: plan.freedBytes,
        durationMs: 0,
      });
      return;
    }
    const startMs = host.clock.monotonic();
    let progress = { doneBytes: 0, totalBytes: plan.copiedBytes };
    const result = await whileShowing(
      context,
      () => ({
        command: "prune",
        bytes: progress.doneBytes,
        totalBytes: progress.totalBytes,
        done: `${formatBytes(progress.doneBytes)} of ${formatBytes(progress.totalBytes)} copied`,
      }),
      () =>
        admin.collectGarbage({
          ...options,
          onProgress: (now) => {
            progress = now;
          },
        }),
    );
    const durationMs = Math.round(host.clock.monotonic() - startMs);
    const freedBytes = Math.max(0, result.freedBytes);
    for (const key of result.unexpected) output.warn(`${key} is no object of a vault; it was left alone.`);
    output.say(`Freed ${formatBytes(freedBytes)} in ${formatDuration(durationMs)}.`);
    output.json({
      ...base,
      purged: result.purgedSnapshots.length,
      removedPacks: result.removedPacks,
      compactedPacks: result.compactedPacks,
      freedBytes,
      durationMs,
    });
  });
}

function showPlan({ output }: Context, plan: GcPlan): void {
  output.say(`${plural(plan.purge.length, "snapshot")} to purge from the trash.`);
  output.say(
    `${plural(plan.remove.length, "pack")} to remove, ${formatCount(plan.compact.flat().length)} to rewrite as ` +
      `${formatCount(plan.compact.length)} (${formatBytes(plan.copiedBytes)} to copy), ${formatCount(plan.keptPacks)} to leave alone.`,
  );
  output.say(`That frees ${formatBytes(Math.max(0, plan.freedBytes))}.`);
}
