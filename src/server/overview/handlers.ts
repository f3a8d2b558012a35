// The routes that say whether all is well (wire/v4/api/overview-routes.ts). What concerns the server itself is shown to those who may look at the
// whole of it.

import type { Alert, DeviceState, DiskState, OVERVIEW_ROUTES, Overview } from "../../wire/v4/api/overview-routes.ts";
import { dismissAlert, getAlert, listAlerts, openAlerts } from "../alerts/alert-store.ts";
import type { Handlers } from "../http/call.ts";
import { hasRole, type Principal, roleOf } from "../http/principal.ts";
import { logPage } from "../kept-log.ts";
import type { ServedVault } from "../vaults.ts";
import { requireRole, visibleVaults } from "../visible-vaults.ts";
import { type DeviceStatesOptions, deviceStates } from "./device-states.ts";
import { diskHistory, diskTrend, vaultHistory } from "./history.ts";
import type { VaultStates } from "./vault-states.ts";

export type OverviewOptions = DeviceStatesOptions & {
  readonly vaultStates: VaultStates;
  readonly disk: () => Promise<{ totalBytes: number; freeBytes: number }>;
};

export function overviewHandlers(options: OverviewOptions): Handlers<typeof OVERVIEW_ROUTES> {
  const { kit, runs, vaultStates } = options;
  const { database, clock } = kit;

  const seesServer = (principal: Principal): boolean => hasRole(roleOf(principal), "viewer");

  async function diskState(): Promise<DiskState> {
    const now = clock.now();
    const { reserveBytes } = kit.settings;
    const samples = diskHistory(database, { from: 0, to: now + 1, step: "hour" });
    return { ...(await options.disk()), reserveBytes, ...diskTrend(samples, now, reserveBytes) };
  }

  async function statesIn(vaults: readonly ServedVault[], open: readonly Alert[]): Promise<DeviceState[]> {
    const usable = vaults.filter(({ problem }) => problem === undefined);
    return (await Promise.all(usable.map((served) => deviceStates(options, served, open)))).flat();
  }

  return {
    async overview({ principal }) {
      const vaults = visibleVaults(kit, principal);
      const ids = new Set<string>(vaults.map(({ id }) => id));
      const isShown = ({ vault }: Pick<Alert, "vault">) => (vault === null ? seesServer(principal) : ids.has(vault));
      const open = openAlerts(database);
      const alerts = open.filter(isShown).sort(byGravity);
      const devices = (await statesIn(vaults, open)).filter(({ revoked }) => !revoked);
      const protectedDevices = devices.filter(isProtected).length;
      return {
        at: clock.now(),
        state: stateOf(devices.length, protectedDevices, alerts),
        devices: devices.length,
        protectedDevices,
        alerts,
        running: runs.running().filter(isShown),
        vaults: await Promise.all(vaults.map((served) => vaultStates.state(served))),
        disk: await diskState(),
      };
    },

    async deviceStates({ principal, query: { vault } }) {
      return { items: await statesIn(visibleVaults(kit, principal, vault), openAlerts(database)) };
    },

    alerts({ principal, query: { vault, open, ...page } }) {
      const vaults = visibleVaults(kit, principal, vault).map(({ id }) => id);
      const ofServer = vault === undefined && seesServer(principal) ? [null] : [];
      return listAlerts(database, { ...page, vaults: [...vaults, ...ofServer], isOpen: open === "true" });
    },

    dismissAlert({ principal, params }) {
      const { vault } = getAlert(database, params.id);
      requireRole(principal, vault, "operator");
      const cleared = dismissAlert(database, params.id, clock.now());
      if (cleared !== undefined) kit.emit({ type: "alert-cleared", vault: vault ?? undefined, alert: cleared });
      return undefined;
    },

    history: ({ vault: served, query }) => ({ items: vaultHistory(database, served.id, query) }),

    async diskHistory({ query }) {
      return { items: diskHistory(database, query), disk: await diskState() };
    },

    serverLog: ({ query }) => logPage(kit.logTail, query),
  };
}

/** A device that runs now is as safe as its last success. */
function isProtected({ state, lastSuccessAt }: DeviceState): boolean {
  return state !== "danger" && lastSuccessAt !== null;
}

function stateOf(devices: number, protectedDevices: number, alerts: readonly Alert[]): Overview["state"] {
  if (alerts.some(({ severity }) => severity === "danger")) return "danger";
  if (devices === 0) return alerts.length > 0 ? "attention" : "empty";
  return alerts.length > 0 || protectedDevices < devices ? "attention" : "protected";
}

function byGravity(a: Alert, b: Alert): number {
  const rank = ({ severity }: Alert): number => (severity === "danger" ? 0 : 1);
  return rank(a) - rank(b) || a.since - b.since;
}
