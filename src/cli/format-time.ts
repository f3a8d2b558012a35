// Times and durations for people: where on the calendar, and how long ago. JSON gets ISO 8601 in UTC.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const AGES: readonly { readonly unit: string; readonly ms: number }[] = [
  { unit: "year", ms: 365.25 * DAY },
  { unit: "month", ms: 30.4375 * DAY },
  { unit: "week", ms: 7 * DAY },
  { unit: "day", ms: DAY },
  { unit: "hour", ms: HOUR },
  { unit: "minute", ms: MINUTE },
];

/** `2026-11-22 21:49:05` in the machine's time zone. */
export function formatTime(time: number): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return "unknown";
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** `just now`, `3 hours ago`, `in 2 days`. */
export function formatAge(time: number, now: number): string {
  const distance = Math.abs(now - time);
  const found = AGES.find(({ ms }) => distance >= ms);
  if (found === undefined) return time > now + SECOND ? "in a moment" : "just now";
  const count = Math.floor(distance / found.ms);
  const words = `${count} ${found.unit}${count === 1 ? "" : "s"}`;
  return time > now ? `in ${words}` : `${words} ago`;
}

/** `2026-11-22 21:49:05 (3 hours ago)` */
export function formatTimeAndAge(time: number, now: number): string {
  return `${formatTime(time)} (${formatAge(time, now)})`;
}

/** `0.4 s`, `12 s`, `3:07`, `2:03:07`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 10 * SECOND) return `${(durationMs / SECOND).toFixed(1)} s`;
  const seconds = Math.round(durationMs / SECOND);
  if (seconds < 60) return `${seconds} s`;
  const two = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** ISO 8601 in UTC; undefined stays undefined. */
export function isoTime(time: number): string {
  return new Date(time).toISOString();
}
