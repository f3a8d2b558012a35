// How much of the processor's time the host of a virtual machine gave to others: a turn that lost a third of it is slow for no fault of the
// program. Linux only; elsewhere nothing is known and nothing is said.

import { readFileSync } from "node:fs";

/** Answers, when called, the share (0 to 1) of all time since then that was wanted here and taken by others; undefined where nobody says. */
export function watchStolen(): () => number | undefined {
  const before = ticks();
  return () => {
    const after = ticks();
    if (before === undefined || after === undefined) return undefined;
    const all = after.all - before.all;
    return all === 0 ? 0 : (after.stolen - before.stolen) / all;
  };
}

/** proc(5): user, nice, system, idle, iowait, irq, softirq, steal; guests are counted in user. */
function ticks(): { readonly all: number; readonly stolen: number } | undefined {
  try {
    const [line = ""] = readFileSync("/proc/stat", "latin1").split("\n", 1);
    const fields = line.trim().split(/\s+/).slice(1, 9).map(Number);
    return { all: fields.reduce((sum, field) => sum + field, 0), stolen: fields[7] ?? 0 };
  } catch {
    return undefined;
  }
}
