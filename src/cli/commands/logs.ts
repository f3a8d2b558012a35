// `logs`: what the server in the background has written down, the newest lines first asked for, then as it comes with --follow.

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { Argument, type Command } from "commander";
import { AppError } from "../../core/errors.ts";
import { serverDataFolder } from "../../server/settings.ts";
import { action, type Context } from "../context.ts";
import { addedLines, lastLines, shownLine } from "../log-lines.ts";
import { parseCount } from "../parse-values.ts";
import { addExamples, type Cli, settingOption } from "../program.ts";
import { logFolder } from "../service-log.ts";
import { shownText } from "../shown-path.ts";

type Options = { readonly follow?: boolean; readonly lines: number };

const KINDS = ["server", "gateway", "agent", "console"] as const;
type Kind = (typeof KINDS)[number];

const LINES = 50;
const LOOK_EVERY_MS = 250;

export function define(command: Command, cli: Cli): void {
  command
    .addArgument(new Argument("[log]", "Whose; console is what a server in the background has printed.").choices(KINDS))
    .option("-f, --follow", "Go on with what is added, until Ctrl-C.")
    .option("-n, --lines <n>", `The newest so many lines (default: ${LINES}).`, parseCount, LINES)
    .addOption(settingOption("data"))
    .action(action(cli, run));
  addExamples(command, [
    ["cyberbackup logs -f", "watch the server at work"],
    ["cyberbackup logs console -n 200", "what it has printed, also when it could not start"],
  ]);
}

async function run(context: Context, { follow, lines: count }: Options, kind?: Kind): Promise<undefined> {
  const { output, host, config } = context;
  const data = serverDataFolder(config);
  const folders = [logFolder(config, kind === "agent" ? config.home : data)];
  const kinds: readonly Kind[] = kind ? [kind] : ["server", "console"];
  let path = await newest(folders, kinds);
  if (path === undefined)
    throw new AppError("logs_missing", { context: { folder: folders.map(shownText).join(", ") } });
  const show = (lines: readonly string[]): void => {
    for (const line of lines) {
      output.print(shownLine(line));
      output.json({ type: "line", command: "logs", file: path!, line });
    }
    output.flush();
  };
  let { lines, end } = await lastLines(path, count);
  show(lines);
  while (follow && !host.signal.aborted && !output.isClosed) {
    await setTimeout(LOOK_EVERY_MS, undefined, { signal: host.signal }).catch(() => undefined);
    ({ lines, end } = await addedLines(path, end));
    show(lines);
    const next = await newest(folders, kinds);
    // What the old file got last was read above; the new one is read from its beginning.
    if (next !== undefined && next !== path) [path, end] = [next, 0];
  }
  return undefined;
}

/** The file that is written: of rotated ones the greatest number. The first kind that has any. */
async function newest(folders: readonly string[], kinds: readonly Kind[]): Promise<string | undefined> {
  for (const kind of kinds) {
    for (const folder of folders) {
      const names = await readdir(folder).catch(() => [] as string[]);
      const numbered = names
        .map((name) => ({ name, number: numberOf(name, kind) }))
        .filter(({ number }) => number !== undefined)
        .sort((a, b) => b.number! - a.number!);
      for (const { name } of numbered) {
        const path = join(folder, name);
        if ((await stat(path)).size > 0 || kinds.length === 1) return path;
      }
    }
  }
  return undefined;
}

/** `console.log` is written, `console.1.log` was; of `server.1.log`, `server.2.log` the last is written. */
function numberOf(name: string, kind: Kind): number | undefined {
  if (name === `${kind}.log`) return Number.MAX_SAFE_INTEGER;
  const found = new RegExp(`^${kind}\\.(\\d{1,15})\\.log$`).exec(name)?.[1];
  return found === undefined ? undefined : Number(found);
}
