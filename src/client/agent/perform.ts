// One run of a plan: `before`, the backup, `after`, and `onError` if it failed; then its counts are compared with the last good one. It says
// how the run ended and throws nothing but bugs. What a backup is, is given to it.

import { utf8 } from "../../core/bytes.ts";
import { crc32c } from "../../core/checksum.ts";
import { AppError, isAppError } from "../../core/errors.ts";
import type { SessionId, SnapshotId, VaultId } from "../../core/ids.ts";
import { newProgress } from "../../engine/backup/run.ts";
import type { BackupProblem, BackupProgress } from "../../engine/backup/types.ts";
import { coverageOf, type Plan } from "../../wire/v4/plan-body.ts";
import { type Counts, changedShare, remarksOn, SHARES_KEPT } from "./compare-counts.ts";
import type { Gate } from "./gate.ts";
import { type HookName, type HookResult, runHook } from "./hooks.ts";
import type { VaultPlace } from "./plan-files.ts";
import type { LastRun, PlanMemory, RunOutcome, Trigger } from "./plan-memory.ts";
import type { Timers } from "./timers.ts";

export type BackupRequest = {
  readonly vault: VaultId;
  readonly place: VaultPlace;
  readonly plan: Plan;
  /** Names the session of the backup. */
  readonly run: SessionId;
  /** A run that was killed: if its snapshot is there, nothing needs to be done. */
  readonly killed: SessionId | undefined;
  readonly progress: BackupProgress;
  readonly gate: Gate;
  readonly signal: AbortSignal;
};

export type BackupAnswer = {
  readonly snapshot: SnapshotId;
  /** The snapshot is that of the killed run: its counts are not known. */
  readonly wasThere: boolean;
  readonly problems: readonly BackupProblem[];
  readonly problemCount: number;
};

/** Makes the backup and applies the plan's retention where a device may. Throws AppErrors. */
export type BackUp = (request: BackupRequest) => Promise<BackupAnswer>;

export type Phase = "before" | "backup" | "after" | "ended";

export type RunRequest = Omit<BackupRequest, "progress"> & {
  readonly memory: PlanMemory;
  readonly trigger: Trigger;
  /** `after` has a look at whether the signal fired because the agent stops. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timers: Timers;
  /** Hears of each phase as it begins; may look at the progress whenever it likes. */
  readonly watch: (state: RunWatch) => void;
};

/** Live figures of a run, for whoever watches it. */
export type RunWatch = {
  phase: Phase;
  readonly progress: BackupProgress;
};

export type RunEnd = {
  readonly last: LastRun;
  /** What made it fail. */
  readonly error: AppError | undefined;
  readonly problems: readonly BackupProblem[];
  /** An earlier run had made the snapshot before it was killed. */
  readonly wasThere: boolean;
  /** The next run is compared with this; unchanged unless the run was good. */
  readonly baseline: PlanMemory["baseline"];
};

export async function performRun(request: RunRequest, backUp: BackUp): Promise<RunEnd> {
  const { plan, timers, signal } = request;
  const startedAt = timers.clock.now();
  const watch: RunWatch = { phase: "before", progress: newProgress() };
  const enter = (phase: Phase): void => {
    watch.phase = phase;
    request.watch(watch);
  };
  enter("before");
  let answer: BackupAnswer | undefined;
  let error: AppError | undefined;
  const outputs: string[] = [];
  try {
    const before = await hookOf(request, "before", plan.hooks.before);
    if (before && !before.isOk) {
      outputs.push(before.output);
      if (!signal.aborted) throw new AppError("hook_failed", { context: { hook: "before", detail: before.detail } });
    }
    if (signal.aborted) throw new AppError("interrupted");
    enter("backup");
    answer = await backUp({ ...request, progress: watch.progress });
  } catch (cause) {
    error = isAppError(cause)
      ? cause
      : new AppError("internal", { cause, context: { detail: (cause as Error).message } });
  }
  let outcome: RunOutcome = error
    ? isAppError(error, "interrupted")
      ? "cancelled"
      : "failed"
    : answer!.problemCount > 0
      ? "partial"
      : "ok";
  enter("after");
  const told = { outcome, error: error?.code, snapshot: answer?.snapshot };
  const after = await hookOf(request, "after", plan.hooks.after, told);
  if (after && !after.isOk) {
    outputs.push(after.output);
    if (outcome === "ok") outcome = "partial";
  }
  if (outcome === "failed") await hookOf(request, "on-error", plan.hooks.onError, told);
  const coverage = crc32c(utf8(coverageOf(plan)));
  const compared = error || answer?.wasThere ? undefined : compare(request, coverage, countsOf(watch.progress));
  const { files, changedFiles, newFiles, bytes, addedBytes, problems } = watch.progress;
  enter("ended");
  return {
    last: {
      run: request.run,
      trigger: request.trigger,
      startedAt,
      endedAt: timers.clock.now(),
      outcome,
      snapshot: answer?.snapshot ?? null,
      error: error?.code ?? (after && !after.isOk ? "hook_failed" : null),
      message: error?.message ?? (after && !after.isOk ? `The plan's after program failed: ${after.detail}.` : ""),
      ...{ files, changedFiles, newFiles, bytes, addedBytes, problems },
      remarks: compared?.remarks ?? [],
      output: outputs.join("\n"),
    },
    error,
    problems: answer?.problems ?? [],
    baseline: compared?.baseline ?? request.memory.baseline,
    wasThere: answer?.wasThere ?? false,
  };
}

function compare({ plan, memory }: RunRequest, coverage: number, counts: Counts) {
  const before = memory.baseline?.coverage === coverage ? memory.baseline : undefined;
  const remarks = remarksOn(counts, before, plan.compression !== "off");
  const shares = before ? [...before.shares, changedShare(counts, before.files)].slice(-SHARES_KEPT) : [];
  return { remarks, baseline: { coverage, files: counts.files, shares } };
}

function countsOf({ files, newFiles, changedFiles, unchangedFiles, newBytes, addedBytes }: BackupProgress): Counts {
  return { files, newFiles, changedFiles, unchangedFiles, newBytes, addedBytes };
}

/** undefined when the plan has none. `after` runs also for a run that was stopped, so it has its own time and no signal. */
async function hookOf(
  request: RunRequest,
  name: HookName,
  hook: Plan["hooks"]["before"],
  told: { outcome?: RunOutcome; error?: string | undefined; snapshot?: string | undefined } = {},
): Promise<HookResult | undefined> {
  if (!hook) return undefined;
  const { plan, vault, run, trigger, env, timers } = request;
  return runHook({
    ...hook,
    env,
    timers,
    signal: name === "before" ? request.signal : undefined,
    variables: {
      HOOK: name,
      PLAN: plan.name,
      VAULT: vault,
      RUN: run,
      TRIGGER: trigger,
      OUTCOME: told.outcome,
      ERROR: told.error,
      SNAPSHOT: told.snapshot,
    },
  });
}
