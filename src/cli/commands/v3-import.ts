// `v3 import`: what an old server received, into the vault. Needs writer secrets only.

import type { Command } from "commander";
import { EXIT } from "../../core/errors.ts";
import { findImports } from "../../gateway/import/find.ts";
import { type ImportProgress, importFiles, newImportProgress } from "../../gateway/import/run.ts";
import { programName } from "../../node/version.ts";
import { action, type Context } from "../context.ts";
import { formatBytes, formatCount, plural } from "../format-bytes.ts";
import { formatDuration } from "../format-time.ts";
import { pathJson } from "../json-values.ts";
import { withVault } from "../open-vault.ts";
import { addExamples, type Cli, settingOption } from "../program.ts";
import { shownPath, shownText } from "../shown-path.ts";
import { type Figures, whileShowing } from "../status.ts";
import { LEVELS } from "./backup.ts";

type Options = {
  readonly database?: string;
  readonly takeUnproven?: boolean;
  readonly dryRun?: boolean;
};

/** Problems that a person is shown one by one. */
const SHOWN_PROBLEMS = 20;

export function defineImport(command: Command, cli: Cli): void {
  command
    .argument("<dir>", "Folder of the old server, or its received_files.")
    .option("--database <file>", "The old server's database (default: defensive.db in the folder or above it).")
    .option("--take-unproven", "Also take files whose checksum is wrong or whose owner is unclear, tagged v3-unproven.")
    .option("--dry-run", "Only say what would be imported; reads no content.")
    .addOption(settingOption("writerFile"))
    .addOption(settingOption("compression"))
    .addOption(settingOption("packSizeMiB"))
    .action(action(cli, runImport));
  addExamples(command, [
    ["cyberbackup v3 import /srv/old-server --dry-run", "see what there is"],
    ["cyberbackup v3 import /srv/old-server", "take it over; run it again to go on where it stopped"],
    ["cyberbackup v3 import /mnt/received_files --database /mnt/defensive.db", "name both parts"],
  ]);
}

async function runImport(context: Context, options: Options, dir: string): Promise<number> {
  const { config, host, output } = context;
  const dryRun = options.dryRun === true;
  const startMs = host.clock.monotonic();
  const found = await findImports(dir, options.database);
  const progress = newImportProgress();
  const { problems } = await withVault(
    context,
    async (opened) => {
      const { writer } = await opened.device();
      const request = {
        found,
        vault: opened.vault,
        device: { writer, signer: await opened.signer() },
        takeUnproven: options.takeUnproven === true,
        dryRun,
        compressionLevel: LEVELS[config.compression],
        packBytes: config.packSizeMiB * 2 ** 20,
        program: programName(),
        progress,
        signal: host.signal,
      };
      return whileShowing(
        context,
        () => figuresOf(progress),
        () => importFiles(request),
      );
    },
    { trustBlockHashes: true },
  );
  const durationMs = Math.round(host.clock.monotonic() - startMs);
  for (const { path, detail } of problems.slice(0, SHOWN_PROBLEMS)) output.warn(`${shownPath(path)}: ${detail}`);
  if (problems.length > SHOWN_PROBLEMS) output.warn(`… and ${formatCount(problems.length - SHOWN_PROBLEMS)} more.`);
  if (found.database === undefined)
    output.note("No database: all files go to one user name, and no checksum is known.");
  showReport(context, progress, dryRun, durationMs);
  const { totalFiles, imported, present, proven, bytes, addedBytes } = progress;
  const exit = problems.length > 0 ? EXIT.partial : EXIT.ok;
  output.json({
    type: "summary",
    command: "v3 import",
    dryRun,
    ...(found.database === undefined ? {} : { database: found.database }),
    files: totalFiles,
    imported,
    proven,
    present,
    bytes,
    addedBytes,
    problemCount: problems.length,
    problems: problems.map(({ path, code, detail }) => ({ ...pathJson(path), code, detail })),
    durationMs,
    exit,
  });
  return exit;
}

function showReport({ output }: Context, progress: ImportProgress, dryRun: boolean, durationMs: number): void {
  const { totalFiles, imported, present, proven, problems, addedBytes } = progress;
  output.say(
    `${plural(totalFiles, "file")}: ${formatCount(imported)} ${dryRun ? "to import" : "imported"}, ` +
      `${formatCount(present)} already in the vault`,
  );
  if (dryRun) output.say("Nothing was stored: this was a dry run.");
  else {
    output.say(
      `${formatCount(proven)} proven by their checksums, ${formatBytes(addedBytes)} stored, in ${formatDuration(durationMs)}`,
    );
  }
  if (problems > 0) output.say(output.paint.yellow(`${plural(problems, "file")} left out.`));
}

function figuresOf(progress: ImportProgress): Figures {
  const { files, bytes, totalFiles, totalBytes, addedBytes, problems, current } = progress;
  return {
    command: "v3 import",
    files,
    bytes,
    totalFiles,
    totalBytes,
    addedBytes,
    problems,
    current: shownText(current),
    done: `${formatCount(files)} of ${plural(totalFiles, "file")}  ${formatBytes(bytes)}`,
  };
}
