// `backup`: files, folders, standard input or what a command prints, into one snapshot. Needs writer secrets only.

import { lstat, readFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import type { Command } from "commander";
import { type BackupReport, type BackupRequest, runBackup } from "../../client/backup.ts";
import { createExcluder, type Excluder } from "../../client/excludes.ts";
import { rawFromNative } from "../../client/native-path.ts";
import type { Config } from "../../core/config-schema.ts";
import { AppError, EXIT } from "../../core/errors.ts";
import type { NameToken } from "../../core/ids.ts";
import { type RawPath, rawToText } from "../../core/raw-path.ts";
import { newProgress } from "../../engine/backup/run.ts";
import type { BackupProgress } from "../../engine/backup/types.ts";
import { requireCommitted } from "../../engine/heads.ts";
import { sweepTemporaries } from "../../node/temporaries.ts";
import { programName } from "../../node/version.ts";
import { vaultPlace } from "../connect.ts";
import { action, type Context } from "../context.ts";
import { addExcludeOptions, type ExcludeOptions } from "../exclude-options.ts";
import { formatBytes, formatCount, plural } from "../format-bytes.ts";
import { formatDuration } from "../format-time.ts";
import type { Ending } from "../json-schema.ts";
import { pathJson } from "../json-values.ts";
import { type OpenedVault, withVault } from "../open-vault.ts";
import { collect, usage } from "../parse-values.ts";
import { problemWords } from "../problem-words.ts";
import { addExamples, type Cli, settingOption } from "../program.ts";
import type { RunOfPlan, Told } from "../report-run.ts";
import { shownPath, shownText } from "../shown-path.ts";
import { type Figures, whileShowing } from "../status.ts";

type Options = ExcludeOptions & {
  readonly plan: string;
  readonly tag?: readonly string[];
  readonly stdin?: boolean;
  readonly stdinFilename?: string;
  readonly fromCommand?: boolean;
  readonly dryRun?: boolean;
  readonly force?: boolean;
};

export const LEVELS: Readonly<Record<Config["compression"], number>> = {
  off: 0,
  fastest: 1,
  default: 3,
  better: 9,
  max: 19,
};
/** Problems that a person is shown one by one. */
const SHOWN_PROBLEMS = 20;

export function define(command: Command, cli: Cli): void {
  command
    .argument("[path...]", "Files and folders to back up; with --from-command the command, after --.")
    .option("--plan <name>", "Name of what is backed up; later runs of the same plan build on it.", "default")
    .option("--tag <tag>", "Tag the snapshot; may be repeated.", collect);
  addExcludeOptions(command)
    .option("--stdin", "Back up standard input as one file.")
    .option("--stdin-filename <name>", "Name of that file, or of a command's output.")
    .option("--from-command", "Back up what a command prints; nothing is stored if it fails.")
    .option("--dry-run", "Only say what would be stored.")
    .option("--force", "Read every file, also those that look unchanged.")
    .addOption(settingOption("writerFile"))
    .addOption(settingOption("compression"))
    .addOption(settingOption("workers"))
    .addOption(settingOption("packSizeMiB"))
    .addOption(settingOption("uploadLimitKiBps"))
    .action(action(cli, run));
  addExamples(command, [
    ["cyberbackup backup ~ --exclude node_modules --exclude-caches", "back up your home folder"],
    ["pg_dump shop | cyberbackup backup --stdin --stdin-filename shop.sql", "back up a stream"],
    ["cyberbackup backup --from-command --stdin-filename shop.sql -- pg_dump shop", "the same, and notice a failure"],
    ["cyberbackup backup /srv --writer-file w.txt", "back up without being able to read anything back"],
  ]);
}

async function run(context: Context, options: Options, words: string[]): Promise<number> {
  const sources = sourcesOf(context, options, words);
  const problem = await requireSource(sources);
  if (problem) return withoutSource(context, options, sources, problem);
  const progress = newProgress();
  await sweepTemporaries(context.config.home, context.host.clock.now());
  const excluder = await excluderOf(options, sources.paths);
  const report = await withVault(
    context,
    async (opened) => {
      const request = await requestOf(context, options, opened);
      const work = (told: Told) =>
        whileShowing(
          context,
          () => backupFigures(progress),
          () => runBackup({ ...request, ...told, ...sources, excluder, progress }),
        );
      const about = { plan: options.plan, paths: sources.paths, progress };
      const done = options.dryRun ? await work(request) : await telling(context, opened, about, work);
      const { vault, home, server } = opened;
      if (server && done.snapshot) await requireCommitted({ vault, home, snapshot: done.snapshot });
      return done;
    },
    { trustBlockHashes: true, asDevice: true },
  );
  const exit = report.problemCount > 0 ? EXIT.partial : EXIT.ok;
  showReport(context, report, options.dryRun === true);
  context.output.json(toJson(report, options.dryRun === true, exit));
  return exit;
}

/** What tells a server is loaded for vaults on one only. */
async function telling(
  context: Context,
  opened: OpenedVault,
  about: RunOfPlan,
  work: (told: Told) => Promise<BackupReport>,
): Promise<BackupReport> {
  if (!opened.server) return work({ vault: opened.vault, signal: context.host.signal });
  const { tellingServer } = await import("../report-run.ts");
  return tellingServer(context, opened, about, work);
}

type Sources = Pick<BackupRequest, "paths" | "stdin" | "command">;

function sourcesOf({ host }: Context, options: Options, words: readonly string[]): Sources {
  const { stdin, stdinFilename, fromCommand } = options;
  if (stdin && fromCommand) throw usage("--stdin and --from-command exclude each other.");
  if (fromCommand) {
    const [program] = words;
    if (program === undefined) throw usage("--from-command needs a command, after --.");
    return { paths: [], command: { filename: stdinFilename ?? basename(program), argv: words } };
  }
  if (stdin) return { paths: words, stdin: { filename: stdinFilename ?? "stdin", stream: host.stdin } };
  if (words.length === 0) throw usage("Nothing to back up: give a path, --stdin or --from-command.");
  return { paths: words };
}

/** What keeps the run from beginning. One path that is there is enough: the others are problems of the run. */
export async function requireSource({ paths, stdin, command }: Sources): Promise<AppError | undefined> {
  if (stdin || command) return undefined;
  for (const path of paths) {
    const isThere = await lstat(path).then(
      () => true,
      () => false,
    );
    if (isThere) return undefined;
  }
  return new AppError("source_missing", { context: { path: paths.map(shownText).join(", ") } });
}

/** A disk that is not mounted must show at the server too. Throws the problem, whatever becomes of telling it. */
async function withoutSource(
  context: Context,
  { plan, dryRun }: Options,
  { paths }: Sources,
  problem: AppError,
): Promise<never> {
  if (!dryRun && context.config.vault !== undefined && vaultPlace(context).kind === "server") {
    const fail = (): Promise<BackupReport> => Promise.reject(problem);
    const about = { plan, paths, progress: newProgress() };
    await withVault(context, (opened) => telling(context, opened, about, fail), { asDevice: true }).catch(
      () => undefined,
    );
  }
  throw problem;
}

async function excluderOf(options: Options, paths: readonly string[]): Promise<Excluder> {
  return createExcluder({
    roots: paths.map((path) => rawFromNative(resolve(path))),
    patterns: options.exclude ?? [],
    caselessPatterns: options.iexclude ?? [],
    patternFiles: await Promise.all((options.excludeFile ?? []).map(readPatterns)),
    excludeCaches: options.excludeCaches === true,
    excludeLargerThan: options.excludeLargerThan,
  });
}

async function readPatterns(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new AppError("io", { cause, context: { path, detail: `${(cause as Error).message}.` } });
  }
}

async function requestOf({ config, host, logger }: Context, options: Options, opened: OpenedVault) {
  const { vault, home } = opened;
  const device = await opened.device();
  return {
    vault,
    device: { writer: device.writer, signer: await opened.signer() },
    statePath: (plan: NameToken, sources: string) => home.statePath(vault.vaultId, plan, sources),
    plan: options.plan,
    tags: options.tag ?? [],
    oneFileSystem: options.oneFileSystem === true,
    compressionLevel: LEVELS[config.compression],
    dryRun: options.dryRun === true,
    force: options.force === true,
    workers: config.workers,
    packBytes: config.packSizeMiB * 2 ** 20,
    uploadBytesPerSecond: config.uploadLimitKiBps * 2 ** 10,
    program: programName(),
    signal: host.signal,
    logger,
  };
}

export function backupFigures(progress: BackupProgress): Figures {
  const { files, bytes, addedBytes, problems, phase, expected } = progress;
  // Once there is more than the last time, nothing is known any more.
  const isKnown = expected !== undefined && bytes <= expected.bytes && files <= expected.files;
  return {
    command: "backup",
    phase,
    files,
    bytes,
    addedBytes,
    problems,
    ...(isKnown ? { totalFiles: expected.files, totalBytes: expected.bytes } : {}),
    current: rawToText(progress.currentPath as RawPath),
    done: `${plural(files, "file")}  ${formatBytes(bytes)}  ${formatBytes(addedBytes)} stored`,
    workers: progress.workers.map((path) => rawToText(path as RawPath)),
  };
}

function showReport({ output }: Context, report: BackupReport, isDryRun: boolean): void {
  const { stats, problems, problemCount, snapshot, durationMs } = report;
  for (const { path, code } of problems.slice(0, SHOWN_PROBLEMS)) {
    output.warn(`${shownPath(path)} could not be read: ${problemWords(code)}`);
  }
  if (problemCount > SHOWN_PROBLEMS) output.warn(`… and ${formatCount(problemCount - SHOWN_PROBLEMS)} more.`);
  output.say(
    `${plural(stats.files, "file")} (${formatCount(stats.newFiles)} new, ${formatCount(stats.changedFiles)} changed, ` +
      `${formatCount(stats.unchangedFiles)} unchanged), ${plural(stats.directories, "folder")}, ${formatBytes(stats.bytes)}`,
  );
  const added = `${formatBytes(stats.newBytes)} of new data, ${formatBytes(stats.addedBytes)} stored`;
  output.say(`${added}, in ${formatDuration(durationMs)}`);
  if (problemCount > 0) output.say(output.paint.yellow(`${plural(problemCount, "source")} could not be read.`));
  if (snapshot) output.say(`Snapshot ${output.paint.bold(snapshot.slice(0, 12))} is safe.`);
  else if (isDryRun) output.say("Nothing was stored: this was a dry run.");
}

function toJson(report: BackupReport, dryRun: boolean, exit: number): Ending<"backup"> {
  const { snapshot, stats, problems, problemCount, durationMs } = report;
  return {
    type: "summary",
    command: "backup",
    ...(snapshot ? { snapshot } : {}),
    dryRun,
    ...stats,
    problemCount,
    problems: problems.map(({ path, code }) => ({ ...pathJson(path), code })),
    durationMs: Math.round(durationMs),
    exit,
  };
}
