// How a run changes by what its device reports and by what the server sees: functions of data, so that every order in which reports and
// facts can come is easy to try. What the server saw itself wins.

import type { ErrorCode } from "../../core/errors.ts";
import type { DeviceId, NameToken, SessionId, SnapshotId, VaultId } from "../../core/ids.ts";
import type { Run, RunReport } from "../../wire/v4/api/run-routes.ts";
import type { StoredRun } from "./run-rows.ts";

/** Silence after which a run is over, as long as a lease. */
export const SILENCE_MS = 10 * 60_000;
/** A device's word on how long ago its run began is taken so far. */
const MOST_ELAPSED_MS = 30 * 86_400_000;

export function newRun(vault: VaultId, device: DeviceId, run: SessionId, now: number): StoredRun {
  return {
    n: 0,
    run: {
      run,
      vault,
      device,
      kind: "backup",
      state: "running",
      phase: "starting",
      plan: null,
      planId: null,
      trigger: "unknown",
      startedAt: now,
      heardAt: now,
      endedAt: null,
      elapsedMs: 0,
      counts: {
        files: 0,
        directories: 0,
        others: 0,
        newFiles: 0,
        changedFiles: 0,
        unchangedFiles: 0,
        problems: 0,
        changedWhileRead: 0,
      },
      bytes: { done: 0, read: 0, new: 0, added: 0, sent: 0 },
      expected: null,
      snapshot: null,
      error: null,
      wanted: "run",
      isReported: false,
      hasDetails: false,
    },
  };
}

/** The run after a report; itself when the report is old or the run is over. */
export function reported(stored: StoredRun, report: RunReport, now: number): StoredRun {
  const { run, n } = stored;
  if (run.isReported && report.n <= n) return stored;
  const isOver = run.endedAt !== null && run.isReported && run.error !== SILENT;
  // What ended stays so; a device may still add what it counted at the end.
  const state = isOver ? run.state : stateOf(run, report);
  const isRunning = state === "running" || state === "paused";
  const isFirst = !run.isReported;
  const elapsedMs = Math.min(report.elapsedMs, MOST_ELAPSED_MS);
  return {
    n: report.n,
    run: {
      ...run,
      kind: report.kind,
      state,
      phase: isRunning ? report.phase : "ended",
      plan: report.plan ?? run.plan,
      planId: report.planId ?? run.planId,
      trigger: report.trigger,
      startedAt: isFirst ? Math.min(run.startedAt, now - elapsedMs) : run.startedAt,
      heardAt: now,
      endedAt: isRunning ? null : (run.endedAt ?? now),
      elapsedMs,
      counts: report.counts,
      bytes: { ...report.bytes, sent: run.bytes.sent },
      expected: report.expected,
      error: isOver ? run.error : report.error,
      isReported: true,
      hasDetails: run.hasDetails || report.details !== null,
    },
  };
}

/** A snapshot makes it a success, whatever else is said; a backup without one is none. */
function stateOf({ snapshot }: Run, { state, kind }: RunReport): Run["state"] {
  if (state === "running" || state === "paused") return state;
  if (snapshot !== null) return "done";
  return state === "done" && kind === "backup" ? "failed" : state;
}

export function opened(stored: StoredRun, plan: NameToken, isGateway: boolean, now: number): StoredRun {
  const { run } = stored;
  const trigger = isGateway ? "gateway" : run.trigger;
  return { ...stored, run: { ...run, plan: run.plan ?? plan, trigger, heardAt: now } };
}

export function committed(stored: StoredRun, snapshot: SnapshotId, now: number): StoredRun {
  const { run } = stored;
  const elapsedMs = run.isReported ? run.elapsedMs : now - run.startedAt;
  const added = run.isReported ? run.bytes.added : run.bytes.sent;
  return {
    ...stored,
    run: {
      ...run,
      snapshot,
      state: "done",
      phase: "ended",
      heardAt: now,
      endedAt: now,
      elapsedMs,
      bytes: { ...run.bytes, added },
      error: null,
    },
  };
}

/** A device that reports has the last word about how its session ended; of others it is not known. */
export function closed(stored: StoredRun, now: number): StoredRun {
  const { run } = stored;
  if (run.endedAt !== null || run.isReported) return { ...stored, run: { ...run, heardAt: now } };
  return ended(stored, "failed", null, now);
}

export function received(stored: StoredRun, sizeBytes: number, now: number): StoredRun {
  const { run } = stored;
  return { ...stored, run: { ...run, heardAt: now, bytes: { ...run.bytes, sent: run.bytes.sent + sizeBytes } } };
}

const SILENT: ErrorCode = "run_silent";

/** Nothing was heard of it for long. */
export function silenced(stored: StoredRun, now: number): StoredRun {
  return stored.run.snapshot === null ? ended(stored, "interrupted", SILENT, now) : ended(stored, "done", null, now);
}

export function ended({ n, run }: StoredRun, state: Run["state"], error: string | null, now: number): StoredRun {
  const elapsedMs = Math.max(run.elapsedMs, run.heardAt - run.startedAt);
  return {
    n,
    run: { ...run, state, phase: "ended", error, heardAt: Math.min(run.heardAt, now), endedAt: now, elapsedMs },
  };
}
