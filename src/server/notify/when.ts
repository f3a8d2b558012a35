// When a notice goes out: at once, with a digest, or when quiet hours end. Danger never waits.

import { Cron } from "croner";
import type { Severity } from "../../wire/v4/api/overview-routes.ts";

export type Patience = {
  readonly digest: "none" | "hourly" | "daily";
  readonly digestHour: number;
  readonly quiet: { readonly from: string; readonly to: string } | null;
  readonly timeZone: string;
};

export function dueAt(now: number, severity: Severity, patience: Patience): number {
  if (severity === "danger") return now;
  const { digest, digestHour, quiet, timeZone } = patience;
  const collected =
    digest === "none" ? now : next(now, digest === "hourly" ? "0 * * * *" : `0 ${digestHour} * * *`, timeZone);
  if (quiet === null || !isQuiet(collected, quiet, timeZone)) return collected;
  const [hour, minute] = quiet.to.split(":").map(Number);
  return next(collected, `${minute} ${hour} * * *`, timeZone);
}

/** Throws a RangeError for a time zone that is none. */
export function requireTimeZone(timeZone: string): void {
  new Intl.DateTimeFormat("en", { timeZone });
}

function next(after: number, pattern: string, timeZone: string): number {
  return new Cron(pattern, { timezone: timeZone }).nextRun(new Date(after))?.getTime() ?? after;
}

/** From the first minute to before the last one; over midnight when `to` is the earlier one. */
function isQuiet(at: number, { from, to }: NonNullable<Patience["quiet"]>, timeZone: string): boolean {
  const parts = new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const local = parts.format(at);
  return from <= to ? local >= from && local < to : local >= from || local < to;
}
