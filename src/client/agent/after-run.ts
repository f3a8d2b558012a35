// What follows from how a run ended: what is remembered of it, and whether and when it is tried again (docs/agent.md). Pure functions of the run,
// of the plan's rules, of time and chance: nothing is stored or started here.

import type { RandomSource } from "../../core/clock.ts";
import { isAppError } from "../../core/errors.ts";
import type { Plan } from "../../wire/v4/plan-body.ts";
import type { Retry } from "./due.ts";
import type { RunEnd } from "./perform.ts";
import type { LastRun, PlanMemory, Trigger } from "./plan-memory.ts";

/** Why a run began: for which moment of the schedule, and how many tries there were before. */
export type RunOrder = { readonly moment: number | null; readonly trigger: Trigger; readonly tries: number };

export type Circumstances = {
  /** Of the plan, unless it was removed meanwhile. */
  readonly rules: Plan["retries"] | undefined;
  /** The agent is about to end. */
  readonly isStopping: boolean;
  readonly now: number;
  readonly random: RandomSource;
};

export type Outcome = Pick<PlanMemory, "retry" | "baseline"> & { readonly last: LastRun };

const NO_RULES: Plan["retries"] = { times: 0, firstWaitSeconds: 60, longestWaitSeconds: 3600 };
/** Of a wait between tries, at random, so that many devices do not try together. */
const RETRY_SPREAD = 0.25;

export function outcomeOf(
  { last, error, baseline }: Pick<RunEnd, "last" | "error" | "baseline">,
  { moment, trigger, tries }: RunOrder,
  { rules = NO_RULES, isStopping, now, random }: Circumstances,
): Outcome {
  if (isStopping && last.outcome === "cancelled") {
    const retry = { at: now, tries, moment, error: error?.code ?? "interrupted" };
    return { last: { ...last, outcome: "interrupted" }, baseline, retry };
  }
  const tried = tries + 1;
  // A server that is away says nothing about the plan: as long as it is, there is nothing to give up.
  const hasTries = isAppError(error, "server_unreachable") ? rules.times > 0 : tried <= rules.times;
  const isWorthIt = last.outcome === "failed" && trigger !== "manual" && error?.retry === true;
  if (!isWorthIt || !hasTries) return { last, baseline, retry: null };
  return { last, baseline, retry: { at: now + waitMs(rules, tried, random), tries: tried, moment, error: error.code } };
}

export function remembered(before: PlanMemory, outcome: Outcome): PlanMemory {
  const { last } = outcome;
  const isGood = last.outcome === "ok" || last.outcome === "partial";
  return { ...before, ...outcome, running: null, lastGoodAt: isGood ? last.endedAt : before.lastGoodAt };
}

/** Of a run of which only the beginning is remembered: its process was killed. The first time it follows at once. */
export function retryOfKilled(
  { startedAt, tries, moment }: NonNullable<PlanMemory["running"]>,
  rules: Plan["retries"],
  random: RandomSource,
): Retry {
  return { at: tries === 0 ? 0 : startedAt + waitMs(rules, tries, random), tries: tries + 1, moment };
}

/** Somebody else did it meanwhile: the moment was handled, or what was to be tried again is done. */
export function isOver({ retry, running, handled }: PlanMemory, { moment, trigger }: RunOrder): boolean {
  if (trigger === "asked" || trigger === "manual") return false;
  if (trigger === "retry") return retry === null && running === null;
  return moment !== null && handled >= moment;
}

function waitMs(
  { firstWaitSeconds, longestWaitSeconds }: Plan["retries"],
  tries: number,
  random: RandomSource,
): number {
  const seconds = Math.min(longestWaitSeconds, firstWaitSeconds * 2 ** Math.min(30, Math.max(0, tries - 1)));
  const [spread = 0] = random.bytes(1);
  return seconds * 1000 * (1 + (RETRY_SPREAD * spread) / 256);
}
