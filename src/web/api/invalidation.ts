// Which answers are old once something has happened. An event that is not here changes nothing that a page shows; a page that shows
// something new adds its routes to the lines of the events that change it.

import { DEVICE_ROUTES } from "../../wire/v4/api/device-routes.ts";
import { INVITE_ROUTES } from "../../wire/v4/api/invite-routes.ts";
import { JOB_ROUTES } from "../../wire/v4/api/job-routes.ts";
import { OVERVIEW_ROUTES } from "../../wire/v4/api/overview-routes.ts";
import { PLAN_ROUTES } from "../../wire/v4/api/plan-routes.ts";
import type { Route } from "../../wire/v4/api/route.ts";
import { VAULT_ROUTES } from "../../wire/v4/api/vault-routes.ts";

export const CHANGES: Readonly<Record<string, readonly Route[]>> = {
  "device-login": [VAULT_ROUTES.deviceList, OVERVIEW_ROUTES.deviceStates],
  "device-connected": [OVERVIEW_ROUTES.deviceStates],
  "device-disconnected": [OVERVIEW_ROUTES.deviceStates],
  plan: [PLAN_ROUTES.devicePlans, OVERVIEW_ROUTES.deviceStates],
  command: [PLAN_ROUTES.commands],
  "alert-raised": [OVERVIEW_ROUTES.overview, OVERVIEW_ROUTES.alerts, OVERVIEW_ROUTES.deviceStates],
  "alert-cleared": [OVERVIEW_ROUTES.overview, OVERVIEW_ROUTES.alerts, OVERVIEW_ROUTES.deviceStates],
  "session-open": [VAULT_ROUTES.deviceList, VAULT_ROUTES.vault],
  "session-close": [VAULT_ROUTES.deviceList, VAULT_ROUTES.vault],
  commit: [
    VAULT_ROUTES.deviceList,
    VAULT_ROUTES.vault,
    JOB_ROUTES.deviceUse,
    DEVICE_ROUTES.snapshots,
    DEVICE_ROUTES.log,
  ],
  enrolled: [
    OVERVIEW_ROUTES.overview,
    OVERVIEW_ROUTES.deviceStates,
    VAULT_ROUTES.deviceList,
    INVITE_ROUTES.invites,
    DEVICE_ROUTES.devices,
  ],
  statement: [
    OVERVIEW_ROUTES.overview,
    OVERVIEW_ROUTES.deviceStates,
    VAULT_ROUTES.deviceList,
    VAULT_ROUTES.vault,
    DEVICE_ROUTES.snapshots,
    DEVICE_ROUTES.keyslots,
    DEVICE_ROUTES.log,
    DEVICE_ROUTES.devices,
  ],
  "vault-made": [VAULT_ROUTES.vaults, OVERVIEW_ROUTES.overview],
  job: [OVERVIEW_ROUTES.overview, JOB_ROUTES.jobs, JOB_ROUTES.job, JOB_ROUTES.schedules, VAULT_ROUTES.vault],
};
