// A plan: what a device backs up, when, and how long it is kept (docs/agent.md, Plans). The same schema judges files that people edit by hand,
// what the page makes, and what comes sealed from a server. Nothing here seals or stores.

import { z } from "zod";
import { suggest } from "../../core/config-schema.ts";
import { AppError } from "../../core/errors.ts";
import { checkName } from "../../core/filename.ts";
import { parseSchedule } from "./plan-schedule.ts";

export const PLAN_LIMITS = { sources: 256, patterns: 1024, text: 4096, arguments: 256, hookSeconds: 86_400 } as const;

const text = z.string().min(1).max(PLAN_LIMITS.text);
const count = z.number().int().min(0).max(100_000);
const absolute = text.refine(isAbsolute, "must be an absolute path");
const patterns = z.array(text).max(PLAN_LIMITS.patterns);
const argv = z.array(z.string().max(PLAN_LIMITS.text)).min(1).max(PLAN_LIMITS.arguments);

/** Names become file names, and lower case keeps them apart on every system. */
export const planName = z
  .string()
  .max(64)
  .regex(/^[a-z0-9][a-z0-9._-]*$/, "must be lower-case letters, digits, dots, dashes and underscores")
  .refine((name) => checkName(name) === undefined, "cannot be used as a file name everywhere")
  // Beside the plans lie where the vault is, and what lost against another version.
  .refine((name) => name !== "place" && !/\.conflict-\d+$/.test(name), "is taken");

const schedule = text.superRefine((words, context) => complain(context, () => parseSchedule(words)));

const window = text.superRefine((words, context) =>
  complain(context, () => {
    if (parseSchedule(words).kind === "window") return;
    throw new AppError("plan_invalid", {
      context: { detail: 'it must be a window, such as "weekdays between 08:00 and 18:00".' },
    });
  }),
);

const hook = z.strictObject({
  /** Program and arguments; no shell is between. */
  argv,
  seconds: z.number().int().min(1).max(PLAN_LIMITS.hookSeconds).default(300),
});

const keep = z.strictObject({
  last: count.optional(),
  hourly: count.optional(),
  daily: count.optional(),
  weekly: count.optional(),
  monthly: count.optional(),
  yearly: count.optional(),
  withinDays: count.optional(),
});

const planShape = z.strictObject({
  name: planName,
  sources: z.array(absolute).max(PLAN_LIMITS.sources).default([]),
  /** In place of `sources`: what a command prints, as one file. */
  command: z.strictObject({ argv, filename: text.max(255) }).optional(),
  exclude: patterns.default([]),
  iexclude: patterns.default([]),
  excludeFiles: z.array(absolute).max(64).default([]),
  excludeCaches: z.boolean().default(false),
  excludeLargerThanMiB: z
    .number()
    .int()
    .min(1)
    .max(2 ** 40)
    .optional(),
  oneFileSystem: z.boolean().default(false),
  tags: z.array(text.max(255)).max(64).default([]),
  schedule: schedule.default("manual"),
  /** IANA; without one the device's own. */
  timeZone: text.max(64).optional(),
  jitterMinutes: z.number().int().min(0).max(720).default(0),
  catchUp: z.boolean().default(true),
  /** Hours after a moment at which a run that ended well is missed. */
  overdueAfterHours: z
    .number()
    .int()
    .min(1)
    .max(24 * 366)
    .optional(),
  keep: keep.optional(),
  compression: z.enum(["fastest", "default", "better", "max", "off"]).optional(),
  uploadLimits: z
    .array(
      z.strictObject({
        when: window,
        kibps: z
          .number()
          .int()
          .min(1)
          .max(2 ** 30),
      }),
    )
    .max(16)
    .default([]),
  hooks: z.strictObject({ before: hook.optional(), after: hook.optional(), onError: hook.optional() }).default({}),
  retries: z
    .strictObject({
      times: z.number().int().min(0).max(100).default(10),
      firstWaitSeconds: z.number().int().min(1).max(86_400).default(60),
      longestWaitSeconds: z.number().int().min(1).max(86_400).default(3600),
    })
    .default({ times: 10, firstWaitSeconds: 60, longestWaitSeconds: 3600 }),
  /** `wait` begins no run by schedule while a laptop is on battery. */
  onBattery: z.enum(["run", "wait"]).default("run"),
  /** A dead man's ping is asked of the server after each good run. */
  ping: z.boolean().default(false),
  enabled: z.boolean().default(true),
});

export const planSchema = planShape.superRefine((plan, context) => {
  const ways = (plan.sources.length > 0 ? 1 : 0) + (plan.command ? 1 : 0);
  if (ways !== 1)
    context.addIssue({ code: "custom", path: ["sources"], message: "give either sources or a command, and not both" });
});

export type Plan = z.output<typeof planSchema>;
export type PlanInput = z.input<typeof planSchema>;
/** One thing that the schema finds wrong. */
export type SchemaIssue = z.core.$ZodIssue;

/** Throws `plan_invalid`, which names the field, never a value, and says what was probably meant. */
export function readPlan(value: unknown): Plan {
  const judged = planSchema.safeParse(value);
  if (judged.success) return judged.data;
  // A field with a slip in its name is missing under its right one: the slip is what to tell.
  const { issues } = judged.error;
  const issue = issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0]!;
  const where = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0] ?? "";
    const meant = suggest(key, keysAt(issue.path));
    const hint = meant === undefined ? "" : ` Did you mean "${meant}"?`;
    return refuse(`${where === "" ? "a plan" : where} has no field ${JSON.stringify(key.slice(0, 64))}.${hint}`);
  }
  return refuse(`${where === "" ? "the plan" : where}: ${issue.message.replace(/\.?$/, ".")}`);
}

/** The programs that a plan runs, as one text: what a device lets nobody else change (docs/agent.md, What a device believes). */
export function programsOf({ command, hooks }: Pick<Plan, "command" | "hooks">): string {
  return JSON.stringify([command?.argv ?? null, hooks.before ?? null, hooks.after ?? null, hooks.onError ?? null]);
}

/** What decides which files a plan covers: counts of runs can only be compared while it stays the same. */
export function coverageOf(plan: Plan): string {
  const { sources, command, exclude, iexclude, excludeFiles, excludeCaches, excludeLargerThanMiB, oneFileSystem } =
    plan;
  return JSON.stringify([
    ...[sources, command ?? null, exclude, iexclude, excludeFiles, excludeCaches, excludeLargerThanMiB ?? null],
    oneFileSystem,
  ]);
}

/** The fields of the object that a path leads to. */
function keysAt(path: readonly PropertyKey[]): string[] {
  // biome-ignore lint/suspicious/noExplicitAny: the walk goes through zod's own definitions
  let at: any = planShape;
  const unwrap = (): void => {
    while (at?.def?.innerType) at = at.def.innerType;
  };
  for (const step of path) {
    unwrap();
    at = typeof step === "number" ? at?.def?.element : at?.shape?.[step];
  }
  unwrap();
  return Object.keys(at?.shape ?? {});
}

/** POSIX, drive letters, UNC: a plan may be edited on another system than the one that runs it. */
function isAbsolute(path: string): boolean {
  return /^(\/|[A-Za-z]:[\\/]|\\\\[^\\])/.test(path) && !path.includes("\0");
}

function complain(context: z.core.$RefinementCtx<string>, check: () => unknown): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    context.addIssue({ code: "custom", message: String(error.context.detail) });
  }
}

function refuse(detail: string): never {
  throw new AppError("plan_invalid", { context: { detail } });
}
