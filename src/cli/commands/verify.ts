// `verify`: the vault's own check, which needs no key, and the reader's, which opens what is stored. Lists every problem.

import type { Command } from "commander";
import { EXIT } from "../../core/errors.ts";
import { type RawPath, rawToText } from "../../core/raw-path.ts";
import { checkRecordHead } from "../../engine/heads.ts";
import { checkLog } from "../../engine/reader/check-log.ts";
import { listSnapshots } from "../../engine/reader/snapshots.ts";
import { type VerifyProblem, type VerifyProgress, verifyContents } from "../../engine/reader/verify.ts";
import type { Problem } from "../../wire/v4/admin-port.ts";
import { action, type Context } from "../context.ts";
import { formatBytes, formatCount, plural } from "../format-bytes.ts";
import { formatDuration } from "../format-time.ts";
import type { ProblemJson } from "../json-schema.ts";
import { pathJson } from "../json-values.ts";
import { type OpenedVault, withVault } from "../open-vault.ts";
import { parseShare } from "../parse-values.ts";
import { addExamples, type Cli, settingOption } from "../program.ts";
import { shownPath, shownText } from "../shown-path.ts";
import { type Figures, whileShowing } from "../status.ts";
import { vaultProblemJson } from "../vault-problems.ts";

type Options = { readonly readData?: boolean; readonly sample?: number; readonly keyless?: boolean };

/** A problem fails the run, a warning is only said. */
type Found = { readonly problems: ProblemJson[]; readonly warnings: string[] };

const VERIFY = "verify";

export function define(command: Command, cli: Cli): void {
  command
    .option("--read-data", "Read and open every stored byte, instead of only what is needed to know that all is there.")
    .option("--sample <share>", "Open only such a part of the blocks, chosen anew each time: 5%.", parseShare)
    .option("--keyless", "Check only what can be checked without a passphrase.")
    .addOption(settingOption("cacheMiB"))
    .action(action(cli, run));
  addExamples(command, [
    ["cyberbackup verify", "every record, folder and reference"],
    ["cyberbackup verify --read-data", "every byte: a proof that all can be restored"],
    ["cyberbackup verify --sample 5%", "some of it every night"],
  ]);
}

async function run(context: Context, options: Options): Promise<number> {
  const { output, host } = context;
  const { sample, keyless = false } = options;
  const readData = options.readData === true || sample !== undefined;
  const startMs = host.clock.monotonic();
  return withVault(context, async (opened) => {
    // Asked for before anything is drawn.
    if (!keyless) await opened.secrets();
    const found: Found = { problems: [], warnings: [] };
    // What a reader opens here, a server need not read for it as well.
    const isReadThere = readData && sample === undefined && (keyless || opened.server === undefined);
    const checked = await checkVault(context, opened, found, isReadThere);
    const verified = keyless ? undefined : await verifyAll(context, opened, found, { readData, sample });
    const durationMs = Math.round(host.clock.monotonic() - startMs);
    const count = found.problems.length;
    const exit = count > 0 ? EXIT.damaged : EXIT.ok;
    if (verified && readData) {
      const { tellVerified } = await import("../report-run.ts");
      await tellVerified(context, opened, { problems: count, files: verified.files, bytes: verified.blockBytes });
    }
    const bytes = checked.bytesRead + (verified?.blockBytes ?? 0);
    showResult(context, found, verified, { keyless, durationMs, bytes, blocks: checked.blocks });
    output.json({
      type: "summary",
      command: VERIFY,
      ok: count === 0,
      keyless,
      readData,
      ...(sample === undefined ? {} : { sample }),
      snapshots: verified?.snapshots ?? (await opened.vault.snapshots()).length,
      ...(verified ? { files: verified.files } : {}),
      blocks: checked.blocks,
      bytes,
      problemCount: count,
      problems: found.problems,
      durationMs,
      exit,
    });
    return exit;
  });
}

async function checkVault(context: Context, { admin, server }: OpenedVault, found: Found, readData: boolean) {
  if (server && !server.hasAccount) {
    context.output.note("The server's own check is left out: it is for people who have logged in.");
    return { blocks: 0, bytesRead: 0 };
  }
  let progress = { doneBytes: 0, totalBytes: 0 };
  const report = await whileShowing(
    context,
    () => ({
      command: VERIFY,
      phase: "vault",
      bytes: progress.doneBytes,
      totalBytes: progress.totalBytes,
      done: `Checking the vault: ${formatBytes(progress.doneBytes)} of ${formatBytes(progress.totalBytes)}`,
    }),
    () =>
      admin.check({
        readData,
        signal: context.host.signal,
        onProgress: (now) => {
          progress = now;
        },
      }),
  );
  for (const problem of report.problems) noteVaultProblem(context, problem, found);
  return report;
}

/** What nothing refers to is left over from a crash: no data is in danger. */
function noteVaultProblem({ output }: Context, problem: Problem, found: Found): void {
  const line = `${shownText(problem.object)}: ${shownText(problem.detail)}`;
  if (problem.code === "unexpected") {
    output.note(`left over: ${line}`);
    return;
  }
  output.print(`${output.paint.red("damaged")}  ${line}`);
  found.problems.push(vaultProblemJson(problem));
}

async function verifyAll(
  context: Context,
  opened: OpenedVault,
  found: Found,
  { readData, sample }: { readData: boolean; sample: number | undefined },
): Promise<Readonly<VerifyProgress>> {
  const reader = await opened.reader();
  const records = (await listSnapshots(reader, { trash: true })).flatMap(({ record }) => (record ? [record] : []));
  await checkRecordHead({ vault: opened.vault, records });
  if (opened.server) for (const problem of await checkLog(opened.vault)) noteProblem(context, problem, found);
  let progress: Readonly<VerifyProgress> | undefined;
  const result = await whileShowing(
    context,
    () => figuresOf(progress),
    () =>
      verifyContents({
        reader,
        readData,
        sample,
        signal: context.host.signal,
        onProgress: (now) => {
          progress = now;
        },
        onProblem: (problem) => noteProblem(context, problem, found),
      }),
  );
  return result.progress;
}

function figuresOf(progress: Readonly<VerifyProgress> | undefined): Figures {
  const { snapshots = 0, snapshotsTotal = 0, files = 0, blockBytes = 0, problems = 0 } = progress ?? {};
  return {
    command: VERIFY,
    phase: "contents",
    files,
    bytes: blockBytes,
    problems,
    current: rawToText((progress?.currentPath ?? "") as RawPath),
    done: `Snapshot ${formatCount(Math.min(snapshots + 1, snapshotsTotal))} of ${formatCount(snapshotsTotal)}  ${plural(files, "file")}  ${formatBytes(blockBytes)} opened`,
  };
}

function noteProblem({ output }: Context, problem: VerifyProblem, found: Found): void {
  const { object, path, snapshot, code, detail, warning } = problem;
  const where = [path === undefined ? object : shownPath(path), snapshot && `in snapshot ${snapshot.slice(0, 12)}`];
  const line = `${where.filter(Boolean).join(" ")}: ${shownText(detail)}`;
  if (warning) {
    output.warn(line);
    found.warnings.push(line);
    return;
  }
  output.print(`${output.paint.red("damaged")}  ${line}`);
  const named = path === undefined ? { path: object } : pathJson(path);
  found.problems.push({ ...named, code, detail });
}

function showResult(
  { output }: Context,
  { problems, warnings }: Found,
  verified: Readonly<VerifyProgress> | undefined,
  { keyless, durationMs, bytes, blocks }: { keyless: boolean; durationMs: number; bytes: number; blocks: number },
): void {
  const { paint } = output;
  const looked = verified
    ? `${plural(verified.snapshots, "snapshot")}, ${plural(verified.files, "file")}, ${plural(blocks, "block")}`
    : plural(blocks, "block");
  output.say(`Checked ${looked}, ${formatBytes(bytes)} read, in ${formatDuration(durationMs)}.`);
  if (warnings.length > 0) output.say(paint.yellow(`${plural(warnings.length, "warning")}: see above.`));
  if (problems.length > 0) {
    output.say(
      paint.red(`${plural(problems.length, "problem")}: see above. "cyberbackup doctor" says how to mend them.`),
    );
  } else if (keyless) output.say(paint.green("Everything that can be checked without a passphrase is whole."));
  else output.say(paint.green("Everything is whole and can be restored."));
}
