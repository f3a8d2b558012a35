// How the runs of each device went, day by day, for a map of coloured squares. Days begin where the reader's do.

import { AppError } from "../../core/errors.ts";
import type { DeviceId, VaultId } from "../../core/ids.ts";
import type { Database } from "../../vault/database.ts";
import type { RunDay, RunState } from "../../wire/v4/api/run-routes.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The last `count` days with today, oldest first. Throws `request_invalid` for a time zone that is none. */
export function runDays(
  database: Database,
  vaults: readonly VaultId[],
  asked: { readonly count: number; readonly timeZone: string; readonly now: number },
): { days: string[]; items: RunDay[] } {
  const starts = dayStarts(asked);
  const days = starts.map(({ day }) => day);
  if (vaults.length === 0) return { days, items: [] };
  const found = new Map<string, RunDay>();
  for (const row of rowsSince(database, vaults, starts[0]!.at)) {
    const day = days[dayIndex(starts, row.startedAt)];
    if (day === undefined) continue;
    const key = `${row.vault} ${row.device} ${day}`;
    const { vault, device } = row;
    const counted = found.get(key) ?? {
      vault,
      device,
      day,
      done: 0,
      failed: 0,
      cancelled: 0,
      running: 0,
      withProblems: 0,
      addedBytes: 0,
    };
    found.set(key, count(counted, row));
  }
  return { days, items: [...found.values()] };
}

type RunRow = {
  vault: VaultId;
  device: DeviceId;
  startedAt: number;
  state: RunState;
  problems: number;
  addedBytes: number;
};

function rowsSince(database: Database, vaults: readonly VaultId[], from: number): RunRow[] {
  const places = vaults.map(() => "?").join(", ");
  return database.all<RunRow>(
    `SELECT vault, device, startedAt, state, problems, addedBytes FROM runs
     WHERE startedAt >= ? AND vault IN (${places}) AND kind = 'backup' ORDER BY startedAt`,
    from,
    ...vaults,
  );
}

function count(day: RunDay, { state, problems, addedBytes }: RunRow): RunDay {
  const sum = { ...day, addedBytes: day.addedBytes + addedBytes };
  switch (state) {
    case "done":
      return { ...sum, done: day.done + 1, withProblems: day.withProblems + (problems > 0 ? 1 : 0) };
    case "running":
    case "paused":
      return { ...sum, running: day.running + 1 };
    case "cancelled":
      return { ...sum, cancelled: day.cancelled + 1 };
    default:
      return { ...sum, failed: day.failed + 1 };
  }
}

type DayStart = { readonly day: string; readonly at: number };

/** A day is 23 to 25 hours long, so midnight is looked for from noon. */
function dayStarts({ count, timeZone, now }: { count: number; timeZone: string; now: number }): DayStart[] {
  const dayOf = dayNamer(timeZone);
  const starts: DayStart[] = [];
  let noon = now;
  for (let left = count; left > 0; left--) {
    const day = dayOf(noon);
    const at = firstOf(day, noon, dayOf);
    starts.unshift({ day, at });
    noon = at - DAY_MS / 2;
  }
  return starts;
}

/** The first moment of the day in which `within` lies, to the minute. */
function firstOf(day: string, within: number, dayOf: (at: number) => string): number {
  let [before, inside] = [within - 25 * HOUR_MS, within];
  while (inside - before > 60_000) {
    const middle = Math.floor((before + inside) / 2);
    if (dayOf(middle) === day) inside = middle;
    else before = middle;
  }
  return Math.floor(inside / 60_000) * 60_000;
}

function dayNamer(timeZone: string): (at: number) => string {
  try {
    // This locale writes dates as ISO 8601 does.
    const format = new Intl.DateTimeFormat("sv-SE", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" });
    return (at) => format.format(at);
  } catch (cause) {
    throw new AppError("request_invalid", { cause, context: { detail: `${timeZone} is no time zone.` } });
  }
}

/** Of the last start that is not later; -1 before all. */
function dayIndex(starts: readonly DayStart[], at: number): number {
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle]!.at <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
