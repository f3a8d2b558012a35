// Runs as the server tells of them, at most once a second each, so that what goes on moves without anything being asked for. Answers are asked
// for anew only when a run begins or ends.

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { OVERVIEW_ROUTES } from "../../../wire/v4/api/overview-routes.ts";
import { RUN_ROUTES, type Run, runSchema } from "../../../wire/v4/api/run-routes.ts";
import { hearEvent } from "../../api/live.ts";
import { onLeaving } from "../../api/session.ts";
import { refresh } from "../../api/use-api.ts";

type Sample = { readonly at: number; readonly bytes: number };
type Live = { readonly run: Run; readonly samples: readonly Sample[] };

/** What the speed is an average over. */
const WINDOW_MS = 15_000;
/** Runs that are remembered. */
const KEPT = 500;

let known: ReadonlyMap<string, Live> = new Map();
const listeners = new Set<() => void>();
const turns = new Set<() => void>();

hearEvent("run", ({ data }) => {
  const judged = runSchema.safeParse(data.run);
  if (!judged.success) return;
  const run = judged.data;
  const key = keyOf(run);
  const before = known.get(key);
  const at = performance.now();
  const samples = [...(before?.samples ?? []), { at, bytes: run.bytes.done }].filter(
    (sample) => at - sample.at <= WINDOW_MS,
  );
  const kept = [...known].filter(([other]) => other !== key).slice(1 - KEPT);
  known = new Map([...kept, [key, { run, samples }]]);
  for (const listener of listeners) listener();
  if (before?.run.state === run.state && run.endedAt === null) return;
  for (const turn of turns) turn();
});
onLeaving(() => {
  known = new Map();
});

/** The run as it is now. */
export function useLiveRun(run: Run): Run {
  return newer(run, useKnown().get(keyOf(run)));
}

/** Those that go on: what an answer said, and what was heard since. `answeredAt` is the server's time of the answer. */
export function useRunning(answered: readonly Run[], answeredAt: number): readonly Run[] {
  const live = useKnown();
  const all = new Map(answered.map((run) => [keyOf(run), run]));
  for (const [key, { run }] of live) {
    const there = all.get(key);
    // What the answer does not know any more has ended while nobody heard it.
    if (there !== undefined || run.heardAt >= answeredAt) all.set(key, newer(there ?? run, live.get(key)));
  }
  return [...all.values()].filter(({ endedAt }) => endedAt === null).sort((a, b) => a.startedAt - b.startedAt);
}

/** Bytes a second, over the last moments; undefined until it is known. */
export function useSpeed(run: Run): number | undefined {
  const samples = useKnown().get(keyOf(run))?.samples ?? [];
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.at - first.at < 1500) return undefined;
  return ((last.bytes - first.bytes) / (last.at - first.at)) * 1000;
}

/** Asks for lists of runs, and what is counted of them, again when one has begun or ended. */
export function useRunTurns(): void {
  const client = useQueryClient();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const turn = (): void => {
      // Several may end at once.
      timer ??= setTimeout(() => {
        timer = undefined;
        void refresh(
          client,
          RUN_ROUTES.runs,
          RUN_ROUTES.run,
          RUN_ROUTES.runDays,
          OVERVIEW_ROUTES.overview,
          OVERVIEW_ROUTES.deviceStates,
        );
      }, 300);
    };
    turns.add(turn);
    return () => {
      turns.delete(turn);
      clearTimeout(timer);
    };
  }, [client]);
}

function useKnown(): ReadonlyMap<string, Live> {
  return useSyncExternalStore(subscribe, () => known);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function newer(run: Run, live: Live | undefined): Run {
  return live !== undefined && live.run.heardAt >= run.heardAt ? live.run : run;
}

function keyOf({ vault, run }: Pick<Run, "vault" | "run">): string {
  return `${vault}/${run}`;
}
