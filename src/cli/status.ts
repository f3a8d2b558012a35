// What long work shows while it runs: on a terminal a few lines that are drawn over each other, with --json a progress document
// each second, on a pipe nothing. It looks at the work's figures when it likes; the work never waits for it.

import { columnsOf, wantsLiveDisplay } from "../node/terminal.ts";
import type { Context } from "./context.ts";
import { formatBytes } from "./format-bytes.ts";
import { formatDuration } from "./format-time.ts";
import type { ProgressDocument } from "./json-schema.ts";
import { smoothedRate } from "./rate.ts";
import { shownText } from "./shown-path.ts";
import { shortenMiddle } from "./text-width.ts";

/** The figures of some work at a moment. */
export type Figures = Omit<ProgressDocument, "type" | "elapsedMs"> & {
  /** First line, before rate and time: what was done so far, in words. */
  readonly done: string;
  /** What each worker is at. */
  readonly workers?: readonly string[];
};

const DRAW_MS = 100;
const DOCUMENT_MS = 1000;

/** Runs `work` and shows `figures` meanwhile. */
export async function whileShowing<T>(context: Context, figures: () => Figures, work: () => Promise<T>): Promise<T> {
  const { host, output, config } = context;
  if (output.isQuiet) return work();
  if (output.isJson) return withDocuments(context, figures, work);
  if (!wantsLiveDisplay(config.progress, host.stderr, host.env)) return work();
  return withDisplay(context, figures, work);
}

async function withDocuments<T>(context: Context, figures: () => Figures, work: () => Promise<T>): Promise<T> {
  const { clock } = context.host;
  const startMs = clock.monotonic();
  const emit = (): void => {
    const { done, workers, ...fields } = figures();
    context.output.json({ type: "progress", ...fields, elapsedMs: Math.round(clock.monotonic() - startMs) });
    context.output.flush();
  };
  emit();
  const timer = setInterval(emit, DOCUMENT_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

async function withDisplay<T>(context: Context, figures: () => Figures, work: () => Promise<T>): Promise<T> {
  const { host, output } = context;
  const { createLogUpdate } = await import("log-update");
  const display = createLogUpdate(host.stderr as NodeJS.WriteStream);
  const startMs = host.clock.monotonic();
  const rate = smoothedRate();
  const draw = (): void => {
    const elapsedMs = host.clock.monotonic() - startMs;
    const now = figures();
    const bytesPerSecond = rate(now.bytes ?? 0, elapsedMs);
    display(statusLines(now, { elapsedMs, bytesPerSecond, width: columnsOf(host.stderr) - 1 }).join("\n"));
  };
  const timer = setInterval(draw, DRAW_MS);
  output.beforeError = () => display.clear();
  try {
    return await work();
  } finally {
    clearInterval(timer);
    output.beforeError = undefined;
    display.clear();
    display.done();
  }
}

/** The display as lines no wider than `width`. */
export function statusLines(
  figures: Figures,
  { elapsedMs, bytesPerSecond, width }: { elapsedMs: number; bytesPerSecond: number; width: number },
): string[] {
  const parts = [figures.done, `${formatBytes(bytesPerSecond)}/s`, formatDuration(elapsedMs)];
  const eta = etaMs(figures, bytesPerSecond);
  if (eta !== undefined) parts.push(`${formatDuration(eta)} left`);
  if (figures.problems) parts.push(`${figures.problems} not readable`);
  const workers = (figures.workers ?? []).filter((path) => path !== "");
  const paths = workers.length > 0 ? workers : figures.current ? [figures.current] : [];
  return [parts.join("  "), ...paths.map((path) => `  ${shownText(path)}`)].map((line) => shortenMiddle(line, width));
}

function etaMs({ bytes = 0, totalBytes }: Figures, bytesPerSecond: number): number | undefined {
  if (totalBytes === undefined || bytesPerSecond < 1 || totalBytes < bytes) return undefined;
  return ((totalBytes - bytes) / bytesPerSecond) * 1000;
}
