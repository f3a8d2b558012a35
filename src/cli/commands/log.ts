// `log`: what changed in the vault, entry by entry.

import type { Command } from "commander";
import { toHex } from "../../core/bytes.ts";
import { decodeLogEntry, type LogEntry } from "../../wire/v4/log-entry.ts";
import type { VaultPort } from "../../wire/v4/vault-port.ts";
import { action, type Context } from "../context.ts";
import { formatTime, isoTime } from "../format-time.ts";
import type { Ending } from "../json-schema.ts";
import { withVault } from "../open-vault.ts";
import { parseCount } from "../parse-values.ts";
import { addExamples, type Cli } from "../program.ts";
import { shownText } from "../shown-path.ts";
import { table } from "../table.ts";

type Options = { readonly last?: number };
type Line = Ending<"log">["entries"][number];

const PAGE_ENTRIES = 256;
const ID_CHARACTERS = 12;

export function define(command: Command, cli: Cli): void {
  command.option("--last <n>", "Only so many of the newest entries.", parseCount).action(action(cli, run));
  addExamples(command, [["cyberbackup log --last 20", "what happened lately; needs no passphrase"]]);
}

async function run(context: Context, { last }: Options): Promise<undefined> {
  const { output } = context;
  await withVault(context, async ({ vault }) => {
    const head = await vault.head();
    const names = new Map<string, string>((await vault.devices()).map(({ device, name }) => [device, name]));
    const entries: Line[] = [];
    for await (const entry of readLog(vault, last === undefined ? 0 : Math.max(0, head.seq - last))) {
      const deviceName = entry.by && names.get(entry.by);
      entries.push({
        seq: entry.seq,
        time: isoTime(entry.at),
        event: entry.type,
        ...(entry.by ? { device: entry.by } : {}),
        ...(deviceName ? { deviceName } : {}),
        detail: detailOf(entry),
      });
    }
    output.json({ type: "result", command: "log", entries, head: head.id });
    const columns = [
      { title: "No", align: "right" },
      { title: "Time" },
      { title: "Event" },
      { title: "By" },
      { title: "What" },
    ] as const;
    for (const line of table(
      columns,
      entries.map((line) => rowOf(line, names)),
      output.paint.bold,
    ))
      output.print(line);
  });
}

async function* readLog(vault: VaultPort, after: number): AsyncGenerator<LogEntry> {
  for (let seq = after; ; ) {
    const page = await vault.logAfter(seq, PAGE_ENTRIES);
    if (page.length === 0) return;
    for (const bytes of page) yield await decodeLogEntry(bytes);
    seq += page.length;
  }
}

/** Bytes as hex, in the order in which they were written down. */
function detailOf({ body }: LogEntry): Line["detail"] {
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [name, value instanceof Uint8Array ? toHex(value) : value]),
  );
}

function rowOf({ seq, time, event, device, deviceName, detail }: Line, names: ReadonlyMap<string, string>): string[] {
  const shown = Object.entries(detail)
    .filter(([name]) => name !== "publicKey" && name !== "hash")
    .map(([name, value]) => {
      const known = name === "device" && event !== "device-add" ? names.get(String(value)) : undefined;
      return known === undefined ? wordsOf(name, value) : shownText(known);
    });
  return [
    String(seq),
    formatTime(Date.parse(time)),
    event,
    shownText(deviceName ?? device?.slice(0, ID_CHARACTERS) ?? "the vault"),
    shown.join(" "),
  ];
}

function wordsOf(name: string, value: string | number | null): string {
  if (name === "group")
    return value === null ? "set apart" : value === "" ? "together with all" : shownText(`in group ${value}`);
  if (name === "until") return value === 0 ? "for good" : `until ${formatTime(Number(value))}`;
  const text = String(value);
  return shownText(/^[0-9a-f]{32,}$/.test(text) ? text.slice(0, ID_CHARACTERS) : text);
}
