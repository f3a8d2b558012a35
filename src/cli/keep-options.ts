// The options that say how many snapshots stay: the same words for `forget` and for plans.

import type { Command } from "commander";
import { parseCount } from "./parse-values.ts";

export type KeepOptions = {
  readonly keepLast?: number;
  readonly keepHourly?: number;
  readonly keepDaily?: number;
  readonly keepWeekly?: number;
  readonly keepMonthly?: number;
  readonly keepYearly?: number;
};

const PERIODS = { hourly: "hours", daily: "days", weekly: "weeks", monthly: "months", yearly: "years" } as const;

export function addKeepOptions(command: Command): Command {
  command.option("--keep-last <n>", "Keep the newest n of each machine and plan.", parseCount);
  for (const [name, words] of Object.entries(PERIODS)) {
    command.option(`--keep-${name} <n>`, `Keep the newest of each of the last n ${words} that have any.`, parseCount);
  }
  return command;
}

/** By the names that rules of retention have; what was not given is undefined. */
export function keepCounts(options: KeepOptions) {
  const { keepLast, keepHourly, keepDaily, keepWeekly, keepMonthly, keepYearly } = options;
  return {
    last: keepLast,
    hourly: keepHourly,
    daily: keepDaily,
    weekly: keepWeekly,
    monthly: keepMonthly,
    yearly: keepYearly,
  };
}
