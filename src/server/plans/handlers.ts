// The routes of plans and commands (wire/v4/api/plan-routes.ts).

import { AppError } from "../../core/errors.ts";
import type { DeviceId } from "../../core/ids.ts";
import { logDevices } from "../../vault/server-queries.ts";
import type { Command, PLAN_ROUTES, StoredPlan } from "../../wire/v4/api/plan-routes.ts";
import type { Wanted } from "../../wire/v4/api/run-routes.ts";
import type { Handlers } from "../http/call.ts";
import type { Principal } from "../http/principal.ts";
import type { ServerKit } from "../kit.ts";
import { deviceOf } from "../runs/handlers.ts";
import type { Runs } from "../runs/runs.ts";
import type { ServedVault } from "../vaults.ts";
import {
  addCommand,
  getCommand,
  listCommands,
  type OwnedCommand,
  openCommands,
  setCommandState,
} from "./command-store.ts";
import type { DeviceStreams } from "./device-streams.ts";
import { devicePlans, dropPlan, putPlan, savePlanStatus } from "./plan-store.ts";

type PlanHandlersOptions = { readonly kit: ServerKit; readonly runs: Runs; readonly streams: DeviceStreams };

export function planHandlers({ kit, runs, streams }: PlanHandlersOptions): Handlers<typeof PLAN_ROUTES> {
  const { database, clock } = kit;

  function told(served: ServedVault, done: { plan: StoredPlan; isNew: boolean }): StoredPlan {
    const { device, plan, version, deleted } = done.plan;
    if (done.isNew) {
      kit.emit({ type: "plan", vault: served.id, device, plan, version, deleted });
      streams.wake(served.id, device, "plans");
    }
    return done.plan;
  }

  return {
    ownPlans: ({ vault: served, principal }) => ({ plans: devicePlans(database, served.id, deviceOf(principal)) }),

    putOwnPlan({ vault: served, principal, params, body }) {
      const key = { vault: served.id, device: deviceOf(principal), plan: params.plan };
      return told(served, putPlan(database, key, { ...body, by: "device", now: clock.now() }));
    },

    dropOwnPlan({ vault: served, principal, params, query }) {
      const key = { vault: served.id, device: deviceOf(principal), plan: params.plan };
      return told(served, dropPlan(database, key, { ...query, by: "device", now: clock.now() }));
    },

    planStatus({ vault: served, principal, body }) {
      const device = deviceOf(principal);
      savePlanStatus(database, served.id, device, body.plans);
      for (const { plan, version } of body.plans) {
        kit.emit({ type: "plan", vault: served.id, device, plan, version, deleted: false });
      }
      return undefined;
    },

    devicePlans: ({ vault: served, params }) => ({ plans: devicePlans(database, served.id, params.device) }),

    putDevicePlan({ vault: served, params, body }) {
      requireDevice(served, params.device);
      const key = { vault: served.id, device: params.device, plan: params.plan };
      return told(served, putPlan(database, key, { ...body, by: "person", now: clock.now() }));
    },

    dropDevicePlan({ vault: served, params, query }) {
      const key = { vault: served.id, device: params.device, plan: params.plan };
      return told(served, dropPlan(database, key, { ...query, by: "person", now: clock.now() }));
    },

    command({ vault: served, params, body, principal }) {
      const { device } = params;
      requireDevice(served, device);
      const asked = { ...body, by: nameOf(principal) };
      const command = addCommand(database, served.id, device, asked, clock.now());
      kit.emit({ type: "command", vault: served.id, device, command });
      passOn(runs, served, device, command);
      streams.wake(served.id, device, "command");
      return getCommand(database, command.id)!.command;
    },

    commands: ({ vault: served, params }) => ({ items: listCommands(database, served.id, params.device) }),

    commandOutcome({ vault: served, principal, params, body }) {
      const known = getCommand(database, params.id);
      if (known === undefined || known.vault !== served.id || known.device !== deviceOf(principal)) {
        throw new AppError("not_found", { context: { what: `The command ${params.id}` } });
      }
      tell(kit, setCommandState(database, params.id, body.outcome, body.error));
      return undefined;
    },

    deviceEvents({ vault: served, principal, signal }) {
      const device = deviceOf(principal);
      const source = {
        commands: () => openCommands(database, served.id, device, clock.now()).filter(({ state }) => state !== "taken"),
        plans: () => devicePlans(database, served.id, device).map(({ plan, version }) => ({ plan, version })),
        delivered: ({ id }: Command) => tell(kit, setCommandState(database, id, "delivered")),
      };
      return streams.open(served.id, device, source, signal);
    },
  };
}

/** Says how a command is now, if it has changed. */
export function tell(kit: ServerKit, changed: OwnedCommand | undefined): void {
  if (changed !== undefined) kit.emit({ type: "command", ...changed });
}

const WANTED: Readonly<Partial<Record<Command["kind"], Wanted>>> = { cancel: "cancel", pause: "pause", resume: "run" };

/** Runs that report hear of it with their next report, whether or not their device has an agent that listens. */
function passOn(runs: Runs, served: ServedVault, device: DeviceId, { kind, run, plan }: Command): void {
  const wanted = WANTED[kind];
  // A pause without a run is one of schedules.
  if (wanted === undefined || (run === null && kind !== "cancel")) return;
  for (const going of runs.running()) {
    if (going.vault !== served.id || going.device !== device) continue;
    if (run !== null ? going.run === run : plan === null || going.planId === plan)
      runs.want(served.id, going.run, wanted);
  }
}

function requireDevice(served: ServedVault, device: DeviceId): void {
  const known = logDevices(served.vault.context).get(device);
  if (known === undefined) throw new AppError("not_found", { context: { what: `The device ${device}` } });
  if (known.revoked) throw new AppError("device_revoked", { context: { device } });
}

function nameOf(principal: Principal): string {
  return principal.kind === "person" ? principal.name : "machine";
}
