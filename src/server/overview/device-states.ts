// How each device is, in one row: what it is, when it was heard of, what it did last, what comes next, how much it stores.

import type { DeviceId, VaultId } from "../../core/ids.ts";
import { logDevices, snapshotsByDevice } from "../../vault/server-queries.ts";
import type { Alert, DeviceState } from "../../wire/v4/api/overview-routes.ts";
import type { StoredPlan } from "../../wire/v4/api/plan-routes.ts";
import type { Run } from "../../wire/v4/api/run-routes.ts";
import { deviceNotes } from "../device-api/device-notes.ts";
import type { ServerKit } from "../kit.ts";
import type { DeviceStreams } from "../plans/device-streams.ts";
import { vaultPlans } from "../plans/plan-store.ts";
import { readAbouts } from "../runs/about.ts";
import { lastEnded, lastSuccessAt, type RunFacts } from "../runs/run-facts.ts";
import type { Runs } from "../runs/runs.ts";
import type { ServedVault } from "../vaults.ts";

const DAY_MS = 86_400_000;
const TREND_DAYS = 30;

export type DeviceStatesOptions = {
  readonly kit: ServerKit;
  readonly runs: Runs;
  readonly facts: RunFacts;
  readonly streams: DeviceStreams;
};

/** `open` are the open alerts. Throws the vault's problem. */
export async function deviceStates(
  { kit, runs, facts, streams }: DeviceStatesOptions,
  served: ServedVault,
  open: readonly Alert[],
): Promise<DeviceState[]> {
  const vault = served.id;
  const { context } = served.vault;
  const notes = deviceNotes(kit.database, vault);
  const abouts = readAbouts(kit.database, vault);
  const snapshots = snapshotsByDevice(context);
  const added = addedByDay(kit, vault);
  const plans = Map.groupBy(vaultPlans(kit.database, vault), ({ device }) => device);
  const going = runs.running().filter((run) => run.vault === vault);
  return Promise.all(
    [...logDevices(context).values()].map(async ({ device, name: givenName, revoked, group, addedAt: enrolledAt }) => {
      const note = notes.get(device);
      const planRuns = facts.of(vault, device);
      const own = going.filter((run) => run.device === device);
      const ofDevice = plans.get(device) ?? [];
      const lastSuccess = lastSuccessAt(planRuns);
      const last = own.at(-1) ?? lastEnded(planRuns);
      const alerts = open.filter((alert) => alert.vault === vault && alert.device === device);
      const isConnected = streams.isConnected(vault, device);
      const heard = [note?.lastSeenAt ?? 0, ...own.map(({ heardAt }) => heardAt), isConnected ? kit.clock.now() : 0];
      const lastSeenAt = Math.max(...heard);
      return {
        vault,
        device,
        name: note?.name ?? givenName,
        givenName,
        revoked,
        group,
        enrolledAt,
        lastSeenAt: lastSeenAt === 0 ? null : lastSeenAt,
        lastAddress: note?.lastAddress ?? null,
        isConnected,
        about: abouts.get(device) ?? null,
        state: stateOf({ revoked, alerts, isRunning: own.length > 0, lastSuccess }),
        lastRun: last === undefined ? null : short(last),
        lastSuccessAt: lastSuccess,
        nextDueAt: nextDue(ofDevice),
        pausedUntil: pausedUntil(ofDevice),
        plans: ofDevice.length,
        snapshots: snapshots.get(device)?.count ?? 0,
        storedBytes: (await kit.usage(served, device)).bytes,
        protectedBytes: planRuns.reduce((sum, { lastDone }) => sum + (lastDone?.bytes.done ?? 0), 0),
        addedByDay: added.get(device) ?? new Array<number>(TREND_DAYS).fill(0),
      };
    }),
  );
}

function stateOf(about: {
  readonly revoked: boolean;
  readonly alerts: readonly Alert[];
  readonly isRunning: boolean;
  readonly lastSuccess: number | null;
}): DeviceState["state"] {
  if (about.revoked) return "revoked";
  if (about.alerts.some(({ severity }) => severity === "danger")) return "danger";
  if (about.isRunning) return "running";
  if (about.alerts.length > 0) return "attention";
  return about.lastSuccess === null ? "new" : "protected";
}

function short({ run, state, startedAt, endedAt, counts }: Run): NonNullable<DeviceState["lastRun"]> {
  return { run, state, startedAt, endedAt, problems: counts.problems };
}

function nextDue(plans: readonly StoredPlan[]): number | null {
  const dues = plans.flatMap(({ enabled, nextDueAt }) => (enabled && nextDueAt !== null ? [nextDueAt] : []));
  return dues.length === 0 ? null : Math.min(...dues);
}

/** Until when all of its plans rest. */
function pausedUntil(plans: readonly StoredPlan[]): number | null {
  if (plans.length === 0 || plans.some((plan) => plan.pausedUntil === null)) return null;
  return Math.min(...plans.map((plan) => plan.pausedUntil!));
}

/** Sealed bytes of each of the last days, oldest first. */
function addedByDay({ database, clock }: ServerKit, vault: VaultId): Map<DeviceId, number[]> {
  const today = Math.floor(clock.now() / DAY_MS);
  const first = today - TREND_DAYS + 1;
  const found = new Map<DeviceId, number[]>();
  for (const [device, day, bytes] of database.tuples<[DeviceId, number, number]>(
    "SELECT device, startedAt / 86400000, sum(addedBytes) FROM runs WHERE startedAt >= ? AND vault = ? GROUP BY 1, 2",
    first * DAY_MS,
    vault,
  )) {
    const days = found.get(device) ?? new Array<number>(TREND_DAYS).fill(0);
    if (day <= today) days[day - first] = bytes;
    found.set(device, days);
  }
  return found;
}
