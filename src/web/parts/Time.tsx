// A moment as people think of it ("3 hours ago"), with the exact one behind it. One clock ticks for all of them.

import { Tooltip } from "@mantine/core";
import { useSyncExternalStore } from "react";
import { formatAge, formatExactTime } from "../format/numbers.ts";

const TICK_MS = 10_000;
let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** The time, as of the last ten seconds. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

export function Time({ at }: { readonly at: number }) {
  const ticked = useNow();
  // What has happened since the last tick is no future.
  const current = at - ticked > 0 && at - ticked < TICK_MS ? at : ticked;
  return (
    <Tooltip label={formatExactTime(at)} events={{ hover: true, focus: true, touch: true }}>
      <time dateTime={new Date(at).toISOString()}>{formatAge(at, current)}</time>
    </Tooltip>
  );
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) {
    now = Date.now();
    timer = setInterval(() => {
      now = Date.now();
      for (const each of listeners) each();
    }, TICK_MS);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) clearInterval(timer);
  };
}
