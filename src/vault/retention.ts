// Which snapshots a retention policy keeps: a pure function, so that a dry run, a preview and the deed cannot differ.
// Snapshots are counted by the time the vault received them, never by a device's clock, and apart for each device and plan.
// Of each hour, day, ISO week (ISO 8601), month and year the newest snapshot is kept, for as many of them as asked.

import type { DeviceId, NameToken, SnapshotId } from "../core/ids.ts";

export type RetentionPolicy = {
  /** How many of the newest to keep; 0 or nothing: this rule keeps none. */
  readonly last?: number;
  readonly hourly?: number;
  readonly daily?: number;
  readonly weekly?: number;
  readonly monthly?: number;
  readonly yearly?: number;
  /** Keep what was received in the last so many milliseconds. */
  readonly withinMs?: number;
  /** Keep what carries any of these tags. */
  readonly tags?: readonly NameToken[];
};

export type RetentionCandidate = {
  readonly id: SnapshotId;
  readonly device: DeviceId;
  readonly plan: NameToken;
  readonly tags: readonly NameToken[];
  readonly receivedAt: number;
  readonly seq: number;
  readonly pinnedUntil: number | undefined;
};

export type RetentionReason =
  | "pinned"
  | "last"
  | "hourly"
  | "daily"
  | "weekly"
  | "monthly"
  | "yearly"
  | "within"
  | "tag";

export type RetentionVerdict<S> = {
  readonly snapshot: S;
  /** Why it is kept; empty: it is to be removed. */
  readonly reasons: readonly RetentionReason[];
};

type CalendarRule = "hourly" | "daily" | "weekly" | "monthly" | "yearly";

/**
 * A verdict for every snapshot, newest first. A policy that names no rule at all keeps everything of nothing: the caller
 * asks for at least one (`isEmptyPolicy`). Days begin at midnight in `timeZone` (IANA name, default UTC).
 */
export function planRetention<S extends RetentionCandidate>(
  snapshots: readonly S[],
  policy: RetentionPolicy,
  now: number,
  timeZone = "UTC",
): RetentionVerdict<S>[] {
  const calendar = calendarOf(timeZone);
  const newestFirst = [...snapshots].sort((a, b) => b.receivedAt - a.receivedAt || b.seq - a.seq);
  const counters = new Map<string, Counters>();
  return newestFirst.map((snapshot) => {
    const group = `${snapshot.device}/${snapshot.plan}`;
    const seen = counters.get(group) ?? newCounters();
    counters.set(group, seen);
    return { snapshot, reasons: reasonsFor(snapshot, policy, now, seen, calendar(snapshot.receivedAt)) };
  });
}

/** True when no rule of it could ever keep anything: such a policy would remove all. */
export function isEmptyPolicy(policy: RetentionPolicy): boolean {
  const { tags, ...numbers } = policy;
  return (tags?.length ?? 0) === 0 && Object.values(numbers).every((value) => value <= 0);
}

export function isPinned(pinnedUntil: number | undefined, now: number): boolean {
  return pinnedUntil !== undefined && (pinnedUntil === 0 || now < pinnedUntil);
}

/** The name of the hour, day, week, month and year of a time. */
type Periods = Readonly<Record<CalendarRule, string>>;

type Counters = { last: number } & Record<CalendarRule, { count: number; period: string | undefined }>;

function newCounters(): Counters {
  const none = () => ({ count: 0, period: undefined });
  return { last: 0, hourly: none(), daily: none(), weekly: none(), monthly: none(), yearly: none() };
}

function reasonsFor(
  snapshot: RetentionCandidate,
  policy: RetentionPolicy,
  now: number,
  seen: Counters,
  periods: Periods,
): RetentionReason[] {
  const reasons: RetentionReason[] = [];
  if (isPinned(snapshot.pinnedUntil, now)) reasons.push("pinned");
  if (seen.last++ < (policy.last ?? 0)) reasons.push("last");
  for (const rule of ["hourly", "daily", "weekly", "monthly", "yearly"] as const) {
    const counter = seen[rule];
    if (counter.period === periods[rule]) continue;
    counter.period = periods[rule];
    if (counter.count++ < (policy[rule] ?? 0)) reasons.push(rule);
  }
  if (policy.withinMs !== undefined && policy.withinMs > 0 && snapshot.receivedAt >= now - policy.withinMs) {
    reasons.push("within");
  }
  if (policy.tags?.some((tag) => snapshot.tags.includes(tag))) reasons.push("tag");
  return reasons;
}

function calendarOf(timeZone: string): (time: number) => Periods {
  const format = new Intl.DateTimeFormat("en-u-ca-iso8601-nu-latn", {
    timeZone,
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    hourCycle: "h23",
    timeZoneName: "longOffset",
  });
  return (time) => {
    const parts = Object.fromEntries(format.formatToParts(time).map(({ type, value }) => [type, value]));
    const { year, month, day, hour, timeZoneName } = parts as Record<string, string>;
    return {
      // The offset keeps the two hours apart that bear one name when clocks go back.
      hourly: `${year}-${month}-${day} ${hour} ${timeZoneName}`,
      daily: `${year}-${month}-${day}`,
      weekly: isoWeek(Number(year), Number(month), Number(day)),
      monthly: `${year}-${month}`,
      yearly: `${year}`,
    };
  };
}

/** ISO 8601: weeks begin on Monday, and a week belongs to the year that holds its Thursday. */
function isoWeek(year: number, month: number, day: number): string {
  const thursday = new Date(Date.UTC(year, month - 1, day));
  thursday.setUTCDate(thursday.getUTCDate() + 4 - (thursday.getUTCDay() || 7));
  const isoYear = thursday.getUTCFullYear();
  const days = (thursday.getTime() - Date.UTC(isoYear, 0, 1)) / 86_400_000;
  return `${isoYear}-W${Math.floor(days / 7) + 1}`;
}
