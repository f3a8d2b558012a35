// Numbers, sizes and times as the reader's own locale writes them.

import { formatter } from "./intl.ts";

export type Locale = string | undefined;

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte"] as const;
const STEP = 1000;

/** `1.3 GB`: powers of 1000, as disks are sold. */
export function formatBytes(bytes: number, locale?: Locale): string {
  const power = bytes < STEP ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log(bytes) / Math.log(STEP)));
  const value = bytes / STEP ** power;
  const digits = power === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  const unit = UNITS[power]!;
  const unitDisplay = power === 0 ? "long" : "short";
  return formatter(Intl.NumberFormat, locale, {
    style: "unit",
    unit,
    unitDisplay,
    maximumFractionDigits: digits,
  }).format(value);
}

export function formatSpeed(bytesPerSecond: number, locale?: Locale): string {
  return `${formatBytes(bytesPerSecond, locale)}/s`;
}

export function formatCount(count: number, locale?: Locale): string {
  return formatter(Intl.NumberFormat, locale, {}).format(count);
}

/** `share` is between 0 and 1. */
export function formatShare(share: number, locale?: Locale): string {
  const digits = share > 0 && share < 0.1 ? 1 : 0;
  return formatter(Intl.NumberFormat, locale, { style: "percent", maximumFractionDigits: digits }).format(share);
}

/** `1 device`, `12 devices`: `{n}` in the words is the number. */
export function plural(count: number, one: string, many: string, locale?: Locale): string {
  const rule = formatter(Intl.PluralRules, locale ?? "en", {}).select(count);
  return (rule === "one" ? one : many).replace("{n}", formatCount(count, locale));
}

const SPANS = [
  ["year", 31_557_600_000],
  ["month", 2_629_800_000],
  ["week", 604_800_000],
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
] as const;

/** `3 hours ago`, `in 2 days`. */
export function formatAge(at: number, now: number, locale?: Locale): string {
  const ms = at - now;
  const [unit, size] = SPANS.find(([, length]) => Math.abs(ms) >= length) ?? SPANS.at(-1)!;
  const format = formatter(Intl.RelativeTimeFormat, locale, { numeric: "auto" });
  return format.format(Math.trunc(ms / size), unit);
}

/** `2 min 5 s`: its two largest parts. */
export function formatDuration(ms: number, locale?: Locale): string {
  if (ms < 1000) return part(Math.round(ms), "millisecond", locale);
  const found: string[] = [];
  let rest = Math.round(ms / 1000) * 1000;
  for (const [unit, size] of SPANS.slice(3)) {
    const count = Math.floor(rest / size);
    if (count > 0) found.push(part(count, unit, locale));
    else if (found.length > 0) break;
    rest -= count * size;
    if (found.length === 2) break;
  }
  return found.join(" ");
}

export function formatTime(at: number, locale?: Locale): string {
  return formatter(Intl.DateTimeFormat, locale, { dateStyle: "medium", timeStyle: "short" }).format(at);
}

export function formatExactTime(at: number, locale?: Locale): string {
  return formatter(Intl.DateTimeFormat, locale, { dateStyle: "full", timeStyle: "long" }).format(at);
}

export function formatDay(at: number, locale?: Locale): string {
  return formatter(Intl.DateTimeFormat, locale, { dateStyle: "medium" }).format(at);
}

/** `14:05:09`. */
export function formatClock(at: number, locale?: Locale): string {
  return formatter(Intl.DateTimeFormat, locale, { timeStyle: "medium" }).format(at);
}

function part(count: number, unit: string, locale: Locale): string {
  return formatter(Intl.NumberFormat, locale, { style: "unit", unit, unitDisplay: "short" }).format(count);
}
