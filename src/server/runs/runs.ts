// The runs of all devices: what they report and what the server sees of them, kept and told. Runs that go on live in memory; their rows are
// written when their state changes, and now and then between, so that a thousand reports cost a few writes.

import { fromHex, toHex } from "../../core/bytes.ts";
import { AppError } from "../../core/errors.ts";
import type { DeviceId, SessionId, SnapshotId, VaultId } from "../../core/ids.ts";
import type { Run, RunReport, Wanted } from "../../wire/v4/api/run-routes.ts";
import type { ServerEvent, ServerKit } from "../kit.ts";
import type { ServedVault } from "../vaults.ts";
import { closed, committed, ended, newRun, opened, received, reported, SILENCE_MS, silenced } from "./run-change.ts";
import { readRun, type StoredRun, saveDetails, saveRun, unfinishedRuns } from "./run-rows.ts";

/** Between two writes of a run that goes on. */
const WRITE_MS = 10_000;
/** Between two events about a run that only grows. */
const TELL_MS = 1000;
const OPEN_PER_DEVICE = 64;
/** A refusal that repeats within this is the same one. */
const SAME_REFUSAL_MS = 3_600_000;

type Live = StoredRun & { writtenAt: number; toldAt: number };

export class Runs {
  readonly #kit: ServerKit;
  readonly #live = new Map<string, Live>();
  /** Hears of each run that has ended, again when its device adds something. */
  onEnded: ((run: Run) => void) | undefined;

  constructor(kit: ServerKit) {
    this.#kit = kit;
    for (const stored of unfinishedRuns(kit.database)) this.#keep(stored);
  }

  /** Runs that go on. */
  running(): Run[] {
    return [...this.#live.values()].map(({ run }) => run).sort((a, b) => a.startedAt - b.startedAt);
  }

  /** Rows may be a few seconds old. */
  asNow(runs: readonly Run[]): Run[] {
    return runs.map((run) => this.#live.get(keyOf(run.vault, run.run))?.run ?? run);
  }

  get(vault: VaultId, run: SessionId): Run | undefined {
    return this.#find(vault, run)?.run;
  }

  /** Throws `session_unknown` for the run of another device, `too_many_requests`. */
  report(served: ServedVault, device: DeviceId, id: SessionId, report: RunReport): Wanted {
    const now = this.#kit.clock.now();
    const known = this.#find(served.id, id);
    if (known !== undefined && known.run.device !== device) throw new AppError("session_unknown");
    const before = known ?? this.#begin(served.id, device, id, now);
    const seen = before.run.snapshot === null && report.state === "done" ? snapshotOf(served, id) : undefined;
    const whole = seen === undefined ? before : committed(before, seen, now);
    const after = reported(whole, report, now);
    if (after === whole && known !== undefined) return before.run.wanted;
    const details = after === whole ? null : report.details;
    this.#change(known, after, { details });
    return after.run.wanted;
  }

  /** Throws `not_found`. */
  want(vault: VaultId, id: SessionId, wanted: Wanted): Run {
    const known = this.#find(vault, id);
    if (known === undefined) throw new AppError("not_found", { context: { what: `The run ${id}` } });
    if (known.run.endedAt !== null) return known.run;
    const after = { ...known, run: { ...known.run, wanted } };
    this.#change(known, after);
    return after.run;
  }

  onEvent(event: ServerEvent): void {
    switch (event.type) {
      case "session-open": {
        const { vault, device, session, plan, isGateway = false } = event;
        this.#see(vault, device, session, (stored, now) => opened(stored, plan, isGateway, now));
        return;
      }
      case "session-refused": {
        this.#refused(event);
        return;
      }
      case "pack": {
        const { vault, device, session, sizeBytes } = event;
        this.#see(vault, device, session, (stored, now) => received(stored, sizeBytes, now));
        return;
      }
      case "commit": {
        const { vault, device, session, snapshot } = event;
        this.#see(vault, device, session, (stored, now) => committed(stored, snapshot, now));
        return;
      }
      case "session-close":
        this.#see(event.vault, event.device, event.session, closed);
    }
  }

  /** Ends runs of which nothing was heard for long, and whose leases are over. */
  sweep(): void {
    const now = this.#kit.clock.now();
    for (const live of [...this.#live.values()]) {
      if (now - live.run.heardAt < SILENCE_MS) continue;
      if (!live.run.isReported && hasLease(this.#kit, live.run, now)) continue;
      this.#change(live, silenced(live, now));
    }
  }

  /** Writes what is only in memory. */
  flush(): void {
    this.#kit.database.softTransaction(() => {
      for (const live of this.#live.values()) this.#write(live);
    });
  }

  #find(vault: VaultId, run: SessionId): StoredRun | undefined {
    return this.#live.get(keyOf(vault, run)) ?? readRun(this.#kit.database, vault, run);
  }

  #begin(vault: VaultId, device: DeviceId, id: SessionId, now: number): StoredRun {
    let open = 0;
    for (const { run } of this.#live.values()) if (run.vault === vault && run.device === device) open++;
    if (open >= OPEN_PER_DEVICE) {
      throw new AppError("too_many_requests", { context: { retryAfter: SILENCE_MS / 1000 } });
    }
    return newRun(vault, device, id, now);
  }

  #see(vault: VaultId, device: DeviceId, id: SessionId, change: (stored: StoredRun, now: number) => StoredRun): void {
    const now = this.#kit.clock.now();
    const known = this.#find(vault, id);
    if (known !== undefined && known.run.device !== device) return;
    this.#change(known, change(known ?? newRun(vault, device, id, now), now));
  }

  #refused({ vault, device, session, plan, code }: ServerEvent & { readonly type: "session-refused" }): void {
    const now = this.#kit.clock.now();
    const known = this.#find(vault, session);
    if (known === undefined && this.#wasRefused(vault, device, plan, code, now)) return;
    const before = known ?? newRun(vault, device, session, now);
    this.#change(known, ended({ ...before, run: { ...before.run, plan } }, "refused", code, now));
  }

  /** A device that tries again and again is one refusal. */
  #wasRefused(vault: VaultId, device: DeviceId, plan: string, code: string, now: number): boolean {
    const last = this.#kit.database.get<{ state: string; error: string | null; startedAt: number }>(
      "SELECT state, error, startedAt FROM runs WHERE vault = ? AND device = ? AND plan = ? ORDER BY startedAt DESC LIMIT 1",
      vault,
      device,
      plan,
    );
    return last?.state === "refused" && last.error === code && now - last.startedAt < SAME_REFUSAL_MS;
  }

  #change(
    before: StoredRun | undefined,
    after: StoredRun,
    { details = null }: { details?: Uint8Array | null } = {},
  ): void {
    const { database, clock } = this.#kit;
    const now = clock.now();
    const { run } = after;
    const live = this.#keep(after);
    const isTurn =
      before === undefined ||
      before.run.state !== run.state ||
      before.run.wanted !== run.wanted ||
      before.run.snapshot !== run.snapshot ||
      before.run.endedAt !== run.endedAt;
    if (isTurn || details !== null || run.endedAt !== null || now - live.writtenAt >= WRITE_MS) {
      database.softTransaction(() => {
        this.#write(live);
        if (details !== null) saveDetails(database, run.vault, run.run, details);
      });
    }
    if (isTurn || run.endedAt !== null || now - live.toldAt >= TELL_MS) {
      live.toldAt = now;
      this.#kit.emit({ type: "run", vault: run.vault, run });
    }
    if (run.endedAt !== null) this.onEnded?.(run);
  }

  #keep({ run, n }: StoredRun): Live {
    const key = keyOf(run.vault, run.run);
    const known = this.#live.get(key);
    const live = { run, n, writtenAt: known?.writtenAt ?? 0, toldAt: known?.toldAt ?? 0 };
    if (run.endedAt === null) this.#live.set(key, live);
    else this.#live.delete(key);
    return live;
  }

  #write(live: Live): void {
    live.writtenAt = this.#kit.clock.now();
    saveRun(this.#kit.database, live);
  }
}

function keyOf(vault: VaultId, run: SessionId): string {
  return `${vault}/${run}`;
}

/** What a session ended in, as the vault has it. */
function snapshotOf({ vault }: ServedVault, session: SessionId): SnapshotId | undefined {
  const sql = "SELECT snapshotId FROM snapshots WHERE sessionId = ?";
  const row = vault.context.database.get<{ snapshotId: Uint8Array }>(sql, fromHex(session));
  return row && (toHex(row.snapshotId) as SnapshotId);
}

function hasLease({ vaults }: ServerKit, { vault, run }: Run, now: number): boolean {
  const served = vaults.byNameOrId(vault);
  if (served === undefined || served.problem !== undefined) return false;
  const sql = `SELECT 1 FROM sessions s JOIN leases l ON l.session = s.session WHERE s.sessionId = ? AND l.expiresAt > ?`;
  return served.vault.context.database.get(sql, fromHex(run), now) !== undefined;
}
