// The part of the server that watches over backups: the history of runs, plans and commands of devices, alerts, sizes over time, and the one
// sentence that says whether all is well.

import { statfs } from "node:fs/promises";
import { AppError } from "../../core/errors.ts";
import type { VaultId } from "../../core/ids.ts";
import { OVERVIEW_ROUTES, type VaultSample } from "../../wire/v4/api/overview-routes.ts";
import { PLAN_ROUTES } from "../../wire/v4/api/plan-routes.ts";
import { RUN_ROUTES } from "../../wire/v4/api/run-routes.ts";
import { ALERT_STEPS, trimAlerts } from "../alerts/alert-store.ts";
import { Lookout } from "../alerts/lookout.ts";
import { mount } from "../http/call.ts";
import { JobStore } from "../jobs/job-store.ts";
import type { PartModule, ServerEvent, ServerKit } from "../kit.ts";
import { overviewHandlers } from "../overview/handlers.ts";
import { HISTORY_STEPS, sampleIsDue, saveSamples } from "../overview/history.ts";
import { VaultStates } from "../overview/vault-states.ts";
import { expireCommands, openCommands, setCommandState } from "../plans/command-store.ts";
import { DeviceStreams } from "../plans/device-streams.ts";
import { planHandlers, tell } from "../plans/handlers.ts";
import { PLAN_STEPS, trimPlans } from "../plans/plan-store.ts";
import { IndexReopener } from "../reopen-indexes.ts";
import { OldestRead } from "../scrub-age.ts";
import { runHandlers } from "./handlers.ts";
import { ReportBuckets } from "./report-bucket.ts";
import { RunFacts } from "./run-facts.ts";
import { runGauges } from "./run-gauges.ts";
import { RUN_STEPS } from "./run-rows.ts";
import { addUnseenRuns, trimRuns } from "./run-upkeep.ts";
import { Runs } from "./runs.ts";

const TICK_MS = 60_000;
const TRIM_MS = 3_600_000;

/** Every one of these may end what was wrong, or begin it. */
const WORTH_A_LOOK: ReadonlySet<ServerEvent["type"]> = new Set(["enrolled", "statement", "vault-made", "plan"]);

type Disk = { readonly totalBytes: number; readonly freeBytes: number };

export type RunsPartOptions = {
  /** Of the data folder (default: the disk is asked). */
  readonly disk?: () => Promise<Disk>;
};

export const RUNS_PART: PartModule = {
  // Steps to come are added behind these.
  migrations: { part: "runs", steps: [...RUN_STEPS, ...PLAN_STEPS, ...ALERT_STEPS, ...HISTORY_STEPS] },
  make: (kit) => makeRunsPart(kit),
};

export function makeRunsPart(kit: ServerKit, { disk = () => askDisk(kit.settings.data) }: RunsPartOptions = {}) {
  const { database, clock, logger } = kit;
  const runs = new Runs(kit);
  const facts = new RunFacts({ database });
  const buckets = new ReportBuckets({ clock });
  const jobs = new JobStore({ database });
  const ages = new OldestRead({ clock });
  const streams = new DeviceStreams((vault, device, isConnected) =>
    kit.emit({ type: isConnected ? "device-connected" : "device-disconnected", vault, device }),
  );
  const vaultStates = new VaultStates({ kit, facts, jobs, ages });
  const lookout = new Lookout({ kit, runs, facts, streams, jobs, disk });
  const reopener = new IndexReopener({
    ...{ vaults: kit.vaults, clock, logger },
    isAtWork: (vault) => jobs.unfinished().some((job) => job.vault === vault),
  });
  const shared = { kit, runs, facts, streams };
  let trimmedAt = 0;

  const look = (): void => {
    lookout
      .look()
      .catch((error: unknown) => logger.error("looking for what is wrong failed", { error: asError(error) }));
  };

  runs.onEnded = ({ vault, device, run }) => {
    facts.forget(vault, device);
    for (const { id, kind, run: asked } of openCommands(database, vault, device, clock.now())) {
      if (asked === run && kind === "cancel") tell(kit, setCommandState(database, id, "done"));
    }
    look();
  };

  async function sample(): Promise<void> {
    const samples = new Map<VaultId, VaultSample>();
    for (const served of kit.vaults.list()) {
      if (served.problem === undefined) samples.set(served.id, await vaultStates.sample(served));
    }
    const { totalBytes, freeBytes } = await disk();
    if (!kit.stopping.aborted) saveSamples(database, samples, { at: clock.now(), totalBytes, freeBytes });
  }

  /** Everything that is due by the clock. */
  async function tick(): Promise<void> {
    const now = clock.now();
    runs.sweep();
    buckets.sweep();
    for (const command of expireCommands(database, now)) tell(kit, command);
    for (const served of kit.vaults.list()) {
      while (served.problem === undefined && addUnseenRuns(database, served, now) > 0) facts.forget();
    }
    if (now - trimmedAt >= TRIM_MS) {
      trimmedAt = now;
      trimRuns(database, now);
      trimPlans(database, now);
      trimAlerts(database, now);
    }
    if (sampleIsDue(database, now)) await sample();
    await lookout.look();
    await reopener.look();
  }

  let timer: NodeJS.Timeout | undefined;
  let ticking: Promise<void> = Promise.resolve();
  const guardedTick = (): Promise<void> => {
    ticking = tick().catch((error: unknown) => {
      // A vault that is busy or being closed is no reason to stop watching.
      logger.warn("watching over runs failed for once", { error: asError(error) });
    });
    return ticking;
  };

  return {
    runs,
    lookout,
    tick,
    routes: [
      ...mount(RUN_ROUTES, runHandlers(kit, runs, buckets)),
      ...mount(PLAN_ROUTES, planHandlers(shared)),
      ...mount(OVERVIEW_ROUTES, overviewHandlers({ ...shared, vaultStates, disk })),
    ],
    gauges: () => runGauges(database, (vault) => kit.vaults.byNameOrId(vault)?.name ?? vault),
    onEvent(event: ServerEvent): void {
      runs.onEvent(event);
      const isJobEnd = event.type === "job" && (event.state === "done" || event.state === "failed");
      if (isJobEnd && event.kind === "scrub" && event.vault !== undefined) ages.forget(event.vault);
      if (isJobEnd || WORTH_A_LOOK.has(event.type)) look();
    },
    start(): void {
      // Nobody waits for it: counting a large vault takes its time.
      void guardedTick();
      timer = setInterval(() => void guardedTick(), TICK_MS).unref();
    },
    async stop(): Promise<void> {
      clearInterval(timer);
      await ticking;
      await lookout.idle();
      runs.flush();
    },
  };
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new AppError("internal", { context: { detail: "not an error." } });
}

async function askDisk(folder: string): Promise<Disk> {
  const { bsize, blocks, bavail } = await statfs(folder);
  return { totalBytes: bsize * blocks, freeBytes: bsize * bavail };
}
