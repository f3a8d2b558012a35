// The values of options, read from text. What does not fit is a usage error that says what would.

import { AppError } from "../core/errors.ts";

const SIZE_UNITS: Readonly<Record<string, number>> = { b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };
const DAY_MS = 86_400_000;
const DURATION_UNITS: Readonly<Record<string, number>> = {
  h: DAY_MS / 24,
  d: DAY_MS,
  w: 7 * DAY_MS,
  m: 30 * DAY_MS,
  y: 365 * DAY_MS,
};

/** `500`, `10k`, `1.5GiB`: bytes, in binary units. */
export function parseSize(text: string): number {
  const found = /^(\d+(?:\.\d+)?)\s*(?:([bkmgt])(?:i?b)?)?$/i.exec(text.trim());
  if (!found) throw usage(`${JSON.stringify(text)} is not a size: give bytes, or a number with K, M, G or T.`);
  return Math.round(Number(found[1]) * SIZE_UNITS[(found[2] ?? "b").toLowerCase()]!);
}

/** `12h`, `30d`, `2w`, `6m`, `1y`, or several: `1y6m`. A month is 30 days, a year 365. */
export function parseDuration(text: string): number {
  const parts = [...text.trim().matchAll(/(\d+)\s*([hdwmy])/gi)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join("") !== text.trim()) {
    throw usage(`${JSON.stringify(text)} is not a duration: give a number with h, d, w, m or y, such as 30d.`);
  }
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * DURATION_UNITS[unit!.toLowerCase()]!, 0);
}

/** `5%` or `0.05`: a share above 0, at most 1. */
export function parseShare(text: string): number {
  const found = /^(\d+(?:\.\d+)?)(%?)$/.exec(text.trim());
  const share = found ? Number(found[1]) / (found[2] ? 100 : 1) : 0;
  if (!(share > 0 && share <= 1)) throw usage(`${JSON.stringify(text)} is not a share: give something like 5%.`);
  return share;
}

export function parseCount(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw usage(`${JSON.stringify(text)} is not a whole number.`);
}

/** A date (`2027-01-31`, with a time if wanted) or a duration from now. */
export function parseDate(text: string, now: number): number {
  if (/^[\dhdwmy]+$/i.test(text) && /[hdwmy]$/i.test(text)) return now + parseDuration(text);
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text.length === 10 ? `${text}T00:00` : text) : Number.NaN;
  if (Number.isNaN(time)) throw usage(`${JSON.stringify(text)} is not a date: give 2027-01-31, or 90d from now.`);
  return time;
}

/** For options that may be given several times. */
export function collect(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), value];
}

export function usage(detail: string): AppError {
  return new AppError("usage", { context: { detail } });
}
