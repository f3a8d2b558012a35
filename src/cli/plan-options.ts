// The options of `plan add` and `plan edit`, and the fields of a plan that they stand for. Paths become absolute here: an agent has no folder
// from which it was called.

import { basename, resolve } from "node:path";
import { type Command, Option } from "commander";
import type { Plan, PlanInput } from "../wire/v4/plan-body.ts";
import { addExcludeOptions, type ExcludeOptions } from "./exclude-options.ts";
import { addKeepOptions, type KeepOptions, keepCounts } from "./keep-options.ts";
import { collect, parseCount, usage } from "./parse-values.ts";

export type PlanOptions = ExcludeOptions &
  KeepOptions & {
    readonly schedule?: string;
    readonly timeZone?: string;
    readonly jitter?: number;
    readonly catchUp?: "on" | "off";
    readonly overdueAfter?: number;
    readonly tag?: readonly string[];
    readonly keepWithinDays?: number;
    readonly compression?: Plan["compression"];
    readonly limit?: readonly string[];
    readonly before?: string;
    readonly after?: string;
    readonly onError?: string;
    readonly hookSeconds?: number;
    readonly retries?: number;
    readonly onBattery?: "run" | "wait";
    readonly ping?: boolean;
    readonly enabled?: "on" | "off";
    readonly fromCommand?: boolean;
    readonly stdinFilename?: string;
  };

export function addPlanOptions(command: Command): Command {
  command
    .option("--schedule <words>", 'When it runs, such as "every day at 12:30" or cron\'s five fields; docs/agent.md.')
    .option("--time-zone <name>", "IANA name in which the schedule is meant (default: this machine's).")
    .option("--jitter <minutes>", "Begin up to so many minutes later.", parseCount)
    .addOption(new Option("--catch-up <how>", "Make up for what was missed.").choices(["on", "off"]))
    .option("--overdue-after <hours>", "People are alerted so long after it was due.", parseCount);
  addExcludeOptions(command).option("--tag <tag>", "Tag the snapshots; may be repeated.", collect);
  return addKeepOptions(command)
    .option("--keep-within-days <n>", "Keep all of the last days.", parseCount)
    .addOption(
      new Option("--compression <how>", "How hard to compress.").choices([
        "fastest",
        "default",
        "better",
        "max",
        "off",
      ]),
    )
    .option(
      "--limit <rule>",
      'KiB a second in a window: "512 weekdays between 8:00 and 18:00"; may be repeated.',
      collect,
    )
    .option("--before <command>", "Run this by the shell before each backup.")
    .option("--after <command>", "Run this after each backup.")
    .option("--on-error <command>", "Run this when a backup has failed.")
    .option("--hook-seconds <n>", "Time that each of these may take.", parseCount)
    .option("--retries <n>", "How often to try again what may pass.", parseCount)
    .addOption(new Option("--on-battery <how>", "Whether to begin on battery.").choices(["run", "wait"]))
    .option("--ping", "Have the server ping a dead man's switch after each good run.")
    .addOption(new Option("--enabled <how>", "Whether it runs by its schedule.").choices(["on", "off"]))
    .option("--from-command", "Back up what a command prints, given after --.")
    .option("--stdin-filename <name>", "What to call that file.");
}

/** `before` with what the options say; a list that is given replaces the one that was there. */
export function withOptions(
  before: PlanInput,
  options: PlanOptions,
  words: readonly string[],
  platform: string,
): Record<string, unknown> {
  const { fromCommand, stdinFilename } = options;
  const hook = (text: string | undefined) => text && { argv: shell(text, platform), ...seconds(options) };
  const hooks = { before: hook(options.before), after: hook(options.after), onError: hook(options.onError) };
  const keep = { ...keepCounts(options), withinDays: options.keepWithinDays };
  const { sources: _, command: __, ...others } = before;
  return {
    ...(words.length === 0 ? before : others),
    ...given({
      ...sourcesOf(words, fromCommand === true, stdinFilename),
      schedule: options.schedule,
      timeZone: options.timeZone,
      jitterMinutes: options.jitter,
      catchUp: onOff(options.catchUp),
      overdueAfterHours: options.overdueAfter,
      exclude: options.exclude,
      iexclude: options.iexclude,
      excludeFiles: options.excludeFile?.map((path) => resolve(path)),
      excludeCaches: options.excludeCaches,
      excludeLargerThanMiB:
        options.excludeLargerThan === undefined
          ? undefined
          : Math.max(1, Math.ceil(options.excludeLargerThan / 2 ** 20)),
      oneFileSystem: options.oneFileSystem,
      tags: options.tag,
      keep: merged(before.keep, keep),
      compression: options.compression,
      uploadLimits: options.limit?.map(limitOf),
      hooks: merged(before.hooks, hooks),
      retries: options.retries === undefined ? undefined : { ...before.retries, times: options.retries },
      onBattery: options.onBattery,
      ping: options.ping,
      enabled: onOff(options.enabled),
    }),
  };
}

function sourcesOf(words: readonly string[], fromCommand: boolean, filename: string | undefined) {
  const [program] = words;
  if (!fromCommand) return program === undefined ? {} : { sources: words.map((path) => resolve(path)) };
  if (program === undefined) throw usage("--from-command needs a command, after --.");
  return { command: { argv: words, filename: filename ?? basename(program) } };
}

function limitOf(text: string): { kibps: number; when: string } {
  const found = /^\s*(\d{1,10})\s+(\S.*)$/.exec(text);
  if (!found) throw usage(`${JSON.stringify(text)} is no limit: give "512 weekdays between 8:00 and 18:00".`);
  return { kibps: Number(found[1]), when: found[2]! };
}

function shell(text: string, platform: string): string[] {
  return platform === "win32" ? ["cmd.exe", "/d", "/s", "/c", text] : ["/bin/sh", "-c", text];
}

function seconds({ hookSeconds }: PlanOptions): { seconds?: number } {
  return hookSeconds === undefined ? {} : { seconds: hookSeconds };
}

function onOff(value: "on" | "off" | undefined): boolean | undefined {
  return value && value === "on";
}

function merged(before: object | undefined, change: Readonly<Record<string, unknown>>): object | undefined {
  const changed = given(change);
  return Object.keys(changed).length === 0 ? undefined : { ...before, ...changed };
}

function given(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
