// Looks for what is wrong, every minute and whenever something has ended, and tells what it found and what is over.

import { setImmediate as nextTurn } from "node:timers/promises";
import type { DeviceId, VaultId } from "../../core/ids.ts";
import { damagedBlocks, logDevices } from "../../vault/server-queries.ts";
import type { AlertKind } from "../../wire/v4/api/overview-routes.ts";
import type { Run } from "../../wire/v4/api/run-routes.ts";
import { deviceNotes } from "../device-api/device-notes.ts";
import type { JobStore } from "../jobs/job-store.ts";
import type { ServerKit } from "../kit.ts";
import type { DeviceStreams } from "../plans/device-streams.ts";
import { vaultPlans } from "../plans/plan-store.ts";
import type { RunFacts } from "../runs/run-facts.ts";
import type { Runs } from "../runs/runs.ts";
import type { ServedVault } from "../vaults.ts";
import { type AlertChange, type Finding, openAlerts, reconcile } from "./alert-store.ts";
import { type DeviceFacts, deviceTroubles } from "./find-troubles.ts";
import { type ServerFacts, serverTroubles } from "./server-troubles.ts";

/** What a server that was off cannot know before devices have had time to call. */
const NEEDS_TIME: ReadonlySet<AlertKind> = new Set(["device-silent", "plan-overdue", "never-backed-up"]);
const SETTLE_MS = 15 * 60_000;
/** Looked at in one go, which takes about a millisecond: calls are not kept waiting for hundreds of devices. */
const DEVICES_AT_ONCE = 64;

export type LookoutOptions = {
  readonly kit: ServerKit;
  readonly runs: Runs;
  readonly facts: RunFacts;
  readonly streams: DeviceStreams;
  readonly jobs: JobStore;
  readonly disk: () => Promise<{ totalBytes: number; freeBytes: number }>;
};

export class Lookout {
  readonly #options: LookoutOptions;
  readonly #startedMs: number;
  #looking: Promise<void> | undefined;
  #isAskedAgain = false;

  constructor(options: LookoutOptions) {
    this.#options = options;
    this.#startedMs = options.kit.clock.monotonic();
  }

  /** Resolves when all was looked at. What is asked meanwhile is looked at once more. */
  look(): Promise<void> {
    if (this.#looking !== undefined) this.#isAskedAgain = true;
    this.#looking ??= this.#lookUntilQuiet().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** Resolves when nothing is being looked at. */
  async idle(): Promise<void> {
    await this.#looking?.catch(() => undefined);
  }

  async #lookUntilQuiet(): Promise<void> {
    do {
      this.#isAskedAgain = false;
      await this.#lookOnce();
    } while (this.#isAskedAgain);
  }

  async #lookOnce(): Promise<void> {
    const { kit } = this.#options;
    const disk = { ...(await this.#options.disk()), reserveBytes: kit.settings.reserveBytes };
    if (kit.stopping.aborted) return;
    const now = kit.clock.now();
    const findings = [...serverTroubles(this.#serverFacts(disk), now)];
    let looked = 0;
    for (const facts of this.#deviceFacts()) {
      findings.push(...deviceTroubles(facts, now));
      if (++looked % DEVICES_AT_ONCE === 0) await nextTurn();
    }
    if (kit.stopping.aborted) return;
    const isSettled = kit.clock.monotonic() - this.#startedMs >= SETTLE_MS;
    const mayRaise = ({ kind }: Finding): boolean => isSettled || !NEEDS_TIME.has(kind);
    for (const change of reconcile(kit.database, findings, now, mayRaise)) this.#tell(change);
  }

  /** Of all devices that are not revoked, in vaults that can be used. */
  *#deviceFacts(): Generator<DeviceFacts> {
    for (const served of this.#options.kit.vaults.list())
      if (served.problem === undefined) yield* this.#factsIn(served);
  }

  *#factsIn(served: ServedVault): Generator<DeviceFacts> {
    const { kit, facts } = this.#options;
    const vault = served.id;
    const notes = deviceNotes(kit.database, vault);
    const plans = Map.groupBy(vaultPlans(kit.database, vault), ({ device }) => device);
    const open = Map.groupBy(
      openAlerts(kit.database).filter((alert) => alert.vault === vault),
      ({ device }) => device,
    );
    const going = Map.groupBy(
      this.#options.runs.running().filter((run) => run.vault === vault),
      ({ device }) => device,
    );
    for (const { device, revoked, addedAt: enrolledAt } of [...logDevices(served.vault.context).values()]) {
      if (revoked) continue;
      const runs = facts.of(vault, device);
      const heard = [
        enrolledAt,
        notes.get(device)?.lastSeenAt ?? 0,
        this.#heardAt(vault, device, runs, going.get(device)),
      ];
      const heardAt = Math.max(...heard);
      yield { vault, device, enrolledAt, heardAt, plans: plans.get(device) ?? [], runs, open: open.get(device) ?? [] };
    }
  }

  #heardAt(vault: VaultId, device: DeviceId, plans: DeviceFacts["runs"], going: readonly Run[] = []): number {
    const { kit, streams } = this.#options;
    if (streams.isConnected(vault, device)) return kit.clock.now();
    const ended = plans.flatMap(({ recent, lastDone }) => [...recent.slice(0, 1), ...(lastDone ? [lastDone] : [])]);
    return Math.max(0, ...going.map(({ heardAt }) => heardAt), ...ended.map((run) => run.endedAt ?? run.heardAt));
  }

  #serverFacts(disk: ServerFacts["disk"]): ServerFacts {
    const { kit, jobs } = this.#options;
    return {
      disk,
      certificateEndsAt: kit.identity().expiresAt,
      failedJobs: jobs.failedLast(),
      vaults: kit.vaults.list().map((served) => ({
        vault: served.id,
        problem: served.problem?.code,
        isRefused: served.refusal !== undefined,
        damagedBlocks: served.problem === undefined ? damagedBlocks(served.vault.context) : 0,
      })),
    };
  }

  #tell({ what, alert }: AlertChange): void {
    const type = what === "raised" ? "alert-raised" : "alert-cleared";
    this.#options.kit.emit({ type, vault: alert.vault ?? undefined, alert });
  }
}
