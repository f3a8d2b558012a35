// The routes of self-care (wire/v4/api/job-routes.ts). Which vault it is decides who may: a job of a vault that a person may not
// see is not there.

import { fromHex } from "../../core/bytes.ts";
import { AppError } from "../../core/errors.ts";
import type { DeviceId, VaultId } from "../../core/ids.ts";
import { previewRetention } from "../../vault/apply-retention.ts";
import { JOB_ROUTES, type Job, type VaultSettings } from "../../wire/v4/api/job-routes.ts";
import type { EventStream } from "../events.ts";
import { requireFreshFactor } from "../http/access.ts";
import { type Handlers, type Mounted, mount } from "../http/call.ts";
import { hasRole, type Principal, type Role, roleOf } from "../http/principal.ts";
import type { ServerKit } from "../kit.ts";
import type { Quotas } from "../quota.ts";
import type { ServedVault } from "../vaults.ts";
import type { JobStore } from "./job-store.ts";
import { requireOptions } from "./kinds.ts";
import type { JobRunner } from "./runner.ts";
import type { Scheduler } from "./schedules.ts";
import { keepsLess, rulesOf, type VaultSettingsStore } from "./vault-settings.ts";

export type JobHandlersOptions = {
  readonly kit: ServerKit;
  readonly store: JobStore;
  readonly runner: JobRunner;
  readonly scheduler: Scheduler;
  readonly settings: VaultSettingsStore;
  readonly quotas: Quotas;
  readonly events: EventStream;
};

export function jobRoutes(options: JobHandlersOptions): Mounted[] {
  return mount(JOB_ROUTES, handlers(options));
}

function handlers({
  kit,
  store,
  runner,
  scheduler,
  settings,
  quotas,
  events,
}: JobHandlersOptions): Handlers<typeof JOB_ROUTES> {
  const vaultOf = (nameOrId: string): ServedVault =>
    kit.vaults.byNameOrId(nameOrId) ?? missing(`The vault ${nameOrId}`);
  const jobFor = (principal: Principal, id: string, least: Role): Job => {
    const job = runner.get(id);
    // The server's own jobs are for those who may look at the whole server.
    if (job === undefined || !hasRole(roleOf(principal, job.vault ?? undefined), "viewer"))
      return missing(`The job ${id}`);
    requireRole(principal, job.vault, least);
    return job;
  };
  const settingsOf = async (served: ServedVault) => ({
    ...settings.get(served.id),
    usage: await quotas.usage(served),
  });

  return {
    jobs({ principal, query }) {
      const { kind, state, limit, after } = query;
      const vault = query.vault === undefined ? undefined : vaultOf(query.vault).id;
      const before = after === undefined ? undefined : Number(after);
      const rows = store.list({ vault, kind, state, before, limit: limit + 1 });
      const items = rows
        .slice(0, limit)
        .map((job) => runner.fresh(job))
        .filter((job) => hasRole(roleOf(principal, job.vault ?? undefined), "viewer"));
      return { items, next: rows.length > limit ? rows[limit - 1]!.id : null };
    },

    startJob({ principal, address, body }) {
      const { kind, options, dryRun } = body;
      const served = body.vault === null ? undefined : vaultOf(body.vault);
      const isOfServer = kind === "database-backup";
      if (isOfServer !== (served === undefined)) refuse(`a ${kind} job is ${isOfServer ? "not " : ""}one of a vault`);
      requireRole(principal, served?.id ?? null, dryRun ? "viewer" : "operator");
      requireOptions(kind, options);
      const isShorter = kind === "gc" && served !== undefined && isSooner(options.trashMs, settings.get(served.id));
      if (!dryRun && (kind === "trash" || isShorter)) requireFreshFactor(principal, kit.clock.now());
      const job = runner.start({ kind, vault: served?.id ?? null, options, dryRun, startedBy: nameOf(principal) });
      if (!dryRun)
        kit.audit({ principal, address, action: "job-start", vault: served?.id, detail: `${kind} ${job.id}` });
      return job;
    },

    async job({ principal, params, query, signal }) {
      const job = jobFor(principal, params.id, "viewer");
      if (query.wait > 0) {
        const timeUp = AbortSignal.any([signal, kit.stopping, AbortSignal.timeout(query.wait * 1000)]);
        await runner.changed(job.id, query.after ?? job.version, timeUp);
      }
      return runner.get(job.id) ?? job;
    },

    cancelJob({ principal, address, params }) {
      const job = jobFor(principal, params.id, "operator");
      kit.audit({
        principal,
        address,
        action: "job-cancel",
        vault: job.vault ?? undefined,
        detail: `${job.kind} ${job.id}`,
      });
      return runner.cancel(job.id) ?? job;
    },

    schedules({ principal }) {
      const items = scheduler.list().filter(({ vault }) => hasRole(roleOf(principal, vault ?? undefined), "viewer"));
      return { items };
    },

    setSchedule({ principal, address, body }) {
      if (body.vault !== null && kit.vaults.byNameOrId(body.vault)?.id !== body.vault)
        missing(`The vault ${body.vault}`);
      requireRole(principal, body.vault, "operator");
      const shown = scheduler.set(body);
      kit.audit({ principal, address, action: "schedule-set", vault: body.vault ?? undefined, detail: body.kind });
      return shown;
    },

    vaultSettings: ({ vault }) => settingsOf(vault),

    async changeVault({ vault, principal, address, body }) {
      const { name, ...changed } = body;
      const before = settings.get(vault.id);
      const after = { ...before, ...withoutUndefined(changed) };
      if (keepsLess(before, after)) requireFreshFactor(principal, kit.clock.now());
      settings.set(vault.id, after);
      if (name !== undefined) kit.vaults.rename(vault, name);
      const detail = Object.keys(body).join(" ");
      kit.audit({ principal, address, action: "vault-settings", vault: vault.id, detail });
      return settingsOf(vault);
    },

    previewRetention({ vault, body }) {
      const rules = rulesOf(body.retention ?? settings.get(vault.id).retention);
      const items = previewRetention(vault.vault.context, rules).map(({ snapshot, reasons }) => ({
        snapshot: snapshot.id,
        device: snapshot.device,
        plan: snapshot.plan,
        receivedAt: snapshot.receivedAt,
        reasons: [...reasons],
      }));
      return { items };
    },

    async deviceUse({ vault }) {
      const devices = await vault.vault.devices();
      return { items: await Promise.all(devices.map((device) => useOf(vault, device))) };
    },

    async setDeviceQuota({ vault, principal, address, params, body }) {
      const device = (await vault.vault.devices()).find((row) => row.device === params.device);
      if (device === undefined) return missing(`The device ${params.device}`);
      settings.setDeviceQuota(vault.id, device.device, body);
      kit.audit({ principal, address, action: "device-quota", vault: vault.id, detail: device.device });
      return useOf(vault, device);
    },

    events: ({ principal, request, signal }) =>
      events.read(principal, request.headers["last-event-id"] as string | undefined, signal),
  };

  async function useOf(
    served: ServedVault,
    { device, name, revoked }: { device: DeviceId; name: string; revoked: boolean },
  ) {
    const row = served.vault.context.database.get<{ at: number | null }>(
      "SELECT max(receivedAt) AS at FROM snapshots WHERE deviceId = ?",
      fromHex(device),
    );
    const usage = await quotas.usage(served, device);
    const quota = settings.deviceQuota(served.id, device);
    return { device, name, revoked, quota, usage, lastSnapshotAt: row?.at ?? null };
  }
}

/** True when snapshots would be purged before the time that was promised. */
function isSooner(trashMs: number | undefined, { trashDays }: VaultSettings): boolean {
  return trashMs !== undefined && trashMs < trashDays * 86_400_000;
}

function requireRole(principal: Principal, vault: VaultId | null, least: Role): void {
  if (hasRole(roleOf(principal, vault ?? undefined), least)) return;
  throw new AppError("forbidden", { context: { caller: "this account", needed: `the role ${least}` } });
}

function nameOf(principal: Principal): string {
  return principal.kind === "person" ? principal.name : principal.kind;
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as never;
}

function missing(what: string): never {
  throw new AppError("not_found", { context: { what } });
}

function refuse(detail: string): never {
  throw new AppError("request_invalid", { context: { detail } });
}
