// Writes docs/benchmarks.md from the results. What stands between the two note markers is written by hand and is kept.
import type { Case, Result, Series, Target } from "./case.ts";
import { type Judgement, judge } from "./judge.ts";
import { type Spread, spread } from "./statistics.ts";

const NOTES_START = "<!-- notes: what follows is written by hand and kept -->";
const NOTES_END = "<!-- end of notes -->";
const NO_NOTES = "\n## Notes and profiles\n\nNothing yet.\n\n";

export function page(cases: readonly Case[], results: readonly Result[], before: string): string {
  const measured = cases.flatMap((benchmark) => {
    const result = results.find(({ name }) => name === benchmark.name);
    return result === undefined ? [] : [{ benchmark, result }];
  });
  const missing = cases.filter(({ name }) => !results.some((result) => result.name === name));
  return [
    "# Benchmarks\n",
    "Written by `npm run bench`; `npm run bench -- --list` names the cases. The contenders of a case take turns, on a warm page",
    "cache, each with encryption and its default compression. A ratio is ours over theirs, taken pair by pair: the median, and in",
    "brackets the least and the greatest. Memory is the peak of the largest process of a command, as GNU time reports it, and of its server apart.\n",
    ...unique(measured.map(({ result }) => `- Machine: ${result.machine}`)),
    ...unique(measured.map(({ result }) => `- Versions: ${named(result.versions)}`)),
    "\n## Targets\n",
    "| case | what | at most | measured | |",
    "|---|---|---|---|---|",
    ...measured.flatMap(({ benchmark, result }) => judge(benchmark, result).map((it) => targetRow(benchmark, it))),
    ...missing.map(({ name }) => `| ${name} | | | not measured yet | |`),
    "",
    ...measured.flatMap(({ benchmark, result }) => section(benchmark, result)),
    `${NOTES_START}${notesOf(before)}${NOTES_END}\n`,
  ].join("\n");
}

function notesOf(before: string): string {
  const start = before.indexOf(NOTES_START);
  const end = before.indexOf(NOTES_END);
  return start === -1 || end < start ? NO_NOTES : before.slice(start + NOTES_START.length, end);
}

function targetRow({ name, allowance }: Case, { target, measured, verdict }: Judgement): string {
  const isLess = target.quantity === "wall" && target.against === undefined && allowance !== undefined;
  const what = `${QUANTITY[target.quantity]}${isLess ? `, less ${allowance.what}` : against(target, "`")}`;
  return `| ${name} | ${what} | ${shower(target)(target.atMost)} | ${ranged(target, measured)} | ${verdict} |`;
}

/** A target and what was measured for it, in one line for a terminal. */
export function spoken(target: Target, measured: Spread): string {
  const most = shower(target)(target.atMost);
  return `${QUANTITY[target.quantity]}${against(target, "")} ${ranged(target, measured)}, at most ${most}`;
}

function against({ against: name }: Target, quote: string): string {
  return name === undefined ? "" : ` against ${quote}${quote === "" ? name : escaped(name)}${quote}`;
}

function ranged(target: Target, { median, min, max }: Spread): string {
  const show = shower(target);
  return `${show(median)} (${show(min)} to ${show(max)})`;
}

/** A bar would end the cell of a table. */
function escaped(text: string): string {
  return text.replaceAll("|", "\\|");
}

const QUANTITY = {
  wall: "time",
  stored: "stored bytes",
  peak: "peak memory",
  server: "peak memory of the server",
  task: "longest task of the page",
} as const;

function shower({ quantity, against }: Target): (value: number) => string {
  if (against !== undefined) return (value) => `${value.toFixed(2)}×`;
  if (quantity === "task") return milliseconds;
  return quantity === "wall" ? seconds : mebibytes;
}

function section({ name, title }: Case, { date, runs, series, allowanceMs }: Result): string[] {
  const unlocking =
    allowanceMs === undefined ? [] : [`Unlocking, which the target leaves out: ${range(allowanceMs, seconds)}.\n`];
  return [
    `## ${title}\n`,
    "| program | time | peak memory | stored |",
    "|---|---|---|---|",
    ...series.map(seriesRow),
    "",
    ...unlocking,
    ...stolen(series),
    `\`npm run bench -- ${name} --runs ${runs}\`, ${date}\n`,
  ];
}

/** From a fiftieth on. */
function stolen(series: readonly Series[]): string[] {
  const shares = series.flatMap(({ stolenShare = [] }) => stolenShare);
  const [least, most] = [Math.min(...shares), Math.max(...shares)].map((share) => Math.round(share * 100));
  if (shares.length === 0 || most! < 2) return [];
  const range = least === most ? `${most}` : `${least} to ${most}`;
  return [`Of the processor's time, ${range} % went to other guests of the host in these turns.\n`];
}

function seriesRow({ name, wallMs, peakBytes, storedBytes, serverPeakBytes = [] }: Series): string {
  const stored = storedBytes.length === 0 ? "" : mebibytes(spread(storedBytes).median);
  const server = serverPeakBytes.length === 0 ? "" : `; server ${range(serverPeakBytes, mebibytes)}`;
  return `| ${escaped(name)} | ${range(wallMs, seconds)} | ${range(peakBytes, mebibytes)}${server} | ${stored} |`;
}

function range(values: readonly number[], show: (value: number) => string): string {
  const { median, min, max }: Spread = spread(values);
  return `${show(median)} (${show(min)} to ${show(max)})`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 2 : 1)} s`;
}

function milliseconds(value: number): string {
  return `${Math.round(value)} ms`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 24 ? 1 : 0)} MiB`;
}

function named(versions: Readonly<Record<string, string>>): string {
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");
}

function unique(lines: readonly string[]): string[] {
  return [...new Set(lines)];
}
