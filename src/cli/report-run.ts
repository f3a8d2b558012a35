// A backup of this machine to a server, told to the server while it runs. To vaults in folders nothing is told.

import { arch, hostname, platform, release } from "node:os";
import { resolve } from "node:path";
import { AppError, isAppError } from "../core/errors.ts";
import type { SnapshotId } from "../core/ids.ts";
import { rawFromText } from "../core/raw-path.ts";
import { planToken } from "../crypto/tokens.ts";
import { newProgress } from "../engine/backup/run.ts";
import type { BackupProblem, BackupProgress } from "../engine/backup/types.ts";
import { RemoteVault } from "../engine/remote/remote-vault.ts";
import { RunReporter } from "../engine/remote/run-reporter.ts";
import { readVersion } from "../node/version.ts";
import type { VaultPort } from "../wire/v4/vault-port.ts";
import type { Context } from "./context.ts";
import type { OpenedVault } from "./open-vault.ts";

export type RunOfPlan = {
  readonly plan: string;
  readonly paths: readonly string[];
  readonly progress: BackupProgress;
};

/** What a run uses in place of its own vault and signal, because people may cancel it at the server. */
export type Told = { readonly vault: VaultPort; readonly signal: AbortSignal | undefined };
type Outcome = {
  readonly snapshot: SnapshotId | undefined;
  readonly problems: readonly BackupProblem[];
  readonly problemCount: number;
};

/** Runs `work`, and tells its server how it goes and how it ended. */
export async function tellingServer<T extends Outcome>(
  context: Context,
  opened: OpenedVault,
  about: RunOfPlan,
  work: (told: Told) => Promise<T>,
): Promise<T> {
  const { vault } = opened;
  const { signal } = context.host;
  if (!(vault instanceof RemoteVault)) return work({ vault, signal });
  const cancel = new AbortController();
  const reporter = await reporterFor(context, opened, vault, about, () => {
    context.output.warn("Somebody has cancelled this run at the server.");
    cancel.abort(new AppError("interrupted"));
  });
  const words = (outcome: Partial<Outcome>, error?: unknown) => ({
    plan: about.plan,
    host: hostname(),
    paths: about.paths.map((path) => rawFromText(resolve(path))),
    message: error instanceof Error ? error.message : "",
    problems: outcome.problems ?? [],
    problemCount: outcome.problemCount ?? 0,
  });
  try {
    const both = signal === undefined ? cancel.signal : AbortSignal.any([signal, cancel.signal]);
    const done = await work({ vault: reporter.watch(vault), signal: both });
    await reporter.end({ state: "done", snapshot: done.snapshot, words: words(done) });
    return done;
  } catch (error) {
    const state = cancel.signal.aborted ? "cancelled" : isAppError(error, "interrupted") ? "interrupted" : "failed";
    await reporter.end({ state, error, words: words({}, error) });
    throw error;
  }
}

/** Tells the server that somebody with the keys has looked whether everything can be read. */
export async function tellVerified(
  context: Context,
  opened: OpenedVault,
  found: { readonly problems: number; readonly files: number; readonly bytes: number },
): Promise<void> {
  const { vault } = opened;
  // Whoever is no device of the vault has no runs there.
  if (!(vault instanceof RemoteVault) || (await opened.home.device(vault.vaultId)) === undefined) return;
  const progress: BackupProgress = { ...newProgress(), ...found, readBytes: found.bytes };
  const reporter = new RunReporter({ ...(await shared(context, opened, vault)), kind: "verify", progress });
  const error = found.problems > 0 ? new AppError("verify_failed", { context: { count: found.problems } }) : undefined;
  await reporter.end({ state: error === undefined ? "done" : "failed", error });
}

async function reporterFor(
  context: Context,
  opened: OpenedVault,
  vault: RemoteVault,
  { plan, progress }: RunOfPlan,
  onCancel: () => void,
): Promise<RunReporter> {
  const common = await shared(context, opened, vault);
  return new RunReporter({
    ...common,
    kind: "backup",
    plan: await planToken(common.metaKey, plan),
    about: { version: readVersion(), os: platform(), release: release().slice(0, 128), arch: arch() },
    progress,
    onWanted: (wanted) => {
      if (wanted === "cancel") onCancel();
    },
  });
}

async function shared({ host }: Context, opened: OpenedVault, vault: RemoteVault) {
  const { device, writer } = await opened.device();
  return {
    client: vault.client,
    vault: vault.vaultId,
    device,
    metaKey: writer.metaKey,
    clock: host.clock,
    random: host.random,
    trigger: "manual",
  } as const;
}
