// `scrub`: reads what is stored and sets rotten blocks aside, so that the next backup sends their contents again. Needs no key.

import type { Command } from "commander";
import { EXIT } from "../../core/errors.ts";
import { action, type Context } from "../context.ts";
import { formatBytes, formatCount, plural } from "../format-bytes.ts";
import { formatDuration } from "../format-time.ts";
import { withVault } from "../open-vault.ts";
import { parseShare, parseSize } from "../parse-values.ts";
import { addExamples, type Cli } from "../program.ts";
import { whileShowing } from "../status.ts";
import { showVaultProblems, vaultProblemJson } from "../vault-problems.ts";

type Options = { readonly sample?: number; readonly limit?: number };

export function define(command: Command, cli: Cli): void {
  command
    .option("--sample <share>", "Read only so much, what was read longest ago first: 5%.", parseShare)
    .option("--limit <size>", "Read no more than this in a second: 50M.", parseSize)
    .action(action(cli, run));
  addExamples(command, [
    ["cyberbackup scrub", "read everything"],
    ["cyberbackup scrub --sample 5% --limit 20M", "a little every night covers it all in three weeks"],
  ]);
}

async function run(context: Context, { sample, limit }: Options): Promise<number> {
  const { output, host } = context;
  return withVault(context, async ({ admin }) => {
    const startMs = host.clock.monotonic();
    let progress = { doneBytes: 0, totalBytes: 0 };
    const report = await whileShowing(
      context,
      () => ({
        command: "scrub",
        bytes: progress.doneBytes,
        totalBytes: progress.totalBytes,
        done: `${formatBytes(progress.doneBytes)} of ${formatBytes(progress.totalBytes)} read`,
      }),
      () =>
        admin.scrub({
          ...(sample === undefined ? {} : { sample }),
          ...(limit === undefined ? {} : { bytesPerSecond: limit }),
          signal: host.signal,
          onProgress: (now) => {
            progress = now;
          },
        }),
    );
    const { packs, blocks, bytes, quarantined, problems } = report;
    const durationMs = Math.round(host.clock.monotonic() - startMs);
    const exit = problems.length > 0 ? EXIT.damaged : EXIT.ok;
    showVaultProblems(context, problems);
    output.say(
      `Read ${plural(packs, "pack")}, ${plural(blocks, "block")}, ${formatBytes(bytes)} in ${formatDuration(durationMs)}: ` +
        (problems.length > 0 ? output.paint.red(plural(problems.length, "problem")) : output.paint.green("all whole")),
    );
    if (quarantined.length > 0) {
      output.say(
        `${formatCount(quarantined.length)} set aside. Back up again: what the sources still have is stored anew.`,
      );
    }
    output.json({
      type: "summary",
      command: "scrub",
      packs,
      blocks,
      bytes,
      damagedBlocks: quarantined.length,
      problemCount: problems.length,
      problems: problems.map(vaultProblemJson),
      durationMs,
      exit,
    });
    return exit;
  });
}
