// How each vault is: what it stores and protects, and when it was last proven that it can be read. What is slow to count is remembered for
// a while.

import type { VaultId } from "../../core/ids.ts";
import { damagedBlocks, logDevices } from "../../vault/server-queries.ts";
import type { VaultSample, VaultState } from "../../wire/v4/api/overview-routes.ts";
import type { JobStore } from "../jobs/job-store.ts";
import type { ServerKit } from "../kit.ts";
import type { RunFacts } from "../runs/run-facts.ts";
import type { OldestRead } from "../scrub-age.ts";
import type { ServedVault } from "../vaults.ts";
import { type ReportedSums, reportedSums } from "./history.ts";

const GOOD_FOR_MS = 60_000;

export type VaultStatesOptions = {
  readonly kit: ServerKit;
  readonly facts: RunFacts;
  readonly jobs: JobStore;
  readonly ages: OldestRead;
};

export class VaultStates {
  readonly #options: VaultStatesOptions;
  readonly #sums = new Map<VaultId, { readonly at: number; readonly sums: ReportedSums & { chunks: number } }>();

  constructor(options: VaultStatesOptions) {
    this.#options = options;
  }

  /** Throws the vault's problem. */
  async sample(served: ServedVault): Promise<VaultSample> {
    const { kit } = this.#options;
    const { bytes: storedBytes, snapshots } = await kit.usage(served);
    const protectedBytes = this.protectedBytes(served);
    return { at: kit.clock.now(), storedBytes, snapshots, protectedBytes, ...this.#slow(served) };
  }

  async state(served: ServedVault): Promise<VaultState> {
    const { kit, jobs, ages } = this.#options;
    const { id: vault, name } = served;
    const about = {
      vault,
      name,
      problem: served.problem?.code ?? null,
      lastScrubAt: jobs.lastDone("scrub", vault) ?? null,
      lastCheckAt: jobs.lastDone("check", vault) ?? null,
      lastVerifyAt: lastVerifyAt(kit, vault),
    };
    if (served.problem !== undefined) return { ...about, ...NOTHING };
    const { at: _, chunks: __, ...sizes } = await this.sample(served);
    return {
      ...about,
      ...sizes,
      devices: devicesIn(served).length,
      damagedBlocks: damagedBlocks(served.vault.context),
      oldestReadAt: (await ages.of(served)) ?? null,
    };
  }

  /** Files of the last good run of each device and plan. */
  protectedBytes(served: ServedVault): number {
    let sum = 0;
    for (const { device } of devicesIn(served)) {
      for (const { lastDone } of this.#options.facts.of(served.id, device)) sum += lastDone?.bytes.done ?? 0;
    }
    return sum;
  }

  #slow(served: ServedVault): ReportedSums & { chunks: number } {
    const { kit } = this.#options;
    const now = kit.clock.now();
    const known = this.#sums.get(served.id);
    if (known !== undefined && now - known.at < GOOD_FOR_MS) return known.sums;
    const { database } = served.vault.context;
    const chunks = Number(database.get("SELECT count(*) AS count FROM chunks")!.count);
    const sums = { ...reportedSums(kit.database, served), chunks };
    this.#sums.set(served.id, { at: now, sums });
    return sums;
  }
}

const NOTHING = {
  devices: 0,
  snapshots: 0,
  storedBytes: 0,
  protectedBytes: 0,
  allBytes: 0,
  newBytes: 0,
  addedBytes: 0,
  damagedBlocks: 0,
  oldestReadAt: null,
} as const;

function devicesIn(served: ServedVault) {
  return [...logDevices(served.vault.context).values()].filter(({ revoked }) => !revoked);
}

/** By somebody with the keys, whose run was reported. */
function lastVerifyAt({ database }: ServerKit, vault: VaultId): number | null {
  const sql = "SELECT max(endedAt) AS at FROM runs WHERE vault = ? AND kind = 'verify' AND state = 'done'";
  return database.get<{ at: number | null }>(sql, vault)?.at ?? null;
}
