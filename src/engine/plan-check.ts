// Everything that is wrong with a plan, for forms that show each mistake beside its field: the schema's own judgement (wire/v4/plan-body.ts), and
// what only a calendar can tell. Nothing here has an opinion of its own.

import { AppError } from "../core/errors.ts";
import { planSchema, type SchemaIssue } from "../wire/v4/plan-body.ts";
import { parseSchedule } from "../wire/v4/plan-schedule.ts";
import { isTimeZone, openCalendar } from "./schedule.ts";

export type PlanIssue = Pick<SchemaIssue, "path" | "message"> & {
  /** Of the schema, for whoever has better words; undefined when `message` is for people already. */
  readonly issue: SchemaIssue | undefined;
};

/** Empty for a plan that can be followed. */
export function planIssues(value: unknown): PlanIssue[] {
  const judged = planSchema.safeParse(value);
  if (!judged.success) {
    return judged.error.issues.map((issue) => ({
      path: issue.path,
      message: issue.message,
      issue: issue.code === "custom" ? undefined : issue,
    }));
  }
  const { schedule, timeZone = "UTC" } = judged.data;
  try {
    openCalendar(parseSchedule(schedule), timeZone);
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const path = [isTimeZone(timeZone) ? "schedule" : "timeZone"];
    return [{ path, message: String(error.context.detail), issue: undefined }];
  }
}
