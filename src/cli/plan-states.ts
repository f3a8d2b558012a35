// How plans stand: what `plan list` and `agent status` show, for people and as JSON.

import { FOREVER, pausedUntil } from "../client/agent/pauses.ts";
import type { LastRun } from "../client/agent/plan-memory.ts";
import type { KnownPlan, VaultAgent } from "../client/agent/vault-agent.ts";
import { agentHost, openVaultAgent } from "./agent-host.ts";
import type { Context } from "./context.ts";
import { formatAge, formatTime, isoTime } from "./format-time.ts";
import type { Ending } from "./json-schema.ts";
import { planVaults } from "./plan-find.ts";
import { shownText } from "./shown-path.ts";
import { table } from "./table.ts";

export type PlanState = Ending<"agent status">["plans"][number];
export type LastRunJson = NonNullable<PlanState["last"]>;

const HOUR_MS = 3_600_000;

export async function planStates(context: Context): Promise<PlanState[]> {
  const { plans } = agentHost(context);
  const now = context.host.clock.now();
  const states: PlanState[] = [];
  for (const { vault, place } of await planVaults(context, plans)) {
    const agent = await openVaultAgent(context, vault);
    for (const { name, problem } of await plans.list(vault)) {
      const known = agent.plans.get(name);
      const common = { name, vault, place: place.vault };
      if (known) states.push({ ...common, ...stateOf(agent, known, now) });
      else
        states.push({ ...common, running: false, overdue: false, problem: problem?.message ?? "It cannot be read." });
    }
  }
  return states;
}

function stateOf(agent: VaultAgent, known: KnownPlan, now: number): Omit<PlanState, "name" | "vault" | "place"> {
  const { plan, memory } = known;
  const next = agent.nextDueAt(known, now);
  const until = pausedUntil(agent.pauses, plan.name, now);
  const { retry, last, lastGoodAt, refused } = memory;
  return {
    enabled: plan.enabled,
    schedule: plan.schedule,
    ...(next === undefined ? {} : { nextDueAt: isoTime(next) }),
    ...(until === undefined ? {} : { paused: true, ...(until === FOREVER ? {} : { pausedUntil: isoTime(until) }) }),
    running: memory.running !== null,
    ...(retry ? { retryAt: isoTime(retry.at) } : {}),
    overdue: isOverdue(known, now),
    ...(lastGoodAt === null ? {} : { lastGoodAt: isoTime(lastGoodAt) }),
    ...(last ? { last: lastRunJson(last) } : {}),
    ...(refused ? { refused: refused.error } : {}),
  };
}

/** A moment is so long past without a good run after it. */
function isOverdue({ plan, memory, due }: KnownPlan, now: number): boolean {
  if (!plan.enabled || plan.overdueAfterHours === undefined) return false;
  const moment = due.calendar.latest(memory.lastGoodAt ?? 0, now - plan.overdueAfterHours * HOUR_MS);
  return moment !== undefined && (memory.lastGoodAt ?? 0) < moment.at;
}

export function lastRunJson(last: LastRun): LastRunJson {
  const { run, trigger, startedAt, endedAt, outcome, snapshot, error, message, output, ...counts } = last;
  return {
    ...{ run, trigger, startedAt: isoTime(startedAt), endedAt: isoTime(endedAt), outcome },
    ...(snapshot === null ? {} : { snapshot }),
    ...(error === null ? {} : { error }),
    ...(message === "" ? {} : { message }),
    ...counts,
    remarks: [...counts.remarks],
    ...(output === "" ? {} : { output }),
  };
}

export function showStates({ output, host }: Context, states: readonly PlanState[]): void {
  if (states.length === 0) {
    output.say('There are no plans. Make one: cyberbackup plan add NAME FOLDER --schedule "every day at 12:30"');
    return;
  }
  const now = host.clock.now();
  const { red, yellow, green } = output.paint;
  const rows = states.map((state) => [
    shownText(state.name),
    shownText(state.place),
    shownText(state.schedule ?? ""),
    nextWords(state, now),
    state.problem !== undefined ? red("not valid") : lastWords(state, now, { red, yellow, green }),
  ]);
  const titles = ["Plan", "Vault", "Schedule", "Next", "Last run"];
  for (const line of table(
    titles.map((title) => ({ title })),
    rows,
    output.paint.bold,
  )) {
    output.print(line);
  }
  for (const { name, problem, refused, last, overdue } of states) {
    const who = shownText(name);
    if (problem !== undefined) output.warn(`${who}: ${shownText(problem)}`);
    if (refused !== undefined) output.warn(`${who}: the server's version was not taken over (${refused}).`);
    if (overdue) output.warn(`${who} is overdue.`);
    for (const remark of last?.remarks ?? []) output.warn(`${who}: ${REMARKS[remark] ?? remark}.`);
    if (last?.message !== undefined) output.warn(`${who}: ${shownText(last.message)}`);
    if (last?.output !== undefined)
      for (const line of last.output.trimEnd().split("\n")) output.print(`  ${shownText(line)}`);
  }
}

const REMARKS: Readonly<Record<string, string>> = {
  "fewer-files": "the last run found at least 90 % fewer files than the one before",
  "many-changed": "the last run found far more changed files than usual",
};

function nextWords(state: PlanState, now: number): string {
  if (state.running) return "runs now";
  if (state.paused)
    return state.pausedUntil === undefined ? "paused" : `paused until ${formatTime(Date.parse(state.pausedUntil))}`;
  if (state.enabled === false) return "off";
  if (state.retryAt !== undefined) return `again ${formatAge(Date.parse(state.retryAt), now)}`;
  return state.nextDueAt === undefined ? "when asked" : formatTime(Date.parse(state.nextDueAt));
}

function lastWords(
  { last }: PlanState,
  now: number,
  { red, yellow, green }: Record<string, (text: string) => string>,
): string {
  if (!last) return "none yet";
  const paint = last.outcome === "ok" ? green : last.outcome === "failed" ? red : yellow;
  const words = last.outcome === "failed" ? `failed (${last.error})` : last.outcome;
  return `${paint!(words)}, ${formatAge(Date.parse(last.endedAt), now)}`;
}
