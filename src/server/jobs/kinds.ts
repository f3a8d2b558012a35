// What each kind of job does, and what it would do (dry run). Everything is the vault's own work; a job only brings it its
// settings, its signal and its progress.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../core/errors.ts";
import type { VaultId } from "../../core/ids.ts";
import { applyRetention, previewRetention } from "../../vault/apply-retention.ts";
import { rebuildIndex } from "../../vault/rebuild.ts";
import { planScrub } from "../../vault/scrub.ts";
import { visibleSnapshots } from "../../vault/snapshot-rows.ts";
import type { Job, JobKind, JobOptions } from "../../wire/v4/api/job-routes.ts";
import type { ServerKit } from "../kit.ts";
import type { Quotas } from "../quota.ts";
import type { ServedVault } from "../vaults.ts";
import { type BackupSource, backUpDatabases } from "./database-backup.ts";
import type { JobWork } from "./runner.ts";
import { rulesOf, type VaultSettingsStore } from "./vault-settings.ts";

const DAY_MS = 86_400_000;
/** Options that a kind takes. */
const TAKES: Readonly<Record<JobKind, readonly (keyof JobOptions)[]>> = {
  retention: [],
  gc: ["trashMs", "maxDeadShare", "smallPackBytes", "targetPackBytes"],
  scrub: ["sample", "bytesPerSecond"],
  check: ["readData"],
  rebuild: [],
  trash: ["olderThanMs"],
  "database-backup": [],
};

export type KindsOptions = {
  readonly kit: ServerKit;
  readonly settings: VaultSettingsStore;
  readonly quotas: Quotas;
  /** All that is stored is read once in so many days. */
  readonly scrubDays: number;
  /** Scrubs that nobody asked for read no faster; 0 is as fast as it goes. */
  readonly scrubBytesPerSecond: number;
};

/** Throws `request_invalid` for options that the kind does not know. */
export function requireOptions(kind: JobKind, options: JobOptions): void {
  const strange = Object.keys(options).find((name) => !TAKES[kind].includes(name as keyof JobOptions));
  if (strange === undefined) return;
  throw new AppError("request_invalid", { context: { detail: `a ${kind} job takes no ${strange}` } });
}

export function jobKinds(options: KindsOptions): Record<JobKind, JobWork> {
  const { kit, settings, quotas } = options;
  const inVault =
    (work: (about: Parameters<JobWork>[0], served: ServedVault) => Promise<object>): JobWork =>
    async (about) => ({ ...(await work(about, servedVault(kit, about.job.vault))) });
  return {
    retention: inVault(async ({ job, signal, onProgress }, served) => {
      const { context } = served.vault;
      const rules = rulesOf(settings.get(served.id).retention);
      const before = previewRetention(context, rules);
      const kept = before.filter(({ reasons }) => reasons.length > 0).length;
      if (job.dryRun) {
        return {
          removed: before.filter(({ reasons }) => reasons.length === 0).map(({ snapshot }) => snapshot.id),
          kept,
        };
      }
      const watch = ({ done, total }: { done: number; total: number }) =>
        onProgress({ done, total, unit: "snapshots" });
      const removed = await applyRetention(context, rules, { signal, onProgress: watch });
      return { removed, kept };
    }),

    gc: inVault(async ({ job, signal, onProgress }, served) => {
      const trashMs = settings.get(served.id).trashDays * DAY_MS;
      const wanted = { trashMs, ...defined(job.options) };
      if (job.dryRun) return served.admin.planGarbage(wanted);
      try {
        return await served.admin.collectGarbage({ ...wanted, signal, onProgress: bytes(onProgress) });
      } finally {
        quotas.forget(served.id);
      }
    }),

    scrub: inVault(async ({ job, signal, onProgress }, served) => {
      const wanted = scrubOptions(options, job);
      if (job.dryRun) return scrubPlan(served, wanted);
      return served.admin.scrub({ ...wanted, signal, onProgress: bytes(onProgress) });
    }),

    check: inVault(async ({ job, signal, onProgress }, served) =>
      served.admin.check({
        readData: !job.dryRun && job.options.readData === true,
        signal,
        onProgress: bytes(onProgress),
      }),
    ),

    rebuild: inVault(async ({ job, signal, onProgress }, served) => {
      // What is wrong with the index is what a rebuild would mend.
      if (job.dryRun) return served.admin.check({ signal, onProgress: bytes(onProgress) });
      const { clock, logger } = kit;
      const packs = await countPacks(served);
      const watch = ({ donePacks }: { donePacks: number }) =>
        onProgress({ done: donePacks, total: Math.max(packs, donePacks), unit: "packs" });
      quotas.forget(served.id);
      return kit.vaults.reopen(served, "its index is being made anew", (location) =>
        rebuildIndex(location, { clock, logger, signal, onProgress: watch }),
      );
    }),

    trash: inVault(async ({ job }, served) => {
      const olderThanMs = job.options.olderThanMs ?? 0;
      if (!job.dryRun) return { purgedSnapshots: await served.admin.purgeTrash(olderThanMs) };
      const due = kit.clock.now() - olderThanMs;
      const inTrash = visibleSnapshots(served.vault.context.database).filter(
        ({ state, trashedAt }) => state === "trash" && trashedAt! <= due,
      );
      return { purgedSnapshots: inTrash.map(({ id }) => id) };
    }),

    async "database-backup"({ job, signal, onProgress }) {
      const sources: BackupSource[] = [{ name: "server.db", database: kit.database, isIndex: false }];
      for (const served of kit.vaults.list()) {
        if (served.problem !== undefined) continue;
        sources.push({ name: `${served.id}.db`, database: served.vault.context.database, isIndex: true });
      }
      if (job.dryRun) {
        const sizes = sources.map(({ database }) => database.sizeBytes());
        return { files: sources.length, bytes: sizes.reduce((total, size) => total + size, 0) };
      }
      const watch = (done: number, total: number) => onProgress({ done, total: Math.max(done, total), unit: "bytes" });
      return backUpDatabases(join(kit.settings.data, "backups"), sources, kit.clock, { signal, onProgress: watch });
    },
  };
}

function servedVault(kit: ServerKit, id: VaultId | null): ServedVault {
  const served = id === null ? undefined : kit.vaults.byNameOrId(id);
  if (served === undefined) throw new AppError("not_found", { context: { what: `The vault ${id}` } });
  return served;
}

/** By itself a night's scrub reads what is due, so that all has been read after `scrubDays`; a person's reads what was asked for. */
function scrubOptions({ scrubDays, scrubBytesPerSecond }: KindsOptions, { options, startedBy }: Job) {
  const { sample, bytesPerSecond = scrubBytesPerSecond } = options;
  const share = sample ?? (startedBy === "schedule" ? 1 / scrubDays : 1);
  return {
    sample: share,
    ...(sample === undefined && startedBy === "schedule" ? { dueMs: scrubDays * DAY_MS } : {}),
    ...(bytesPerSecond === 0 ? {} : { bytesPerSecond }),
  };
}

function scrubPlan(served: ServedVault, wanted: { sample: number; dueMs?: number }): object {
  const packs = planScrub(served.vault.context, wanted);
  return { packs: packs.length, bytes: packs.reduce((total, { sizeBytes }) => total + sizeBytes, 0) };
}

async function countPacks(served: ServedVault): Promise<number> {
  let count = 0;
  const folder = join(served.folder, "packs");
  for (const name of await readdir(folder).catch(() => [])) count += (await readdir(join(folder, name))).length;
  return count;
}

function bytes(onProgress: (progress: NonNullable<Job["progress"]>) => void) {
  return ({ doneBytes, totalBytes }: { doneBytes: number; totalBytes: number }): void =>
    onProgress({ done: doneBytes, total: Math.max(doneBytes, totalBytes), unit: "bytes" });
}

/** Without the options that were not given. */
function defined(options: JobOptions): { [K in keyof JobOptions]?: Exclude<JobOptions[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
