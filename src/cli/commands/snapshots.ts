// `snapshots`: what there is to restore.

import type { Command } from "commander";
import { EXIT } from "../../core/errors.ts";
import { type ListedSnapshot, listSnapshots } from "../../engine/reader/snapshots.ts";
import type { SnapshotRow } from "../../wire/v4/vault-port.ts";
import { action, type Context } from "../context.ts";
import { formatBytes, formatCount, plural } from "../format-bytes.ts";
import { formatAge, formatTime } from "../format-time.ts";
import { snapshotJson } from "../json-values.ts";
import { withReader } from "../open-vault.ts";
import { collect } from "../parse-values.ts";
import { addExamples, type Cli } from "../program.ts";
import { shownPath, shownText } from "../shown-path.ts";
import { table } from "../table.ts";

type Options = { readonly plan?: string; readonly tag?: readonly string[]; readonly trash?: boolean };

export function define(command: Command, cli: Cli): void {
  command
    .option("--plan <name>", "Only those of one plan.")
    .option("--tag <tag>", "Only those with this tag; may be repeated, then any of them.", collect)
    .option("--trash", "Also those in the trash.")
    .action(action(cli, run));
  addExamples(command, [
    ["cyberbackup snapshots", "all of them, the newest last"],
    ["cyberbackup snapshots --plan home --json", "one plan, for a script"],
  ]);
}

async function run(context: Context, options: Options): Promise<number> {
  return withReader(context, async (opened) => {
    const all = await listSnapshots(await opened.reader(), { trash: options.trash === true });
    const listed = all.filter((snapshot) => fits(snapshot, options));
    const { output, host } = context;
    output.json({ type: "result", command: "snapshots", snapshots: listed.map(snapshotJson) });
    const broken = listed.filter(({ error }) => error !== undefined);
    if (listed.length === 0) {
      output.say("There are no snapshots yet.");
      return EXIT.ok;
    }
    const rows = listed.map((snapshot) => rowOf(snapshot, host.clock.now()));
    for (const line of table(COLUMNS, rows, output.paint.bold)) output.print(line);
    for (const { row, error } of broken) output.warn(`Snapshot ${row.id.slice(0, 12)}: ${error?.message}`);
    output.say(plural(listed.length, "snapshot"));
    return broken.length > 0 ? EXIT.damaged : EXIT.ok;
  });
}

/** What cannot be read is always shown: nobody knows its plan. */
function fits({ info }: ListedSnapshot, { plan, tag }: Options): boolean {
  if (!info) return true;
  return (plan === undefined || info.plan === plan) && (!tag || tag.some((one) => info.tags.includes(one)));
}

const COLUMNS = [
  { title: "ID" },
  { title: "Time" },
  { title: "Age" },
  { title: "Host" },
  { title: "Plan" },
  { title: "Tags" },
  { title: "Files", align: "right" },
  { title: "Size", align: "right" },
  { title: "Added", align: "right" },
  { title: "Paths" },
] as const;

function rowOf({ row, info, deviceName }: ListedSnapshot, now: number): string[] {
  return [
    row.id.slice(0, 12),
    formatTime(row.receivedAt),
    formatAge(row.receivedAt, now),
    shownText(info?.host ?? deviceName ?? "?"),
    shownText(info?.plan ?? "?"),
    [...(info?.tags ?? []).map(shownText), ...marksOf(row, info?.errors.count)].join(","),
    info ? formatCount(info.stats.files) : "?",
    info ? formatBytes(info.stats.bytes) : "?",
    formatBytes(row.addedBytes),
    info ? info.paths.map((path) => shownPath(path)).join(" ") : "cannot be read",
  ];
}

function marksOf({ state, pinnedUntil }: SnapshotRow, unreadable = 0): string[] {
  const pinned =
    pinnedUntil === undefined ? [] : [pinnedUntil === 0 ? "(pinned)" : `(pinned until ${formatTime(pinnedUntil)})`];
  return [
    ...(state === "trash" ? ["(trash)"] : []),
    ...pinned,
    ...(unreadable > 0 ? [`(${unreadable} unreadable)`] : []),
  ];
}
