// The steps of a start, one after another: each is named, timed and told, also when it is the one that fails. What it throws goes on
// to whoever says how the run ended, and is said to people only there.

import { wantsLiveDisplay } from "../node/terminal.ts";
import type { Context } from "./context.ts";
import { toAppError } from "./failure.ts";
import { formatDuration } from "./format-time.ts";

export type Stage = <T>(
  name: string,
  work: () => Promise<{ readonly detail: string; readonly value: T }>,
  /** What takes its time there, in words. */
  doing?: string,
) => Promise<T>;

const NAME_WIDTH = 9;
const DRAW_MS = 1000;
const CLEAR_LINE = "\r\x1b[K";

export function stagesOf(context: Context): Stage {
  const { host, output } = context;
  const tell = (name: string, ok: boolean, detail: string, startMs: number): void => {
    const durationMs = Math.round(host.clock.monotonic() - startMs);
    const mark = ok ? output.paint.green("✔") : output.paint.red("✖");
    const shown = ok ? detail : "failed";
    output.say(`${mark} ${name.padEnd(NAME_WIDTH)} ${formatDuration(durationMs).padStart(7)}  ${shown}`);
    output.json({ type: "stage", command: "up", stage: name, ok, detail, durationMs });
    output.flush();
  };
  return async (name, work, doing) => {
    const startMs = host.clock.monotonic();
    try {
      const { detail, value } = await (doing === undefined ? work() : whileCounting(context, name, doing, work));
      tell(name, true, detail, startMs);
      return value;
    } catch (error) {
      tell(name, false, toAppError(error, host.signal.aborted).message, startMs);
      throw error;
    }
  };
}

/** On a terminal a line says from the second second on what is being done, and for how long already. */
async function whileCounting<T>(
  { host, output, config }: Context,
  name: string,
  doing: string,
  work: () => Promise<T>,
): Promise<T> {
  if (output.isQuiet || output.isJson || !wantsLiveDisplay(config.progress, host.stderr, host.env)) return work();
  const startMs = host.clock.monotonic();
  const clear = (): void => void host.stderr.write(CLEAR_LINE);
  const timer = setInterval(() => {
    const seconds = Math.round((host.clock.monotonic() - startMs) / 1000);
    host.stderr.write(`${CLEAR_LINE}… ${name.padEnd(NAME_WIDTH)} ${`${seconds} s`.padStart(7)}  ${doing}`);
  }, DRAW_MS);
  output.beforeError = clear;
  try {
    return await work();
  } finally {
    clearInterval(timer);
    output.beforeError = undefined;
    clear();
  }
}
