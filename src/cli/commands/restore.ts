// `restore`: files of a snapshot to a folder. Over an existing tree it rewrites only what differs.

import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { restoreSnapshot } from "../../client/restore/restore.ts";
import type { OverwritePolicy, RestoreProgress, RestoreResult } from "../../client/restore/types.ts";
import { EXIT } from "../../core/errors.ts";
import { type RawPath, rawToText } from "../../core/raw-path.ts";
import { resolveSnapshot, splitSnapshotPath } from "../../engine/reader/resolve.ts";
import { action, type Context } from "../context.ts";
import { formatBytes, formatCount, plural } from "../format-bytes.ts";
import { formatDuration } from "../format-time.ts";
import { pathJson } from "../json-values.ts";
import { withReader } from "../open-vault.ts";
import { collect } from "../parse-values.ts";
import { addExamples, type Cli, settingOption } from "../program.ts";
import { shownPath, shownText } from "../shown-path.ts";
import { requireTyped } from "../snapshot-path.ts";
import { whileShowing } from "../status.ts";

type Options = {
  readonly target: string;
  readonly path?: readonly string[];
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly overwrite: OverwritePolicy;
  readonly delete?: boolean;
  readonly sparse?: boolean;
  readonly verify?: boolean;
  readonly dryRun?: boolean;
};

/** Problems that a person is shown one by one. */
const SHOWN_PROBLEMS = 20;

export function define(command: Command, cli: Cli): void {
  command
    .argument("<snap>", "An id or its beginning, latest, latest:2, or latest@PLAN; with :/folder just what is in it.")
    .requiredOption("--target <dir>", "Folder to restore to; / puts everything back in its place.")
    .option("--path <path...>", "Only these files and folders of the snapshot.")
    .option("--include <glob>", "Only what fits; may be repeated.", collect)
    .option("--exclude <glob>", "Leave out what fits; may be repeated.", collect)
    .addOption(
      new Option("--overwrite <when>", "What to do with files that are there.")
        .choices(["always", "if-changed", "if-newer", "never"])
        .default("always"),
    )
    .option("--delete", "Delete what the snapshot does not have from the folders that are restored.")
    .option("--sparse", "Leave holes for zeros.")
    .option("--verify", "Read every restored file again and compare it.")
    .option("--dry-run", "Only say what would be done.")
    .addOption(settingOption("workers"))
    .addOption(settingOption("cacheMiB"))
    .action(action(cli, run));
  addExamples(command, [
    ["cyberbackup restore latest --target /tmp/back", "everything, below a folder"],
    ["cyberbackup restore latest@home --path /home/ann/letters --target /", "one folder, in its place"],
    ["cyberbackup restore 3fa9:/home/ann --target /home/ann2", "the contents of one folder"],
    ["cyberbackup restore latest --target / --overwrite never --dry-run", "see what is missing"],
  ]);
}

async function run(context: Context, options: Options, expression: string): Promise<number> {
  const { host, output, config } = context;
  const target = resolve(options.target);
  const { snapshot: name, path: subtree } = splitSnapshotPath(expression);
  return withReader(context, async (opened) => {
    const reader = await opened.reader();
    const snapshot = await resolveSnapshot(reader, name);
    const paths: RawPath[] = [];
    for (const typed of options.path ?? []) paths.push((await requireTyped(reader, snapshot, typed)).path);
    const startMs = host.clock.monotonic();
    let progress: Readonly<RestoreProgress> | undefined;
    const result = await whileShowing(
      context,
      () => figuresOf(progress),
      () =>
        restoreSnapshot({
          reader,
          snapshot,
          target,
          subtree,
          paths,
          include: options.include,
          exclude: options.exclude,
          overwrite: options.overwrite,
          delete: options.delete,
          sparse: options.sparse,
          verify: options.verify,
          dryRun: options.dryRun,
          workers: config.workers || undefined,
          signal: host.signal,
          onProgress: (now) => {
            progress = now;
          },
        }),
    );
    const durationMs = host.clock.monotonic() - startMs;
    const exit = result.damaged ? EXIT.damaged : result.problems > 0 ? EXIT.partial : EXIT.ok;
    showResult(context, result, { target, durationMs, isDryRun: options.dryRun === true });
    output.json({
      type: "summary",
      command: "restore",
      snapshot: snapshot.row.id,
      target,
      dryRun: options.dryRun === true,
      files: result.files,
      directories: result.directories,
      others: result.others,
      bytes: result.bytes,
      writtenBytes: result.writtenBytes,
      unchangedFiles: result.unchanged,
      skippedFiles: result.skipped,
      deleted: result.deleted,
      problemCount: result.problems,
      problems: result.problemList.map(({ path, code, detail }) => ({ ...pathJson(path), code, detail })),
      durationMs: Math.round(durationMs),
      exit,
    });
    return exit;
  });
}

function figuresOf(progress: Readonly<RestoreProgress> | undefined) {
  const { files = 0, bytes = 0, filesTotal = 0, bytesTotal = 0, problems = 0 } = progress ?? {};
  return {
    command: "restore",
    files,
    bytes,
    totalFiles: filesTotal,
    totalBytes: bytesTotal,
    problems,
    current: rawToText((progress?.currentPath ?? "") as RawPath),
    done: `${formatCount(files)} of ${plural(filesTotal, "file")}  ${formatBytes(bytes)} of ${formatBytes(bytesTotal)}`,
  };
}

function showResult(
  { output }: Context,
  result: RestoreResult,
  { target, durationMs, isDryRun }: { target: string; durationMs: number; isDryRun: boolean },
): void {
  for (const { path, detail } of result.problemList.slice(0, SHOWN_PROBLEMS)) {
    output.warn(`${shownPath(path)}: ${shownText(detail)}`);
  }
  const more = result.problems - SHOWN_PROBLEMS;
  if (more > 0) output.warn(`… and ${formatCount(more)} more.`);
  if (result.ownersNotSet > 0) {
    output.note(`${plural(result.ownersNotSet, "owner")} could not be given back: only root may do that.`);
  }
  const untouched = `${formatCount(result.unchanged)} unchanged, ${formatCount(result.skipped)} kept as they were`;
  output.say(
    `${plural(result.files, "file")} (${untouched}), ${plural(result.directories, "folder")}, ${formatBytes(result.bytes)}`,
  );
  if (result.deleted > 0) output.say(`${formatCount(result.deleted)} deleted`);
  if (isDryRun) output.say("Nothing was written: this was a dry run.");
  else
    output.say(`${formatBytes(result.writtenBytes)} written to ${shownText(target)} in ${formatDuration(durationMs)}`);
  if (result.problems > 0) output.say(output.paint.red(`${plural(result.problems, "problem")}: see above.`));
}
