// What is wrong with devices and their runs, from facts (docs/protocol-v4.md, Overview, alerts and history). Functions of data: the same facts
// give the same findings, however often they are looked at. Nothing in here asks a clock or a database.

import { LIMITS } from "../../core/config-schema.ts";
import type { DeviceId, VaultId } from "../../core/ids.ts";
import type { Alert } from "../../wire/v4/api/overview-routes.ts";
import type { StoredPlan } from "../../wire/v4/api/plan-routes.ts";
import type { Run } from "../../wire/v4/api/run-routes.ts";
import { lastSuccessAt, type PlanRuns } from "../runs/run-facts.ts";
import type { Finding } from "./alert-store.ts";

const DAY_MS = 86_400_000;
const SILENT_MS = LIMITS.silentDays.value * DAY_MS;

/** A run found so few of the files that the one before had. */
const FEWER = { least: 100, share: 0.1 } as const;
/** So large a share of so many files changed, and so many times more than usual. */
const MANY = { least: 1000, share: 0.5, times: 5, runsBefore: 3, days: 7 } as const;

export type DeviceFacts = {
  readonly vault: VaultId;
  readonly device: DeviceId;
  readonly enrolledAt: number;
  /** Login, report or open connection, whichever was last. */
  readonly heardAt: number;
  readonly plans: readonly StoredPlan[];
  readonly runs: readonly PlanRuns[];
  /** Open alerts about it. */
  readonly open: readonly Alert[];
};

export function deviceTroubles(facts: DeviceFacts, now: number): Finding[] {
  const silent = isSilent(facts, now);
  return [
    ...(silent ?? []),
    ...(silent === undefined ? overdue(facts, now) : []),
    ...neverBackedUp(facts, now),
    ...facts.runs.flatMap((plan) => [
      ...failed(facts, plan),
      ...fewerFiles(facts, plan),
      ...manyChanged(facts, plan, now),
    ]),
  ];
}

/** A device whose plans are due rarely may be silent until then. */
function isSilent(facts: DeviceFacts, now: number): Finding[] | undefined {
  const { heardAt, plans, vault, device } = facts;
  const dues = plans
    .filter(isFollowed)
    .flatMap(({ nextDueAt, overdueAfterMs }) => (nextDueAt === null ? [] : nextDueAt + (overdueAfterMs ?? SILENT_MS)));
  const expectedBy = Math.max(heardAt + SILENT_MS, dues.length === 0 ? 0 : Math.min(...dues));
  if (now <= expectedBy) return undefined;
  const values = { heardAt, days: Math.floor((now - heardAt) / DAY_MS) };
  return [{ kind: "device-silent", severity: "danger", action: "check-device", vault, device, values }];
}

function overdue(facts: DeviceFacts, now: number): Finding[] {
  const { vault, device, plans, runs } = facts;
  const about = { kind: "plan-overdue", severity: "danger", action: "back-up", vault, device } as const;
  if (plans.length === 0) {
    const last = lastSuccessAt(runs);
    if (last === null || now - last <= SILENT_MS) return [];
    return [{ ...about, values: { lastSuccessAt: last, days: Math.floor((now - last) / DAY_MS) } }];
  }
  return plans.flatMap((plan) => {
    const { nextDueAt, overdueAfterMs, pausedUntil } = plan;
    const isPaused = pausedUntil !== null && pausedUntil > now;
    if (!isFollowed(plan) || isPaused || nextDueAt === null || overdueAfterMs === null) return [];
    if (now <= nextDueAt + overdueAfterMs || hasRunSince(runs, plan, nextDueAt)) return [];
    return [{ ...about, plan: plan.plan, values: { dueAt: nextDueAt } }];
  });
}

function isFollowed({ enabled, deleted }: StoredPlan): boolean {
  return enabled && !deleted;
}

function hasRunSince(runs: readonly PlanRuns[], { plan, token }: StoredPlan, since: number): boolean {
  return runs.some((runsOf) =>
    [runsOf.lastDone, ...runsOf.recent].some(
      (run) =>
        run?.state === "done" &&
        run.startedAt >= since &&
        (run.planId === plan || (token !== null && run.plan === token)),
    ),
  );
}

function neverBackedUp({ vault, device, enrolledAt, runs }: DeviceFacts, now: number): Finding[] {
  if (lastSuccessAt(runs) !== null || now - enrolledAt <= DAY_MS) return [];
  return [{ kind: "never-backed-up", severity: "warning", action: "back-up", vault, device, values: { enrolledAt } }];
}

function failed({ vault, device }: DeviceFacts, { token, recent }: PlanRuns): Finding[] {
  // What a person has cancelled says nothing.
  const last = recent.find(({ state }) => state !== "cancelled");
  if (last === undefined || !isFailure(last)) return [];
  return [
    {
      kind: "run-failed",
      severity: "danger",
      action: "look-at-run",
      vault,
      device,
      ...planOf(last, token),
      run: last.run,
      values: { plan: token ?? "", code: last.error ?? "internal", state: last.state },
    },
  ];
}

/** A run that its own machine interrupted (it was shut down, say) is made up for by the next one. */
function isFailure({ state, error }: Run): boolean {
  return state === "failed" || state === "refused" || (state === "interrupted" && error === "run_silent");
}

function fewerFiles(facts: DeviceFacts, { token, recent }: PlanRuns): Finding[] {
  const [last, before] = recent.filter(counted);
  if (last === undefined) return [];
  const about = {
    kind: "fewer-files",
    severity: "danger",
    action: "look-at-run",
    vault: facts.vault,
    device: facts.device,
    ...planOf(last, token),
  } as const;
  // Once it is raised, what there was before is what it is compared with.
  const open = facts.open.find((alert) => alert.kind === "fewer-files" && alert.values.plan === (token ?? ""));
  const had = typeof open?.values.before === "number" ? open.values.before : (before?.counts.files ?? 0);
  if (had < FEWER.least || last.counts.files > had * FEWER.share) return [];
  return [
    { ...about, run: open?.run ?? last.run, values: { plan: token ?? "", before: had, files: last.counts.files } },
  ];
}

function manyChanged(facts: DeviceFacts, { token, recent }: PlanRuns, now: number): Finding[] {
  const runs = recent.filter(counted);
  const found = runs.findIndex((run, i) => isAbnormal(run, runs.slice(i + 1)));
  const run = runs[found];
  if (run === undefined || now - (run.endedAt ?? now) > MANY.days * DAY_MS) return [];
  return [
    {
      kind: "many-changed",
      severity: "danger",
      action: "look-at-run",
      vault: facts.vault,
      device: facts.device,
      ...planOf(run, token),
      run: run.run,
      values: {
        plan: token ?? "",
        changed: run.counts.changedFiles + run.counts.newFiles,
        files: run.counts.files,
      },
    },
  ];
}

function isAbnormal(run: Run, before: readonly Run[]): boolean {
  if (before.length < MANY.runsBefore || run.counts.files < MANY.least) return false;
  const usual = before
    .slice(0, 10)
    .map(changedShare)
    .sort((a, b) => a - b)[Math.floor(Math.min(10, before.length) / 2)]!;
  return changedShare(run) >= MANY.share && changedShare(run) >= MANY.times * usual;
}

function changedShare({ counts: { files, newFiles, changedFiles } }: Run): number {
  return files === 0 ? 0 : (newFiles + changedFiles) / files;
}

/** A success of which it is known what it found. */
function counted({ state, isReported }: Run): boolean {
  return state === "done" && isReported;
}

function planOf({ planId }: Run, token: PlanRuns["token"]): Pick<Finding, "plan" | "token"> {
  return { plan: planId ?? undefined, token: token ?? undefined };
}
