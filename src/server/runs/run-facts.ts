// What the last runs of each device and plan say: for alerts, for the states of devices, for sizes. Read once, and again after a run has ended.

import type { DeviceId, NameToken, SessionId, VaultId } from "../../core/ids.ts";
import type { Database } from "../../vault/database.ts";
import type { Run } from "../../wire/v4/api/run-routes.ts";
import type { Parts } from "../store-parts.ts";
import { readRun } from "./run-rows.ts";

/** Runs of a plan that are looked back at. */
const RECENT = 12;

export type PlanRuns = {
  readonly token: NameToken | null;
  /** Backups that have ended, newest first. */
  readonly recent: readonly Run[];
  readonly lastDone: Run | undefined;
};

export class RunFacts {
  readonly #database: Database;
  readonly #known = new Map<string, readonly PlanRuns[]>();

  constructor({ database }: Parts<"database">) {
    this.#database = database;
  }

  of(vault: VaultId, device: DeviceId): readonly PlanRuns[] {
    const key = `${vault}/${device}`;
    const known = this.#known.get(key) ?? this.#read(vault, device);
    this.#known.set(key, known);
    return known;
  }

  /** Of one device, or of all. */
  forget(vault?: VaultId, device?: DeviceId): void {
    if (vault === undefined) this.#known.clear();
    else this.#known.delete(`${vault}/${device}`);
  }

  #read(vault: VaultId, device: DeviceId): PlanRuns[] {
    const database = this.#database;
    const tokens = database.all<{ plan: NameToken | null }>(
      "SELECT DISTINCT plan FROM runs WHERE vault = ? AND device = ?",
      vault,
      device,
    );
    const runs = (where: string, limit: number, plan: NameToken | null): Run[] =>
      database
        .all<{ run: SessionId }>(
          `SELECT run FROM runs WHERE vault = ? AND device = ? AND plan IS ? AND kind = 'backup' AND endedAt IS NOT NULL ${where}
           ORDER BY startedAt DESC, no DESC LIMIT ?`,
          vault,
          device,
          plan,
          limit,
        )
        .flatMap(({ run }) => readRun(database, vault, run)?.run ?? []);
    return tokens.map(({ plan: token }) => {
      const recent = runs("", RECENT, token);
      const lastDone = recent.find(({ state }) => state === "done") ?? runs("AND state = 'done'", 1, token)[0];
      return { token, recent, lastDone };
    });
  }
}

/** When a backup of the device last ended well. */
export function lastSuccessAt(plans: readonly PlanRuns[]): number | null {
  const times = plans.flatMap(({ lastDone }) => lastDone?.endedAt ?? []);
  return times.length === 0 ? null : Math.max(...times);
}

/** The newest run that has ended. */
export function lastEnded(plans: readonly PlanRuns[]): Run | undefined {
  return plans
    .flatMap(({ recent }) => recent.slice(0, 1))
    .sort((a, b) => b.startedAt - a.startedAt)
    .at(0);
}
