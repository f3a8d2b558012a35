// A plan as its form holds it: lists as lines of text, numbers as they are typed. There and back nothing is lost; whether it makes sense is the
// schema's to say.

import type { Plan, PlanInput } from "../../../wire/v4/plan-body.ts";

/** As a NumberInput gives it: "" is none. */
export type Typed = number | string;

export const KEEP_RULES = ["last", "hourly", "daily", "weekly", "monthly", "yearly", "withinDays"] as const;
export const HOOKS = ["before", "after", "onError"] as const;
export type HookDraft = { readonly argv: string; readonly seconds: Typed };
export type LimitDraft = { readonly key: number; readonly when: string; readonly kibps: Typed };

export type PlanDraft = {
  readonly name: string;
  readonly isCommand: boolean;
  readonly sources: string;
  readonly argv: string;
  readonly filename: string;
  readonly exclude: string;
  readonly iexclude: string;
  readonly excludeFiles: string;
  readonly excludeCaches: boolean;
  readonly oneFileSystem: boolean;
  readonly excludeLargerThanMiB: Typed;
  readonly tags: readonly string[];
  readonly schedule: string;
  /** "": the device's. */
  readonly timeZone: string;
  readonly jitterMinutes: Typed;
  readonly catchUp: boolean;
  readonly overdueAfterHours: Typed;
  readonly keep: Readonly<Record<(typeof KEEP_RULES)[number], Typed>>;
  /** "": the device's. */
  readonly compression: string;
  readonly uploadLimits: readonly LimitDraft[];
  readonly hooks: Readonly<Record<(typeof HOOKS)[number], HookDraft>>;
  readonly retries: { readonly times: Typed; readonly firstWaitSeconds: Typed; readonly longestWaitSeconds: Typed };
  readonly waitsOnBattery: boolean;
  readonly ping: boolean;
  readonly enabled: boolean;
};

export function draftOf(plan: Plan): PlanDraft {
  const { command, keep = {}, hooks } = plan;
  return {
    name: plan.name,
    isCommand: command !== undefined,
    sources: plan.sources.join("\n"),
    argv: command?.argv.join("\n") ?? "",
    filename: command?.filename ?? "",
    exclude: plan.exclude.join("\n"),
    iexclude: plan.iexclude.join("\n"),
    excludeFiles: plan.excludeFiles.join("\n"),
    excludeCaches: plan.excludeCaches,
    oneFileSystem: plan.oneFileSystem,
    excludeLargerThanMiB: plan.excludeLargerThanMiB ?? "",
    tags: plan.tags,
    schedule: plan.schedule,
    timeZone: plan.timeZone ?? "",
    jitterMinutes: plan.jitterMinutes,
    catchUp: plan.catchUp,
    overdueAfterHours: plan.overdueAfterHours ?? "",
    keep: mapOf(KEEP_RULES, (rule) => keep[rule] ?? ""),
    compression: plan.compression ?? "",
    uploadLimits: plan.uploadLimits.map((limit, key) => ({ key, ...limit })),
    hooks: mapOf(HOOKS, (hook) => ({
      argv: hooks[hook]?.argv.join("\n") ?? "",
      seconds: hooks[hook]?.seconds ?? "",
    })),
    retries: plan.retries,
    waitsOnBattery: plan.onBattery === "wait",
    ping: plan.ping,
    enabled: plan.enabled,
  };
}

/** To be judged by the schema. */
export function planOf(draft: PlanDraft): PlanInput {
  const { isCommand, keep, hooks, retries } = draft;
  const kept = given(mapOf(KEEP_RULES, (rule) => numberOf(keep[rule])));
  return {
    name: draft.name.trim(),
    sources: isCommand ? [] : linesOf(draft.sources),
    exclude: linesOf(draft.exclude),
    iexclude: linesOf(draft.iexclude),
    excludeFiles: linesOf(draft.excludeFiles),
    excludeCaches: draft.excludeCaches,
    oneFileSystem: draft.oneFileSystem,
    tags: [...draft.tags],
    schedule: draft.schedule.trim(),
    jitterMinutes: numberOf(draft.jitterMinutes) ?? 0,
    catchUp: draft.catchUp,
    uploadLimits: draft.uploadLimits.map(({ when, kibps }) => ({ when: when.trim(), kibps: Number(kibps) })),
    hooks: given(mapOf(HOOKS, (hook) => hookOf(hooks[hook]))),
    retries: given({
      times: numberOf(retries.times),
      firstWaitSeconds: numberOf(retries.firstWaitSeconds),
      longestWaitSeconds: numberOf(retries.longestWaitSeconds),
    }),
    onBattery: draft.waitsOnBattery ? "wait" : "run",
    ping: draft.ping,
    enabled: draft.enabled,
    ...(isCommand && { command: { argv: argumentsOf(draft.argv), filename: draft.filename.trim() } }),
    ...(Object.keys(kept).length > 0 && { keep: kept }),
    ...given({
      timeZone: draft.timeZone.trim() || undefined,
      compression: (draft.compression || undefined) as PlanInput["compression"],
      excludeLargerThanMiB: numberOf(draft.excludeLargerThanMiB),
      overdueAfterHours: numberOf(draft.overdueAfterHours),
    }),
  };
}

/** One a line; empty lines say nothing. */
function linesOf(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line.trim() !== "");
}

/** An argument may be empty; what ends the last line begins no further one. */
function argumentsOf(text: string): string[] {
  return text.replace(/(\r?\n)+$/, "") === "" ? [] : text.replace(/(\r?\n)+$/, "").split(/\r?\n/);
}

function hookOf({ argv, seconds }: HookDraft) {
  if (argv.trim() === "") return undefined;
  return { argv: argumentsOf(argv), ...given({ seconds: numberOf(seconds) }) };
}

function numberOf(typed: Typed): number | undefined {
  return typed === "" ? undefined : Number(typed);
}

function mapOf<Key extends string, T>(keys: readonly Key[], of: (key: Key) => T): Record<Key, T> {
  return Object.fromEntries(keys.map((key) => [key, of(key)])) as Record<Key, T>;
}

function given<T extends object>(values: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
