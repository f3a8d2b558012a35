// Self-care as a part of the server: jobs and their schedules, quotas, metrics and live events.

import type { Job } from "../../wire/v4/api/job-routes.ts";
import { EventStream } from "../events.ts";
import type { PartModule, ServerEvent, ServerKit } from "../kit.ts";
import { LoopLag } from "../loop-lag.ts";
import { makeMetrics } from "../metrics.ts";
import { metricsRoutes } from "../metrics-route.ts";
import { Quotas } from "../quota.ts";
import { OldestRead } from "../scrub-age.ts";
import { jobRoutes } from "./handlers.ts";
import { JOB_MIGRATIONS, JobStore } from "./job-store.ts";
import { jobKinds } from "./kinds.ts";
import { JobRunner } from "./runner.ts";
import { Scheduler } from "./schedules.ts";
import { VaultSettingsStore } from "./vault-settings.ts";

/** A schedule is looked at so often at least: the clock may have been set. */
const LOOK_AGAIN_MS = 60_000;
/** After a start, before the first jobs: devices come first. */
const SETTLE_MS = 30_000;

export const JOBS_PART: PartModule = { migrations: JOB_MIGRATIONS, make: makeJobsPart };

export function makeJobsPart(kit: ServerKit) {
  const { database, clock, logger } = kit;
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  const store = new JobStore({ database });
  const settings = new VaultSettingsStore({ database, timeZone });
  const quotas = new Quotas({
    clock,
    dataFolder: kit.settings.data,
    reserveBytes: kit.settings.reserveBytes,
    ofVault: (vault) => settings.get(vault).quota,
    ofDevice: (vault, device) => settings.deviceQuota(vault, device),
  });
  const events = new EventStream(clock.now());
  const lag = new LoopLag();
  const ages = new OldestRead({ clock });
  const metrics = makeMetrics({
    kit,
    quotas,
    lag,
    oldestRead: (served) => ages.of(served),
    openJobs: () => store.countOpen(),
    lastDone: (kind, vault) => store.lastDone(kind, vault),
  });
  const work = jobKinds({
    kit,
    settings,
    quotas,
    scrubDays: kit.settings.scrubDays,
    scrubBytesPerSecond: kit.settings.scrubBytesPerSecond,
  });
  const onChange = (job: Job): void => {
    metrics.onJob(job);
    if (job.kind === "scrub" && job.endedAt !== null && job.vault !== null) ages.forget(job.vault);
    const { id, kind, state, dryRun, vault } = job;
    kit.emit({ type: "job", vault: vault ?? undefined, job: id, kind, state, dryRun });
  };
  const runner = new JobRunner({ store, clock, logger, work, onChange });
  const scheduler = new Scheduler({
    database,
    store,
    clock,
    timeZone,
    vaults: () => usableVaults(kit),
    start: (kind, vault) => runner.start({ kind, vault, options: {}, dryRun: false, startedBy: "schedule" }),
  });

  let timer: NodeJS.Timeout | undefined;
  const lookAgain = (): void => {
    const next = scheduler.tick();
    const inMs = Math.min(LOOK_AGAIN_MS, Math.max(0, (next ?? Number.POSITIVE_INFINITY) - clock.now()));
    timer = setTimeout(lookAgain, inMs).unref();
  };
  return {
    runner,
    scheduler,
    settings,
    quotas,
    events,
    metrics,
    routes: [...jobRoutes({ kit, store, runner, scheduler, settings, quotas, events }), ...metricsRoutes(metrics)],
    admit: (what: Parameters<Quotas["admit"]>[0]) => quotas.admit(what),
    usage: (...of: Parameters<Quotas["usage"]>) => quotas.usage(...of),
    onEvent(event: ServerEvent): void {
      metrics.onEvent(event);
      tell(events, event);
    },
    start(): void {
      lag.start();
      timer = setTimeout(lookAgain, SETTLE_MS).unref();
    },
    async stop(): Promise<void> {
      clearTimeout(timer);
      lag.stop();
      await runner.stop();
    },
  };
}

function usableVaults({ database, vaults }: ServerKit) {
  const made = new Map(
    database
      .all<{ id: string; createdAt: number }>("SELECT id, createdAt FROM vaults")
      .map((row) => [row.id, row.createdAt]),
  );
  return vaults
    .list()
    .filter(({ problem }) => problem === undefined)
    .map(({ id }) => ({ id, createdAt: made.get(id) ?? 0 }));
}

/** Requests are many and of no interest to a page. */
function tell(events: EventStream, event: ServerEvent): void {
  if (event.type === "request" || event.type === "notification") return;
  const { type: name, vault, ...data } = event;
  const least = name === "log" ? "owner" : undefined;
  const replaces = event.type === "run" ? `run ${event.vault} ${event.run.run}` : undefined;
  events.publish({ name, vault, data, least, replaces });
}
