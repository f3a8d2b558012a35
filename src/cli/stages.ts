// The steps of a start, one after another: each is named, timed and told, also when it is the one that fails. What it throws goes on
// to whoever says how the run ended, and is said to people only there.

import type { Context } from "./context.ts";
import { toAppError } from "./failure.ts";
import { formatDuration } from "./format-time.ts";

export type Stage = <T>(
  name: string,
  work: () => Promise<{ readonly detail: string; readonly value: T }>,
) => Promise<T>;

const NAME_WIDTH = 9;

export function stagesOf({ host, output }: Context): Stage {
  const tell = (name: string, ok: boolean, detail: string, startMs: number): void => {
    const durationMs = Math.round(host.clock.monotonic() - startMs);
    const mark = ok ? output.paint.green("✔") : output.paint.red("✖");
    const shown = ok ? detail : "failed";
    output.say(`${mark} ${name.padEnd(NAME_WIDTH)} ${formatDuration(durationMs).padStart(7)}  ${shown}`);
    output.json({ type: "stage", command: "up", stage: name, ok, detail, durationMs });
    output.flush();
  };
  return async (name, work) => {
    const startMs = host.clock.monotonic();
    try {
      const { detail, value } = await work();
      tell(name, true, detail, startMs);
      return value;
    } catch (error) {
      tell(name, false, toAppError(error, host.signal.aborted).message, startMs);
      throw error;
    }
  };
}
