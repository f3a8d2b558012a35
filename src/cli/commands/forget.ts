// `forget`: moves to the trash what no rule keeps. It shows first what stays and why; `undelete` brings back, `prune` ends it.

import type { Command } from "commander";
import { LIMITS } from "../../core/config-schema.ts";
import { AppError } from "../../core/errors.ts";
import { planToken, tagToken } from "../../crypto/tokens.ts";
import {
  isEmptyPolicy,
  isPinned,
  planRetention,
  type RetentionPolicy,
  type RetentionVerdict,
} from "../../vault/retention.ts";
import type { SnapshotRow } from "../../wire/v4/vault-port.ts";
import { askVault, findRow } from "../ask-vault.ts";
import { action, type Context } from "../context.ts";
import { plural } from "../format-bytes.ts";
import { formatAge, formatTime, isoTime } from "../format-time.ts";
import { addKeepOptions, type KeepOptions, keepCounts } from "../keep-options.ts";
import { type OpenedVault, withVault } from "../open-vault.ts";
import { collect, parseDuration, usage } from "../parse-values.ts";
import { addExamples, type Cli } from "../program.ts";
import { shownText } from "../shown-path.ts";
import { table } from "../table.ts";

type Options = KeepOptions & {
  readonly keepWithin?: number;
  readonly keepTag?: readonly string[];
  readonly plan?: string;
  readonly dryRun?: boolean;
};

type Verdict = RetentionVerdict<SnapshotRow>;

export function define(command: Command, cli: Cli): void {
  addKeepOptions(command.argument("[snap...]", "Just these, instead of rules."))
    .option("--keep-within <time>", "Keep all of the last so much time, such as 30d.", parseDuration)
    .option("--keep-tag <tag>", "Keep all with this tag; may be repeated.", collect)
    .option("--plan <name>", "Look only at one plan.")
    .option("--dry-run", "Only show what would be kept and what not.")
    .action(action(cli, run));
  addExamples(command, [
    ["cyberbackup forget --keep-daily 14 --keep-weekly 8 --keep-monthly 24 --dry-run", "see first"],
    ["cyberbackup forget --plan home --keep-last 10 --keep-within 30d", "one plan"],
    ["cyberbackup undelete --all", "changed your mind"],
  ]);
}

async function run(context: Context, options: Options, expressions: string[]): Promise<undefined> {
  const { output, host } = context;
  await withVault(context, async (opened) => {
    const verdicts = await verdictsOf(opened, options, expressions, host.clock.now());
    const removed = verdicts.filter(({ reasons }) => reasons.length === 0);
    const kept = verdicts.filter(({ reasons }) => reasons.length > 0);
    await showPlan(context, opened, verdicts);
    if (!options.dryRun)
      for (const { snapshot } of removed) await askVault(opened, "remove", { snapshot: snapshot.id });
    output.say(
      `${plural(kept.length, "snapshot")} kept, ${removed.length} ${options.dryRun ? "would go" : "moved"} to the trash.`,
    );
    if (removed.length > 0 && !options.dryRun) {
      output.say(
        `For ${LIMITS.trashDays.value} days, "cyberbackup undelete" brings them back; then "cyberbackup prune" frees their space.`,
      );
    }
    const lines = (list: readonly Verdict[]) =>
      list.map(({ snapshot, reasons }) => ({
        id: snapshot.id,
        time: isoTime(snapshot.receivedAt),
        reasons: [...reasons],
      }));
    output.json({
      type: "summary",
      command: "forget",
      dryRun: options.dryRun === true,
      kept: lines(kept),
      removed: lines(removed),
    });
  });
}

async function verdictsOf(
  opened: OpenedVault,
  options: Options,
  expressions: readonly string[],
  now: number,
): Promise<readonly Verdict[]> {
  const live = (await opened.vault.snapshots()).filter(({ state }) => state === "live");
  if (expressions.length > 0) return namedOnes(opened, expressions, options, live, now);
  const { metaKey } = (await opened.device()).writer;
  const { last = 0, hourly = 0, daily = 0, weekly = 0, monthly = 0, yearly = 0 } = keepCounts(options);
  const policy: RetentionPolicy = {
    last,
    hourly,
    daily,
    weekly,
    monthly,
    yearly,
    withinMs: options.keepWithin ?? 0,
    tags: await Promise.all((options.keepTag ?? []).map((tag) => tagToken(metaKey, tag))),
  };
  if (isEmptyPolicy(policy)) throw usage("Nothing would be kept: give at least one --keep option.");
  const plan = options.plan === undefined ? undefined : await planToken(metaKey, options.plan);
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return planRetention(
    live.filter((row) => plan === undefined || row.plan === plan),
    policy,
    now,
    timeZone,
  );
}

/** Snapshots that a person names are removed whatever the rules, but not past a pin. */
async function namedOnes(
  opened: OpenedVault,
  expressions: readonly string[],
  options: Options,
  live: readonly SnapshotRow[],
  now: number,
): Promise<Verdict[]> {
  if (Object.keys(options).some((name) => name.startsWith("keep"))) {
    throw usage("Give either snapshots or --keep options, not both.");
  }
  const ids = new Set<string>();
  for (const expression of expressions) {
    const { id, pinnedUntil } = await findRow(opened, expression);
    if (isPinned(pinnedUntil, now)) {
      const until = pinnedUntil === 0 ? "it is unpinned" : isoTime(pinnedUntil!);
      throw new AppError("snapshot_pinned", { context: { snapshot: id.slice(0, 12), until } });
    }
    ids.add(id);
  }
  return live.filter(({ id }) => ids.has(id)).map((snapshot) => ({ snapshot, reasons: [] }));
}

async function showPlan(
  { output, host }: Context,
  { vault }: OpenedVault,
  verdicts: readonly Verdict[],
): Promise<void> {
  if (output.isQuiet) return;
  const names = new Map((await vault.devices()).map(({ device, name }) => [device, name]));
  const now = host.clock.now();
  const rows = verdicts.map(({ snapshot, reasons }) => [
    snapshot.id.slice(0, 12),
    formatTime(snapshot.receivedAt),
    formatAge(snapshot.receivedAt, now),
    shownText(names.get(snapshot.device) ?? "?"),
    reasons.length > 0 ? output.paint.green("keep") : output.paint.red("to the trash"),
    reasons.join(", "),
  ]);
  const columns = ["ID", "Received", "Age", "Machine", "What", "Why"].map((title) => ({ title }));
  for (const line of table(columns, rows, output.paint.bold)) output.print(line);
}
