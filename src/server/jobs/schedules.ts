// When jobs run by themselves. A job is due once a moment of its schedule has passed since it last ran: also a moment at which the
// server was off, or stopped in the middle. Nobody needs to set a schedule: the defaults look after everything each night.

import { Cron } from "croner";
import type { Clock } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import type { VaultId } from "../../core/ids.ts";
import type { Database } from "../../vault/database.ts";
import type { JobKind, Schedule, ShownSchedule } from "../../wire/v4/api/job-routes.ts";
import type { JobStore } from "./job-store.ts";

/** Minute, hour, day of month, month, day of week. Retention before collection, so that a night frees what it can. */
const DEFAULTS: Readonly<Partial<Record<JobKind, string>>> = {
  "database-backup": "30 1 * * *",
  retention: "15 2 * * *",
  gc: "45 2 * * *",
  scrub: "30 3 * * *",
  check: "30 5 * * 0",
};
/** Kinds that are not of one vault. */
const OF_SERVER: ReadonlySet<JobKind> = new Set<JobKind>(["database-backup"]);

export type SchedulerOptions = {
  readonly database: Database;
  readonly store: JobStore;
  readonly clock: Clock;
  /** IANA name: of schedules that name none. */
  readonly timeZone: string;
  /** The vaults that can be worked on, with the time at which each was made. */
  readonly vaults: () => readonly { readonly id: VaultId; readonly createdAt: number }[];
  readonly start: (kind: JobKind, vault: VaultId | null) => void;
};

type Due = { readonly kind: JobKind; readonly vault: VaultId | null; readonly at: number };

export class Scheduler {
  readonly #options: SchedulerOptions;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** Starts everything that is due; answers when the next will be. */
  tick(): number | undefined {
    const { clock, start } = this.#options;
    const now = clock.now();
    let next: number | undefined;
    for (const { kind, vault, at } of this.#dues()) {
      if (at <= now) start(kind, vault);
      else next = Math.min(next ?? at, at);
    }
    return next;
  }

  /** Those of the server first, then those that vaults have of their own. */
  list(): ShownSchedule[] {
    const rows = this.#rows();
    const set = new Set(rows.filter(({ vault }) => vault === null).map(({ kind }) => kind));
    const defaults = Object.entries(DEFAULTS)
      .filter(([kind]) => !set.has(kind as JobKind))
      .map(([kind]) => ({ ...this.#default(kind as JobKind)!, isDefault: true }));
    const dues = this.#dues();
    const own = new Set(rows.filter(({ vault }) => vault !== null).map(({ kind, vault }) => `${kind} ${vault}`));
    return [...defaults, ...rows.map((row) => ({ ...row, isDefault: false }))]
      .sort((a, b) => (a.vault ?? "").localeCompare(b.vault ?? "") || a.kind.localeCompare(b.kind))
      .map((schedule) => {
        const fitting = dues.filter(({ kind, vault }) =>
          kind !== schedule.kind
            ? false
            : schedule.vault !== null
              ? vault === schedule.vault
              : !own.has(`${kind} ${vault}`),
        );
        const nextAt = fitting.length === 0 ? null : Math.min(...fitting.map(({ at }) => at));
        return { ...schedule, nextAt: schedule.isEnabled ? nextAt : null };
      });
  }

  /** Throws `request_invalid`. */
  set(schedule: Schedule): ShownSchedule {
    const { kind, vault, cron, timeZone, isEnabled } = schedule;
    if (OF_SERVER.has(kind) && vault !== null) refuse(`${kind} is a job of the server, not of a vault.`);
    nextRun(schedule, this.#options.clock.now());
    this.#options.database.run(
      "INSERT OR REPLACE INTO schedules (kind, vault, cron, timeZone, isEnabled) VALUES (?, ?, ?, ?, ?)",
      kind,
      vault ?? "",
      cron,
      timeZone,
      isEnabled ? 1 : 0,
    );
    return this.list().find((shown) => shown.kind === kind && shown.vault === vault)!;
  }

  #dues(): Due[] {
    const rows = new Map(this.#rows().map((row) => [`${row.kind} ${row.vault ?? ""}`, row]));
    const scheduled = (kind: JobKind, vault: VaultId | null) =>
      rows.get(`${kind} ${vault ?? ""}`) ?? rows.get(`${kind} `) ?? this.#default(kind);
    const kinds = new Set([...Object.keys(DEFAULTS), ...[...rows.values()].map(({ kind }) => kind)]) as Set<JobKind>;
    const vaults = this.#options.vaults();
    return [...kinds].flatMap((kind) => {
      // Before its first run the server's own jobs are due at once.
      const targets = OF_SERVER.has(kind) ? [{ id: null, createdAt: 0 }] : vaults;
      return targets.flatMap(({ id, createdAt }) => {
        const schedule = scheduled(kind, id);
        if (schedule === undefined || !schedule.isEnabled) return [];
        const at = nextRun(schedule, this.#options.store.lastRun(kind, id) ?? createdAt);
        return at === undefined ? [] : [{ kind, vault: id, at }];
      });
    });
  }

  #default(kind: JobKind): Schedule | undefined {
    const cron = DEFAULTS[kind];
    return cron === undefined
      ? undefined
      : { kind, vault: null, cron, timeZone: this.#options.timeZone, isEnabled: true };
  }

  #rows(): Schedule[] {
    return this.#options.database
      .all<{ kind: JobKind; vault: string; cron: string; timeZone: string; isEnabled: number }>(
        "SELECT * FROM schedules",
      )
      .map((row) => ({
        ...row,
        vault: row.vault === "" ? null : (row.vault as VaultId),
        isEnabled: row.isEnabled !== 0,
      }));
  }
}

/** The first moment after `since`; undefined when there is none. Throws `request_invalid`. */
function nextRun({ cron, timeZone }: Pick<Schedule, "cron" | "timeZone">, since: number): number | undefined {
  try {
    const pattern = new Cron(cron, { timezone: timeZone, mode: "5-part", paused: true });
    return pattern.nextRun(new Date(since))?.getTime();
  } catch (cause) {
    throw new AppError("request_invalid", {
      cause,
      context: { detail: `"${cron}" in ${timeZone} is no schedule of five fields and a time zone.` },
    });
  }
}

function refuse(detail: string): never {
  throw new AppError("request_invalid", { context: { detail } });
}
