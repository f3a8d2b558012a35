// `demo`: all of it once, on real files, with a server that is thrown away: enrol, back up, change, back up again, restore, compare, verify.
// It never writes to the files that it is given.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { type BackupReport, runBackup } from "../../client/backup.ts";
import { createExcluder } from "../../client/excludes.ts";
import type { Home } from "../../client/home.ts";
import { nodePlatform } from "../../client/platform.ts";
import { restoreSnapshot } from "../../client/restore/restore.ts";
import { unlock } from "../../client/unlock.ts";
import { AppError, EXIT, throwIfAborted } from "../../core/errors.ts";
import { rawFromText } from "../../core/raw-path.ts";
import type { WriterSecrets } from "../../crypto/secrets.ts";
import { importSigner, type Signer } from "../../crypto/signature.ts";
import { openReader } from "../../engine/reader/reader.ts";
import { resolveSnapshot } from "../../engine/reader/resolve.ts";
import { verifyContents } from "../../engine/reader/verify.ts";
import { programName } from "../../node/version.ts";
import type { VaultAdminPort } from "../../wire/v4/admin-port.ts";
import type { VaultPort } from "../../wire/v4/vault-port.ts";
import { compareTrees } from "../compare-trees.ts";
import { action, type Context } from "../context.ts";
import { changeSample, makeSample } from "../demo-sample.ts";
import { DemoServer } from "../demo-server.ts";
import { formatBytes, plural } from "../format-bytes.ts";
import { formatDuration } from "../format-time.ts";
import { addExamples, type Cli } from "../program.ts";
import { shownText } from "../shown-path.ts";

type Options = { readonly keep?: boolean };

/** The vault lives for minutes and holds copies of files that lie beside it: guessing may be easy, waiting should be short. */
const PASSPHRASE = "demo";
const LOG_N = 12;
const LEVEL = 3;
const PACK_BYTES = 32 * 2 ** 20;
const SHOWN_DIFFERENCES = 20;

export function define(command: Command, cli: Cli): void {
  command
    .argument("[path]", "What to try it on (default: a small sample that it makes).")
    .option("--keep", "Keep the server's folder and what was restored, to look at.")
    .action(action(cli, run));
  addExamples(command, [
    ["cyberbackup demo", "in seconds"],
    ["cyberbackup demo ~/Documents", "on your own files; they are only read"],
  ]);
}

async function run(context: Context, options: Options, path: string | undefined): Promise<number> {
  const { output } = context;
  const folder = await mkdtemp(join(tmpdir(), "cyberbackup-demo-"));
  try {
    const { differences, ...result } = await demonstrate(context, folder, path);
    for (const difference of differences.slice(0, SHOWN_DIFFERENCES)) output.print(output.paint.red(difference));
    if (differences.length === 0) {
      output.say(output.paint.green("It works: every byte came back, and the vault is whole."));
      output.say("Next: a server with `cyberbackup up`, or a vault on a disk with `cyberbackup init --vault FOLDER`.");
    } else output.print(output.paint.red(`${plural(differences.length, "difference")}: see above.`));
    if (options.keep) output.say(`Everything is in ${shownText(folder)}; the passphrase is "${PASSPHRASE}".`);
    const ok = differences.length === 0;
    output.json({ type: "result", command: "demo", ok, ...result, ...(options.keep ? { folder } : {}) });
    return ok ? EXIT.ok : EXIT.failed;
  } finally {
    if (!options.keep) await rm(folder, { recursive: true, force: true });
  }
}

async function demonstrate(context: Context, folder: string, path: string | undefined) {
  const { output } = context;
  const steps: { step: string; durationMs: number }[] = [];
  const step = async <T>(name: string, work: () => Promise<T>, words: (result: T) => string): Promise<T> => {
    throwIfAborted(context.host.signal);
    const startMs = context.host.clock.monotonic();
    const result = await work();
    const durationMs = Math.round(context.host.clock.monotonic() - startMs);
    steps.push({ step: name, durationMs });
    output.say(`${formatDuration(durationMs).padStart(7)}  ${words(result)}`);
    return result;
  };

  const sample = join(folder, "sample");
  await step(
    "sample",
    () => makeSample(sample),
    (count) => `Made ${plural(count, "sample file")}.`,
  );
  const paths = path === undefined ? [sample] : [resolve(path), sample];
  const server = await step(
    "server",
    () => DemoServer.start(context, folder),
    (started) => `Started a server at ${new URL(started.address).origin}, over TLS.`,
  );
  try {
    const { vaultId, code } = await step(
      "init",
      () => server.makeVault(PASSPHRASE, LOG_N),
      () => "Made a vault on it. The server holds no key that could open it.",
    );
    const { vault, device, home } = await step(
      "enroll",
      () => server.enrol(code),
      ({ device: enrolled }) => `Enrolled a ${enrolled.name} by a code of one line (${code.slice(0, 12)}…).`,
    );
    const signer = await importSigner(device.signingKey);
    const backup = () => backUp(context, { vault, writer: device.writer, signer, home }, paths);
    const admin = server.admin(vaultId);
    const first = await step("backup", backup, wordsOf);
    await step(
      "change",
      () => changeSample(sample),
      () => "Changed, added, renamed and removed some of the sample files.",
    );
    await step("second backup", backup, wordsOf);
    const reader = await step(
      "unlock",
      () => unlockReader(vault),
      () => "Unlocked the vault with its passphrase.",
    );
    const target = join(folder, "restored");
    await step(
      "restore",
      async () => {
        const snapshot = await resolveSnapshot(reader, "latest");
        const result = await restoreSnapshot({ reader, snapshot, target, signal: context.host.signal });
        if (result.problems > 0) throw new AppError("verify_failed", { context: { count: result.problems } });
        return result;
      },
      ({ files, bytes }) => `Restored ${plural(files, "file")}, ${formatBytes(bytes)}.`,
    );
    const differences = await step(
      "compare",
      () => compareAll(paths, target),
      (found) =>
        found.length === 0
          ? "Compared contents, modes, owners, times, links and attributes: all the same."
          : `Compared: ${plural(found.length, "difference")}.`,
    );
    const problems = await step(
      "verify",
      () => verify(admin, reader),
      (count) => (count === 0 ? "Read and opened every stored byte: all whole." : `${plural(count, "problem")} found.`),
    );
    const { packBytes: storedBytes } = await admin.stats();
    output.say(`${formatBytes(first.stats.bytes)} of files, twice, take ${formatBytes(storedBytes)}.`);
    const { files, bytes } = first.stats;
    const damage = problems > 0 ? [`verify found ${plural(problems, "problem")}`] : [];
    return { files, bytes, storedBytes, steps, differences: [...differences, ...damage] };
  } finally {
    await server.stop();
  }
}

type Machine = {
  readonly vault: VaultPort;
  readonly writer: WriterSecrets;
  readonly signer: Signer;
  readonly home: Home;
};

function backUp(
  { host, logger }: Context,
  { vault, writer, signer, home }: Machine,
  paths: readonly string[],
): Promise<BackupReport> {
  return runBackup({
    vault,
    device: { writer, signer },
    statePath: (plan, sources) => home.statePath(vault.vaultId, plan, sources),
    paths,
    plan: "demo",
    tags: [],
    excluder: createExcluder({ roots: paths.map(rawFromText), ignoreFiles: false }),
    oneFileSystem: false,
    compressionLevel: LEVEL,
    dryRun: false,
    force: false,
    workers: 0,
    packBytes: PACK_BYTES,
    program: programName(),
    signal: host.signal,
    logger,
  });
}

function wordsOf({ stats, problemCount }: BackupReport): string {
  const { files, newFiles, changedFiles, bytes, addedBytes } = stats;
  const unreadable = problemCount > 0 ? `; ${plural(problemCount, "source")} could not be read` : "";
  return (
    `Backed up ${plural(files, "file")} (${newFiles} new, ${changedFiles} changed), ${formatBytes(bytes)}: ` +
    `${formatBytes(addedBytes)} stored${unreadable}.`
  );
}

async function unlockReader(vault: VaultPort) {
  const secrets = await unlock({ vault, passphrase: PASSPHRASE });
  return openReader({ vault, secrets, platform: nodePlatform });
}

async function compareAll(paths: readonly string[], target: string): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) found.push(...(await compareTrees(path, join(target, path))));
  return found;
}

async function verify(admin: VaultAdminPort, reader: Awaited<ReturnType<typeof unlockReader>>): Promise<number> {
  const { problems } = await admin.check({ readData: true });
  const contents = await verifyContents({ reader, readData: true });
  return problems.length + contents.problems.length;
}
