// Tells a server of the agent's runs, live and at their end, with names sealed (engine/remote/run-reporter.ts). What people want of a run comes back
// with the answers.

import type { Clock, RandomSource } from "../../core/clock.ts";
import type { DeviceId, SnapshotId, VaultId } from "../../core/ids.ts";
import { rawFromText } from "../../core/raw-path.ts";
import type { MacKey } from "../../crypto/primitives.ts";
import { planToken } from "../../crypto/tokens.ts";
import type { ApiClient } from "../../engine/remote/api-client.ts";
import { RunReporter } from "../../engine/remote/run-reporter.ts";
import type { DeviceAbout } from "../../wire/v4/api/run-routes.ts";
import type { Phase, RunEnd } from "./perform.ts";
import type { ReportRun } from "./server-link.ts";
import type { CurrentRun, VaultAgent } from "./vault-agent.ts";

export type ReportingOptions = {
  readonly agent: () => VaultAgent;
  readonly client: ApiClient;
  readonly vault: VaultId;
  readonly device: DeviceId;
  readonly metaKey: MacKey;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly about: DeviceAbout;
  readonly host: string;
};

const PHASES = { before: "before", backup: undefined, after: "after", ended: "after" } as const satisfies Record<
  Phase,
  unknown
>;
const STATES = {
  ok: "done",
  partial: "done",
  failed: "failed",
  cancelled: "cancelled",
  interrupted: "interrupted",
} as const;

export function reportingRuns({ agent, host, ...shared }: ReportingOptions): ReportRun {
  return async (current) => {
    const { run, plan, memory, trigger, watch } = current;
    const reporter = new RunReporter({
      ...shared,
      kind: "backup",
      ...{ run, trigger, progress: watch.progress },
      plan: await planToken(shared.metaKey, plan.name),
      planId: memory.synced ? memory.id : undefined,
      onWanted: (wanted) => {
        if (wanted === "cancel") agent().cancel(run);
        else agent().hold(run, wanted === "pause");
      },
    });
    const follow = (): void => {
      reporter.setPhase(PHASES[watch.phase]);
      reporter.setPaused(!current.gate.isOpen);
    };
    current.onChange = follow;
    follow();
    reporter.start();
    const end = await current.ended;
    const report = await reporter.end(
      end === undefined ? { state: "failed", error: new Error() } : told(current, end, host),
    );
    return report && { run, report };
  };
}

function told({ plan }: CurrentRun, { last, error, problems, wasThere }: RunEnd, host: string) {
  return {
    // The run that was killed has its snapshot; this one had nothing to do, and its counts are of nothing.
    state: wasThere ? "cancelled" : STATES[last.outcome],
    ...(last.snapshot === null || wasThere ? {} : { snapshot: last.snapshot as SnapshotId }),
    ...(error === undefined ? {} : { error }),
    words: {
      plan: plan.name,
      host,
      paths: plan.sources.map(rawFromText),
      message: last.message,
      problems,
      problemCount: last.problems,
    },
  } as const;
}
