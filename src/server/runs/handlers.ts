// The routes of runs (wire/v4/api/run-routes.ts).

import { AppError } from "../../core/errors.ts";
import type { DeviceId } from "../../core/ids.ts";
import { RUN_LIMITS, type RUN_ROUTES } from "../../wire/v4/api/run-routes.ts";
import type { Handlers } from "../http/call.ts";
import type { Principal } from "../http/principal.ts";
import type { ServerKit } from "../kit.ts";
import { visibleVaults } from "../visible-vaults.ts";
import { saveAbout } from "./about.ts";
import type { ReportBuckets } from "./report-bucket.ts";
import { runDays } from "./run-days.ts";
import { listRuns, readDetails } from "./run-rows.ts";
import type { Runs } from "./runs.ts";

export function runHandlers(kit: ServerKit, runs: Runs, buckets: ReportBuckets): Handlers<typeof RUN_ROUTES> {
  const { database, clock } = kit;
  const idsOf = (principal: Principal, vault: string | undefined) =>
    visibleVaults(kit, principal, vault).map(({ id }) => id);
  return {
    reportRun({ vault: served, principal, params, body }) {
      const device = deviceOf(principal);
      buckets.take(served.id, device);
      return { wanted: runs.report(served, device, params.run, body) };
    },

    reportAbout({ vault: served, principal, body }) {
      const device = deviceOf(principal);
      buckets.take(served.id, device);
      saveAbout(database, served.id, device, { ...body, toldAt: clock.now() });
      return undefined;
    },

    run({ vault: served, params }) {
      return runs.get(served.id, params.run) ?? missing(`The run ${params.run}`);
    },

    runDetails({ vault: served, params }) {
      const details = readDetails(database, served.id, params.run);
      if (details === undefined) return missing(`Details of the run ${params.run}`);
      return { sizeBytes: details.length, content: new Uint8Array(details) };
    },

    wantOfRun({ vault: served, params, body }) {
      runs.want(served.id, params.run, body.wanted);
      return undefined;
    },

    runs({ principal, query: { vault, ...filter } }) {
      const { items, next } = listRuns(database, { ...filter, vaults: idsOf(principal, vault) });
      return { items: runs.asNow(items), next };
    },

    exportRuns({ principal, query: { vault, ...filter }, reply }) {
      const limit = RUN_LIMITS.rowsPerExport;
      const { items, next } = listRuns(database, { ...filter, limit, vaults: idsOf(principal, vault) });
      const exportedAt = clock.now();
      const day = new Date(exportedAt).toISOString().slice(0, 10);
      reply.header("Content-Disposition", `attachment; filename="cyberbackup-runs-${day}.json"`);
      return { exportedAt, items: runs.asNow(items), isWhole: next === null };
    },

    runDays({ principal, query: { vault, days, timeZone } }) {
      return runDays(database, idsOf(principal, vault), { count: days, timeZone, now: clock.now() });
    },
  };
}

export function deviceOf(principal: Principal): DeviceId {
  if (principal.kind === "device") return principal.device;
  // The table of routes lets only devices in.
  throw new AppError("internal", { context: { detail: "a device's route without a device" } });
}

function missing(what: string): never {
  throw new AppError("not_found", { context: { what } });
}
