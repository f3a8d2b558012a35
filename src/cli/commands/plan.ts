// `plan`: what this device backs up by itself, and when. The agent carries plans out; these commands only change its files, and `plan run` runs one
// here and now.

import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { ALL_PLANS, FOREVER, pauseFiles, withPause } from "../../client/agent/pauses.ts";
import type { RunWatch } from "../../client/agent/perform.ts";
import { planFiles, withoutDefaults } from "../../client/agent/plan-files.ts";
import { vaultAddressText } from "../../client/vault-address.ts";
import { AppError, EXIT, isAppError } from "../../core/errors.ts";
import type { VaultId } from "../../core/ids.ts";
import { tryParseJson } from "../../crypto/secrets.ts";
import { newProgress } from "../../engine/backup/run.ts";
import { openCalendar } from "../../engine/schedule.ts";
import { type Plan, planName, readPlan } from "../../wire/v4/plan-body.ts";
import { parseSchedule } from "../../wire/v4/plan-schedule.ts";
import { openVaultAgent } from "../agent-host.ts";
import { vaultPlace } from "../connect.ts";
import { action, type Context } from "../context.ts";
import { formatTime, isoTime } from "../format-time.ts";
import { addKeepOptions } from "../keep-options.ts";
import { withVault } from "../open-vault.ts";
import { parseCount, parseDate, usage } from "../parse-values.ts";
import { type FoundPlan, findPlan, planVaults } from "../plan-find.ts";
import { type PlanKeepOptions, runKeep } from "../plan-keep.ts";
import { addPlanOptions, type PlanOptions, withOptions } from "../plan-options.ts";
import { retentionBy, tellRetention } from "../plan-retention.ts";
import { lastRunJson, planStates, showStates } from "../plan-states.ts";
import { addExamples, type Cli } from "../program.ts";
import { shownText } from "../shown-path.ts";
import { whileShowing } from "../status.ts";
import { backupFigures } from "./backup.ts";

const NAME = "Name of the plan.";

export function define(command: Command, cli: Cli): void {
  const list = command.command("list").description("List the plans, when each is due, and how it went last.");
  addExamples(list.action(action(cli, runList)), [["cyberbackup plan list", ""]]);

  const show = command
    .command("show")
    .description("Show a plan.")
    .argument("<name>", NAME)
    .action(action(cli, runShow));
  addExamples(show, [["cyberbackup plan show documents", ""]]);

  const add = command
    .command("add")
    .description("Make a plan for the vault that --vault names.")
    .argument("<name>", "Lower-case letters, digits, dots and dashes.")
    .argument("[path...]", "Files and folders to back up; with --from-command the command, after --.");
  addPlanOptions(add).action(action(cli, runAdd));
  addExamples(add, [
    ['cyberbackup plan add documents ~/Documents --schedule "every day between 22:00 and 06:00"', "once each night"],
    [
      "cyberbackup plan add shop --from-command --stdin-filename shop.sql --schedule hourly -- pg_dump shop",
      "a database",
    ],
  ]);

  const edit = command
    .command("edit")
    .description("Change a plan: what is not named stays; without options, in your editor.")
    .argument("<name>", NAME)
    .argument("[path...]", "In place of what it has.");
  addPlanOptions(edit).action(action(cli, runEdit));
  addExamples(edit, [['cyberbackup plan edit documents --schedule "weekdays at 12:30"', ""]]);

  const keep = command
    .command("keep")
    .description("Show or set what a vault's server keeps of a plan's snapshots; set by an owner, after `login`.")
    .argument("<name>", NAME);
  addKeepOptions(keep)
    .option("--keep-within-days <n>", "Keep all of the last days.", parseCount)
    .option("--all", "Keep everything.")
    .option("--as-vault", "No rules of its own: those of the vault count.")
    .option("--dry-run", "Only say what would be kept.")
    .action(action(cli, runPlanKeep));
  addExamples(keep, [
    ["cyberbackup plan keep documents", "what holds"],
    ["cyberbackup plan keep documents --keep-daily 14 --keep-weekly 8 --dry-run", "see first"],
  ]);

  const remove = command
    .command("remove")
    .description("Remove a plan. What it has backed up stays.")
    .argument("<name>", NAME)
    .action(action(cli, runRemove));
  addExamples(remove, [["cyberbackup plan remove documents", ""]]);

  const run = command.command("run").description("Run a plan now, in this terminal.").argument("<name>", NAME);
  addExamples(run.action(action(cli, runRun)), [["cyberbackup plan run documents", ""]]);

  const pause = command
    .command("pause")
    .description("Keep a plan, or all, from running by schedule; one that runs sends nothing.")
    .argument("[name]", NAME)
    .option("--until <when>", "A date, or a duration such as 2h or 3d; without it, until it is resumed.");
  addExamples(pause.action(action(cli, runPause)), [["cyberbackup plan pause --until 3d", "while you are away"]]);

  const resume = command.command("resume").description("Let it run again.").argument("[name]", NAME);
  addExamples(resume.action(action(cli, runResume)), [["cyberbackup plan resume", "all of them"]]);

  const exported = command
    .command("export")
    .description("Print a plan as JSON, or write it to a file.")
    .argument("<name>", NAME)
    .option("--output <file>", "Where to write it.");
  addExamples(exported.action(action(cli, runExport)), [["cyberbackup plan export documents > documents.json", ""]]);

  const imported = command
    .command("import")
    .description("Make a plan from such a file, or replace the one of that name.")
    .argument("<file>", "As `plan export` writes it.");
  addExamples(imported.action(action(cli, runImport)), [["cyberbackup plan import documents.json", ""]]);

  const programs = command
    .command("programs")
    .description("Whether the vault's server may bring programs to run here, such as hooks.")
    .addOption(
      new Option("--from-server <how>", "Allow it only where all devices of the vault trust each other.").choices([
        "refuse",
        "allow",
      ]),
    );
  addExamples(programs.action(action(cli, runPrograms)), [["cyberbackup plan programs --from-server allow", ""]]);
}

async function runList(context: Context): Promise<undefined> {
  const plans = await planStates(context);
  context.output.json({ type: "result", command: "plan list", plans });
  showStates(context, plans);
}

async function runShow(context: Context, _: object, name: string): Promise<undefined> {
  const { found, plan } = await foundPlan(context, name);
  const shown = withoutDefaults(plan);
  const { vault, place } = found;
  const by = retentionBy(found);
  context.output.json({
    type: "result",
    command: "plan show",
    name,
    vault,
    place: place.vault,
    retentionBy: by,
    plan: shown,
  });
  context.output.print(JSON.stringify(shown, undefined, 2));
  tellRetention(context, found, plan);
}

async function runAdd(context: Context, options: PlanOptions, name: string, words: string[]): Promise<undefined> {
  requireName(name);
  const made = checked(withOptions({ name }, options, words, context.host.platform));
  const store = planFiles(context.config.home);
  const vault = await newPlace(context);
  if (await store.read(vault, name)) throw new AppError("plan_exists", { context: { name: shownText(name) } });
  await saved(context, "plan add", vault, made);
}

async function runEdit(context: Context, options: PlanOptions, name: string, words: string[]): Promise<undefined> {
  const store = planFiles(context.config.home);
  const found = await findPlan(context, store, name);
  const { platform } = context.host;
  const isAsked = Object.keys(withOptions({ name }, options, words, platform)).length > 1;
  if (!isAsked) await inEditor(context, pathOf(context, found.vault, name));
  const before = (await store.read(found.vault, name))!;
  const changed = isAsked ? checked(withOptions(withoutDefaults(before), options, words, platform)) : checked(before);
  await saved(context, "plan edit", found.vault, changed);
}

/** The file itself: what is wrong afterwards is said, and stays to be corrected. */
async function inEditor({ host }: Context, path: string): Promise<void> {
  const editor = host.env.VISUAL || host.env.EDITOR;
  if (!host.stdin.isTTY || !editor) throw usage(`Give options to change, or edit ${path} itself.`);
  const { status, error } = spawnSync(editor, [path], { stdio: "inherit", shell: host.platform === "win32" });
  if (error || status !== 0) throw usage(`The editor ended with ${error?.message ?? `exit code ${status}`}.`);
}

/** In the vault of this machine's plan of that name, else in the one that --vault names: it may be another machine's. */
async function runPlanKeep(context: Context, options: PlanKeepOptions, name: string): Promise<undefined> {
  requireName(name);
  const found = await findPlan(context, planFiles(context.config.home), name).catch((error: unknown) => {
    if (isAppError(error, "plan_unknown") && context.config.vault !== undefined) return undefined;
    throw error;
  });
  const config = found ? { ...context.config, vault: found.place.vault } : context.config;
  return runKeep({ ...context, config }, options, name);
}

async function runRemove(context: Context, _: object, name: string): Promise<undefined> {
  const store = planFiles(context.config.home);
  const { vault } = await findPlan(context, store, name);
  await store.remove(vault, name);
  context.output.json({ type: "result", command: "plan remove", name, vault });
  context.output.say(`The plan ${shownText(name)} is gone. Its snapshots stay.`);
}

async function runRun(context: Context, _: object, name: string): Promise<number> {
  const { output, host } = context;
  const { found } = await foundPlan(context, name);
  let watched: RunWatch | undefined;
  const agent = await openVaultAgent(context, found.vault, undefined, {
    onRun: (run) => {
      watched = run.watch;
    },
  });
  host.signal.addEventListener("abort", () => agent.cancel());
  const idle = newProgress();
  const end = await whileShowing(
    context,
    () => ({ ...backupFigures(watched?.progress ?? idle), command: "plan run" }),
    () => agent.ask(name, "manual"),
  );
  if (!end) throw new AppError("interrupted");
  const { last, error } = end;
  if (error) throw error;
  const exit = last.outcome === "ok" ? EXIT.ok : EXIT.partial;
  output.json({ type: "summary", command: "plan run", name, vault: found.vault, ...lastRunJson(last), exit });
  if (last.message !== "") output.warn(shownText(last.message));
  if (last.problems > 0) output.warn(`${last.problems} could not be read.`);
  output.say(`Snapshot ${output.paint.bold(last.snapshot!.slice(0, 12))} is safe.`);
  return exit;
}

async function runPause(context: Context, { until }: { until?: string }, name: string | undefined): Promise<undefined> {
  const { output, host } = context;
  const end = until === undefined ? FOREVER : parseDate(until, host.clock.now());
  const plans = await eachVault(context, name, (pauses) => withPause(pauses, name, end));
  output.json({
    type: "result",
    command: "plan pause",
    plans,
    ...(end === FOREVER ? {} : { until: isoTime(end) }),
  });
  const when = end === FOREVER ? "until `cyberbackup plan resume`" : `until ${formatTime(end)}`;
  output.say(`${name === undefined ? "All plans are" : `${shownText(name)} is`} paused ${when}.`);
}

async function runResume(context: Context, _: object, name: string | undefined): Promise<undefined> {
  const plans = await eachVault(context, name, (pauses) => {
    const areAllPaused = (pauses[ALL_PLANS] ?? 0) > context.host.clock.now();
    if (name !== undefined && areAllPaused)
      throw usage("All plans are paused: `cyberbackup plan resume` without a name.");
    return withPause(pauses, name, undefined);
  });
  context.output.json({ type: "result", command: "plan resume", plans });
  context.output.say(`${name === undefined ? "All plans run" : `${shownText(name)} runs`} by schedule again.`);
}

async function eachVault(
  context: Context,
  name: string | undefined,
  change: (pauses: Readonly<Record<string, number>>) => Readonly<Record<string, number>>,
): Promise<{ name: string; vault: VaultId }[]> {
  const store = planFiles(context.config.home);
  const pauses = pauseFiles(context.config.home);
  const vaults = name === undefined ? await planVaults(context, store) : [await findPlan(context, store, name)];
  const plans: { name: string; vault: VaultId }[] = [];
  for (const { vault } of vaults) {
    await pauses.write(vault, change(await pauses.read(vault)));
    for (const each of await store.list(vault))
      if (name === undefined || each.name === name) plans.push({ name: each.name, vault });
  }
  return plans;
}

async function runExport(context: Context, { output: path }: { output?: string }, name: string): Promise<undefined> {
  const { found, plan } = await foundPlan(context, name);
  const shown = withoutDefaults(plan);
  const text = JSON.stringify(shown, undefined, 2);
  if (path !== undefined) await writeFile(path, `${text}\n`);
  context.output.json({ type: "result", command: "plan export", name, vault: found.vault, plan: shown });
  if (path === undefined) context.output.print(text);
}

async function runImport(context: Context, _: object, path: string): Promise<undefined> {
  const content = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new AppError("io", { cause, context: { path, detail: `${cause.code}.` } });
  });
  const plan = checked(tryParseJson(content.replace(/^\ufeff/, "")));
  const store = planFiles(context.config.home);
  const [known, ...others] = await planVaults(context, store);
  // One whose plans this machine has already need not be reached.
  const vault = known && others.length === 0 ? known.vault : await newPlace(context);
  return saved(context, "plan import", vault, plan);
}

/** Remembers where the vault is that --vault names. Who is no device of it yet is told now and not at night. */
async function newPlace(context: Context): Promise<VaultId> {
  const vault = await withVault(context, async (opened) => (await opened.device()).vault, { asDevice: true });
  const store = planFiles(context.config.home);
  const before = await store.place(vault);
  await store.savePlace(vault, { remotePrograms: "refuse", ...before, vault: vaultAddressText(vaultPlace(context)) });
  return vault;
}

async function runPrograms(context: Context, { fromServer }: { fromServer?: "refuse" | "allow" }): Promise<undefined> {
  const store = planFiles(context.config.home);
  const [only, ...others] = await planVaults(context, store);
  if (!only || others.length > 0) throw usage("Say with --vault which vault is meant; it must have a plan.");
  const { vault, place } = only;
  const remotePrograms = fromServer ?? place.remotePrograms;
  if (fromServer) await store.savePlace(vault, { ...place, remotePrograms });
  context.output.json({ type: "result", command: "plan programs", vault, remotePrograms });
  const words = remotePrograms === "allow" ? "may bring" : "may not bring";
  context.output.say(`Plans from the server of ${shownText(place.vault)} ${words} programs to run on this machine.`);
}

async function foundPlan(context: Context, name: string): Promise<{ found: FoundPlan; plan: Plan }> {
  const store = planFiles(context.config.home);
  const found = await findPlan(context, store, name);
  return { found, plan: (await store.read(found.vault, name))! };
}

async function saved(
  context: Context,
  command: "plan add" | "plan edit" | "plan import",
  vault: VaultId,
  plan: Plan,
): Promise<undefined> {
  const { output, host, config } = context;
  const store = planFiles(config.home);
  await store.save(vault, plan);
  const path = pathOf(context, vault, plan.name);
  const found = { vault, place: (await store.place(vault))! };
  const by = retentionBy(found);
  output.json({ type: "result", command, name: plan.name, vault, path, retentionBy: by, plan: withoutDefaults(plan) });
  output.say(`The plan ${output.paint.bold(shownText(plan.name))} is in ${shownText(path)}`);
  tellRetention(context, found, plan);
  const agent = await openVaultAgent(context, vault);
  const known = agent.plans.get(plan.name);
  const next = known && agent.nextDueAt(known, host.clock.now());
  if (next !== undefined)
    output.say(`It runs next at ${formatTime(next)}, if an agent runs: cyberbackup agent install`);
}

/** The schema's words, and what only a calendar can tell. */
function checked(value: unknown): Plan {
  const plan = readPlan(value);
  openCalendar(parseSchedule(plan.schedule), plan.timeZone ?? "UTC");
  return plan;
}

function requireName(name: string): void {
  const judged = planName.safeParse(name);
  if (!judged.success) throw usage(`The plan's name ${judged.error.issues[0]!.message}.`);
}

function pathOf({ config }: Context, vault: VaultId, name: string): string {
  return join(config.home, "plans", vault, `${name}.json`);
}
