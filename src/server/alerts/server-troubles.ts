// What is wrong with the server and its vaults, from facts: disk, certificate, jobs, vaults, damage. Functions of data.

import type { VaultId } from "../../core/ids.ts";
import type { Finding } from "./alert-store.ts";

const DAY_MS = 86_400_000;
const LEAST_FREE_SHARE = 0.05;
const CERTIFICATE_DAYS = { warning: 14, danger: 3 } as const;

export type ServerFacts = {
  readonly disk: { readonly totalBytes: number; readonly freeBytes: number; readonly reserveBytes: number };
  readonly certificateEndsAt: number | undefined;
  /** The last that has ended of each kind and vault, those that failed. */
  readonly failedJobs: readonly {
    readonly job: string;
    readonly kind: string;
    readonly vault: VaultId | null;
    readonly code: string;
  }[];
  readonly vaults: readonly VaultFacts[];
};

export type VaultFacts = {
  readonly vault: VaultId;
  /** Code of what keeps it from being used. */
  readonly problem: string | undefined;
  /** The disk refused the log of its index. */
  readonly isRefused: boolean;
  readonly damagedBlocks: number;
};

/** A vault that is being worked on alone is as it should be. */
const PASSING: ReadonlySet<string> = new Set(["vault_busy", "server_stopping"]);

export function serverTroubles(facts: ServerFacts, now: number): Finding[] {
  return [
    ...diskTrouble(facts),
    ...certificateTrouble(facts, now),
    ...facts.failedJobs.map(
      ({ job, kind: jobKind, vault, code }): Finding => ({
        kind: "job-failed",
        severity: "warning",
        action: "run-job",
        vault: vault ?? undefined,
        job,
        jobKind,
        values: { job: jobKind, code },
      }),
    ),
    ...facts.vaults.flatMap(vaultTroubles),
  ];
}

function diskTrouble({ disk: { totalBytes, freeBytes, reserveBytes } }: ServerFacts): Finding[] {
  if (freeBytes >= 2 * reserveBytes && freeBytes >= totalBytes * LEAST_FREE_SHARE) return [];
  const severity = freeBytes < reserveBytes ? "danger" : "warning";
  // Rounded, so that an alert does not change each minute.
  const freeMiB = Math.floor(freeBytes / 2 ** 20 / 100) * 100;
  return [{ kind: "disk-nearly-full", severity, action: "free-space", values: { freeMiB } }];
}

function certificateTrouble({ certificateEndsAt }: ServerFacts, now: number): Finding[] {
  if (certificateEndsAt === undefined) return [];
  const days = Math.floor((certificateEndsAt - now) / DAY_MS);
  if (days >= CERTIFICATE_DAYS.warning) return [];
  const severity = days < CERTIFICATE_DAYS.danger ? "danger" : "warning";
  const values = { endsAt: certificateEndsAt, days: Math.max(0, days) };
  return [{ kind: "certificate-ending", severity, action: "renew-certificate", values }];
}

function vaultTroubles({ vault, problem, isRefused, damagedBlocks }: VaultFacts): Finding[] {
  if (problem !== undefined && !PASSING.has(problem)) {
    const values = { code: problem };
    return [{ kind: "vault-unusable", severity: "danger", action: "see-log", vault, values }];
  }
  const refused: Finding = { kind: "index-refused", severity: "danger", action: "see-log", vault };
  const values = { blocks: damagedBlocks };
  const damage: Finding = { kind: "damage", severity: "danger", action: "back-up", vault, values };
  return [...(isRefused ? [refused] : []), ...(damagedBlocks > 0 ? [damage] : [])];
}
