// The line on which the server tells what happens. It is kept while somebody is signed in and the tab is looked at; it comes back by
// itself, goes on after the last event that was heard, and says how the server is (the header's badge). It is a fetch, not an
// EventSource: only so can silence, the end of a sign-in and a proxy's own errors be told apart.

import { systemSleep } from "../../core/clock.ts";
import { isAppError } from "../../core/errors.ts";
import { begin } from "../../engine/remote/exchange.ts";
import { JOB_ROUTES } from "../../wire/v4/api/job-routes.ts";
import { PEOPLE_ROUTES } from "../../wire/v4/api/people-routes.ts";
import { call } from "./call.ts";
import { type LiveEvent, readEvents } from "./event-reader.ts";
import { pageSender } from "./sender.ts";

/** `waiting`: the server does not answer, and is tried again. `paused`: nobody looks. */
export type LineState = "connecting" | "live" | "waiting" | "paused";
export type Line = { readonly state: LineState; readonly latencyMs: number | undefined; readonly since: number };

export type LiveHooks = {
  onEvent(event: LiveEvent): void;
  /** Events were missed, or the server was away: everything is to be asked for anew. */
  onMissed(): void;
  /** The sign-in has ended. */
  onSignedOut(): void;
};

/** The server's heartbeat is every 15 s. */
const SILENCE_MS = 40_000;
const PROBE_MS = 20_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** A tab that is hidden for so long gives its connection back: browsers allow six to a host. */
const HIDDEN_MS = 30_000;

let line: Line = { state: "connecting", latencyMs: undefined, since: 0 };
const listeners = new Set<() => void>();
const hearers = new Map<string, Set<(event: LiveEvent) => void>>();

export const lineStore = {
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  current: (): Line => line,
};

/** Calls `hear` for each event of that name; answers how to stop. */
export function hearEvent(name: string, hear: (event: LiveEvent) => void): () => void {
  const set = hearers.get(name) ?? new Set();
  hearers.set(name, set.add(hear));
  return () => set.delete(hear);
}

/** Answers how to stop. */
export function startLine(hooks: LiveHooks): () => void {
  const over = new AbortController();
  void keepLine(hooks, over.signal);
  void keepProbing(over.signal);
  return () => over.abort();
}

async function keepLine(hooks: LiveHooks, signal: AbortSignal): Promise<void> {
  let lastId: string | undefined;
  let waitMs = FIRST_WAIT_MS;
  const heard = (event: LiveEvent): void => {
    if (line.state !== "live") {
      if (line.state === "waiting") hooks.onMissed();
      setLine({ state: "live" });
    }
    waitMs = FIRST_WAIT_MS;
    if (event.id !== "") lastId = event.id;
    if (event.event === "missed") hooks.onMissed();
    else {
      hooks.onEvent(event);
      for (const hear of hearers.get(event.event) ?? []) hear(event);
    }
  };
  while (!signal.aborted) {
    await untilLookedAt(signal);
    if (signal.aborted) return;
    try {
      await readLine(lastId, heard, signal);
      if (document.hidden) continue;
    } catch (error) {
      if (signal.aborted) return;
      if (isAppError(error, "login_failed") || isAppError(error, "token_expired")) return hooks.onSignedOut();
    }
    if (signal.aborted) return;
    setLine({ state: "waiting" });
    await systemSleep(waitMs, signal);
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  }
}

/** Until it breaks, falls silent, or the tab has been hidden for long. */
async function readLine(
  lastId: string | undefined,
  heard: (event: LiveEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const cut = new AbortController();
  const either = AbortSignal.any([signal, cut.signal]);
  let silence: ReturnType<typeof setTimeout> | undefined;
  let hidden: ReturnType<typeof setTimeout> | undefined;
  const notSilent = (): void => {
    clearTimeout(silence);
    silence = setTimeout(() => cut.abort(), SILENCE_MS);
  };
  const onVisibility = (): void => {
    clearTimeout(hidden);
    if (document.hidden) hidden = setTimeout(() => cut.abort(), HIDDEN_MS);
  };
  document.addEventListener("visibilitychange", onVisibility);
  notSilent();
  try {
    const headers = lastId === undefined ? {} : { "last-event-id": lastId };
    const answer = await begin(pageSender, JOB_ROUTES.events, { headers, signal: either });
    for await (const event of readEvents(answer.body)) {
      notSilent();
      if (event !== undefined) heard(event);
    }
  } finally {
    clearTimeout(silence);
    clearTimeout(hidden);
    document.removeEventListener("visibilitychange", onVisibility);
  }
}

/** Measures how long an answer takes, for the badge. */
async function keepProbing(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    if (!document.hidden) {
      const start = performance.now();
      try {
        await call(PEOPLE_ROUTES.live, { signal });
        setLine({ latencyMs: performance.now() - start });
      } catch {
        setLine({ latencyMs: undefined });
      }
    }
    await systemSleep(PROBE_MS, signal);
  }
}

function setLine(change: Partial<Line>): void {
  const since = change.state !== undefined && change.state !== line.state ? Date.now() : line.since;
  line = { ...line, ...change, since };
  for (const listener of listeners) listener();
}

async function untilLookedAt(signal: AbortSignal): Promise<void> {
  if (!document.hidden) return;
  setLine({ state: "paused" });
  await new Promise<void>((resolve) => {
    document.addEventListener("visibilitychange", () => resolve(), { once: true, signal });
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
