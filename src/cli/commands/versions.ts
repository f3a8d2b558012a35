// `versions`: what one path was over time.

import { resolve } from "node:path";
import type { Command } from "commander";
import { rawFromNative } from "../../client/native-path.ts";
import { AppError } from "../../core/errors.ts";

import { type Version, versionsOf } from "../../engine/reader/search.ts";
import { ENTRY } from "../../wire/v4/tree-types.ts";
import { action, type Context } from "../context.ts";
import { formatBytes, plural } from "../format-bytes.ts";
import { formatTime, formatTimeAndAge, isoTime } from "../format-time.ts";
import { entryJson } from "../json-values.ts";
import { withReader } from "../open-vault.ts";
import { addExamples, type Cli } from "../program.ts";
import { table } from "../table.ts";

export function define(command: Command, cli: Cli): void {
  command
    .argument("<path>", "The file or folder; a relative path starts at the current folder.")
    .action(action(cli, run));
  addExamples(command, [["cyberbackup versions ~/thesis.odt", "every version, the oldest first"]]);
}

async function run(context: Context, _options: object, path: string): Promise<undefined> {
  const { output, host } = context;
  const absolute = resolve(path);
  await withReader(context, async (opened) => {
    const found = await versionsOf(await opened.reader(), rawFromNative(absolute), { signal: host.signal });
    if (found.length === 0) throw new AppError("not_found", { context: { what: absolute } });
    output.json({ type: "result", command: "versions", path: absolute, versions: found.map(toJson) });
    const rows = found.map((version) => rowOf(version, host.clock.now()));
    for (const line of table(COLUMNS, rows, output.paint.bold)) output.print(line);
    output.say(plural(found.length, "version"));
  });
}

const COLUMNS = [
  { title: "Snapshot" },
  { title: "Received" },
  { title: "Modified" },
  { title: "Size", align: "right" },
  { title: "Also in" },
] as const;

function rowOf({ snapshot, entry, alsoIn }: Version, now: number): string[] {
  return [
    snapshot.row.id.slice(0, 12),
    formatTimeAndAge(snapshot.row.receivedAt, now),
    formatTime(entry.mtimeSeconds * 1000),
    entry.type === ENTRY.file ? formatBytes(entry.size ?? 0) : "",
    alsoIn.length > 0 ? plural(alsoIn.length, "later snapshot") : "",
  ];
}

function toJson(version: Version) {
  return {
    snapshot: version.snapshot.row.id,
    time: isoTime(version.snapshot.row.receivedAt),
    entry: entryJson(version),
    alsoIn: version.alsoIn.map(({ row }) => row.id),
  };
}
