// The agent's work for one vault: its plans, when each is due, and its runs one after the other. What is due is decided by due.ts, how a run goes
// by perform.ts, what follows from its end by after-run.ts; here is what is remembered between them, so that every moment is run for once
// whatever ends the process.

import { toHex } from "../../core/bytes.ts";
import type { RandomSource } from "../../core/clock.ts";
import type { AppError } from "../../core/errors.ts";
import type { SessionId, VaultId } from "../../core/ids.ts";
import { openCalendar } from "../../engine/schedule.ts";
import type { Plan } from "../../wire/v4/plan-body.ts";
import { parseSchedule } from "../../wire/v4/plan-schedule.ts";
import { isOver, outcomeOf, type RunOrder, remembered, retryOfKilled } from "./after-run.ts";
import type { AgentEvent } from "./agent-event.ts";
import { type DueInput, nextDueAt, standingOf } from "./due.ts";
import { Gate } from "./gate.ts";
import { type Job, Lane, type TakeHold } from "./lane.ts";
import { FOREVER, type PauseStore, type Pauses, pausedUntil, withPause } from "./pauses.ts";
import { type BackUp, performRun, type RunEnd, type RunWatch } from "./perform.ts";
import type { PlanStore, VaultPlace } from "./plan-files.ts";
import { type MemoryStore, newMemory, type PlanMemory, type Trigger } from "./plan-memory.ts";
import type { Timers } from "./timers.ts";

export type VaultAgentOptions = {
  readonly vault: VaultId;
  readonly plans: PlanStore;
  readonly memories: MemoryStore;
  readonly pauses: PauseStore;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly backUp: BackUp;
  readonly takeHold: TakeHold;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** IANA: of plans that name none. */
  readonly timeZone: string;
  readonly isOnBattery: () => Promise<boolean>;
  readonly onEvent: (event: AgentEvent) => void;
  /** Something may be due now that was not before. */
  readonly poke: () => void;
  /** Hears of each run as it begins. */
  readonly onRun?: (run: CurrentRun) => void;
};

export type CurrentRun = {
  readonly run: SessionId;
  readonly plan: Plan;
  readonly memory: PlanMemory;
  readonly trigger: Trigger;
  readonly startedAt: number;
  readonly gate: Gate;
  /** Somebody holds this very run up. */
  isHeld: boolean;
  watch: RunWatch;
  /** Called when its phase changes, or it is held up or let go. */
  onChange: (() => void) | undefined;
  /** How it ended; undefined when a bug ended it. */
  readonly ended: Promise<RunEnd | undefined>;
};

export type KnownPlan = {
  readonly plan: Plan;
  memory: PlanMemory;
  readonly due: Pick<DueInput, "calendar" | "seed" | "jitterMs" | "catchUp">;
  /** When to look again; undefined: at once. */
  lookAt: number | undefined;
};

/** After a bug, or while the home folder cannot be written. */
const TROUBLE_LOOK_MS = 60_000;
const BATTERY_LOOK_MS = 60_000;

export class VaultAgent {
  readonly vault: VaultId;
  readonly #options: VaultAgentOptions;
  readonly #lane: Lane;
  readonly #known = new Map<string, KnownPlan>();
  /** Files that cannot be followed, by name, so that each is told once. */
  readonly #problems = new Map<string, string>();
  #place: VaultPlace | undefined;
  #pauses: Pauses = {};
  #current: CurrentRun | undefined;
  #isStopping = false;
  #now = 0;

  constructor(options: VaultAgentOptions) {
    this.vault = options.vault;
    this.#options = options;
    this.#lane = new Lane(options.timers, options.takeHold, options.poke);
  }

  get plans(): ReadonlyMap<string, KnownPlan> {
    return this.#known;
  }

  get place(): VaultPlace | undefined {
    return this.#place;
  }

  get pauses(): Pauses {
    return this.#pauses;
  }

  get current(): CurrentRun | undefined {
    return this.#current;
  }

  /** Reads plans, memories and pauses again. A plan whose file went bad stays as it was. */
  async load(): Promise<void> {
    const { plans, pauses, vault } = this.#options;
    this.#place = await plans.place(vault);
    const listed = this.#place ? await plans.list(vault) : [];
    for (const name of this.#known.keys()) {
      if (!listed.some((each) => each.name === name)) this.#known.delete(name);
    }
    for (const { name, plan, problem } of listed) {
      if (problem) this.#tellProblem(name, problem);
      else await this.#learn(plan);
    }
    this.#setPauses(await pauses.read(vault));
  }

  /** Begins what is due; answers when to look again, at the latest. */
  async tick(now: number): Promise<number | undefined> {
    const wentBack = now < this.#now;
    this.#now = now;
    let next = this.#holdUp(now);
    for (const [name, known] of this.#known) {
      if (this.#lane.has(name)) continue;
      if (wentBack || known.lookAt === undefined || known.lookAt <= now) known.lookAt = await this.#look(known, now);
      next = Math.min(next ?? known.lookAt, known.lookAt);
    }
    return next === undefined || next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  /** Runs a plan now, after what runs already. Answers how it ended; undefined when it waits already or was dropped. */
  ask(name: string, trigger: "asked" | "manual" = "asked"): Promise<RunEnd | undefined> {
    if (!this.#known.has(name)) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const isQueued = this.#enqueue(name, { moment: null, trigger, tries: 0 }, resolve);
      if (!isQueued) resolve(undefined);
    });
  }

  /** Ends a run, or all that runs and waits. Answers how many there were. */
  cancel(run?: string): number {
    return this.#lane.cancel((job) => run === undefined || job.id === run || this.#current?.run === run);
  }

  cancelPlan(name: string): number {
    return this.#lane.cancel((job) => job.plan === name);
  }

  /** Holds up the run that is under way, or lets it go on; false when it is not that one. */
  hold(run: string, isHeld: boolean): boolean {
    if (this.#current?.run !== run) return false;
    this.#current.isHeld = isHeld;
    this.#holdUp(this.#options.timers.clock.now());
    return true;
  }

  /** Pauses or resumes a plan, or all. A run under way is held up. */
  async pause(name: string | undefined, until: number | undefined): Promise<void> {
    const { pauses, vault } = this.#options;
    const changed = withPause(await pauses.read(vault), name, until);
    await pauses.write(vault, changed);
    this.#setPauses(changed);
  }

  /** The server is back: what waits to be tried again for want of it is tried now. */
  async retryNow(): Promise<void> {
    const now = this.#options.timers.clock.now();
    for (const [name, { memory }] of this.#known) {
      const { retry } = memory;
      if (!retry || retry.at <= now) continue;
      await this.#remember(name, (before) => ({ ...before, retry: before.retry && { ...before.retry, at: now } }));
    }
    this.#options.poke();
  }

  /** When the plan is due next by its schedule; undefined when it is not, or is paused for good. */
  nextDueAt(known: KnownPlan, now: number): number | undefined {
    if (!known.plan.enabled) return undefined;
    const due = nextDueAt({ ...known.due, handled: known.memory.handled, retry: null }, now);
    const until = pausedUntil(this.#pauses, known.plan.name, now);
    if (until === FOREVER) return undefined;
    return due === undefined || until === undefined ? due : Math.max(due, until);
  }

  /** Stops what runs where nothing is lost; it follows after the next start. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#lane.stop();
  }

  /** Reads again what is remembered of its plans: somebody else wrote it. */
  async reread(): Promise<void> {
    for (const [name, known] of this.#known) {
      known.memory = (await this.#options.memories.read(this.vault, name)) ?? known.memory;
    }
  }

  async #remember(name: string, change: (before: PlanMemory) => PlanMemory): Promise<void> {
    const known = this.#known.get(name);
    if (!known) return;
    const memory = await this.#options.memories.update(this.vault, name, (stored) => change(stored ?? known.memory));
    known.memory = memory!;
    known.lookAt = undefined;
  }

  async #learn(plan: Plan): Promise<void> {
    const { memories, timeZone, timers } = this.#options;
    const before = this.#known.get(plan.name);
    const isSame = before && JSON.stringify(before.plan) === JSON.stringify(plan);
    const isNew = (): PlanMemory => newMemory(this.#newId(), timers.clock.now());
    const memory = (await memories.update(this.vault, plan.name, (stored) => stored ?? isNew()))!;
    if (isSame) {
      before.memory = memory;
      before.lookAt = undefined;
      return;
    }
    try {
      const calendar = openCalendar(parseSchedule(plan.schedule), plan.timeZone ?? timeZone);
      const { jitterMinutes, catchUp } = plan;
      const due = { calendar, catchUp, seed: `${this.vault} ${memory.id}`, jitterMs: jitterMinutes * 60_000 };
      this.#known.set(plan.name, { plan, memory, due, lookAt: undefined });
      this.#problems.delete(plan.name);
    } catch (error) {
      this.#tellProblem(plan.name, error as AppError);
    }
  }

  #tellProblem(name: string, problem: AppError): void {
    if (this.#problems.get(name) === problem.message) return;
    this.#problems.set(name, problem.message);
    this.#options.onEvent({ type: "plan-problem", vault: this.vault, plan: name, error: problem });
  }

  /** Begins the plan if it is due; answers when to look again. */
  async #look(known: KnownPlan, now: number): Promise<number> {
    const { plan, memory } = known;
    const { running } = memory;
    // Nobody of this process runs it: it was killed, or another process is at it, which the lane finds out.
    const retry = running ? retryOfKilled(running, plan.retries, this.#options.random) : memory.retry;
    const until = pausedUntil(this.#pauses, plan.name, now);
    if (until !== undefined) return until === FOREVER ? Number.POSITIVE_INFINITY : until;
    const input = { ...known.due, handled: memory.handled, retry };
    const { due, nextAt } = standingOf(plan.enabled ? input : { ...input, calendar: NEVER }, now);
    if (!due) return nextAt ?? Number.POSITIVE_INFINITY;
    if (due.kind === "skip") {
      await this.#remember(plan.name, (before) => ({ ...before, handled: due.moment }));
      this.#options.onEvent({ type: "skipped", vault: this.vault, plan: plan.name, moment: due.moment });
      return now;
    }
    if (plan.onBattery === "wait" && (await this.#options.isOnBattery())) return now + BATTERY_LOOK_MS;
    this.#enqueue(plan.name, due);
    return now;
  }

  #enqueue(name: string, order: RunOrder, onEnd?: (end: RunEnd | undefined) => void): boolean {
    const id = this.#newId() as SessionId;
    let end: RunEnd | undefined;
    const job: Job = {
      plan: name,
      id,
      run: async (signal) => {
        try {
          end = await this.#run(name, id, order, signal);
        } catch (error) {
          this.#options.onEvent({ type: "trouble", vault: this.vault, plan: name, error });
          const known = this.#known.get(name);
          if (known) known.lookAt = this.#options.timers.clock.now() + TROUBLE_LOOK_MS;
        } finally {
          onEnd?.(end);
        }
      },
      dropped: () => onEnd?.(undefined),
    };
    return this.#lane.add(job);
  }

  /** In the lane, with the lock: whatever is remembered as running is not. */
  async #run(name: string, run: SessionId, order: RunOrder, signal: AbortSignal): Promise<RunEnd | undefined> {
    const { memories, timers, env, backUp, onEvent } = this.#options;
    const known = this.#known.get(name);
    const place = this.#place;
    if (!known || !place || this.#isStopping) return undefined;
    const { plan } = known;
    const startedAt = timers.clock.now();
    const { moment, trigger, tries } = order;
    let memory: PlanMemory | undefined;
    const begun = await memories.update(this.vault, name, (stored = known.memory) => {
      memory = isOver(stored, order) ? undefined : stored;
      if (!memory) return stored;
      const handled = Math.max(stored.handled, moment ?? 0);
      return { ...stored, handled, retry: null, running: { run, startedAt, moment, trigger, tries } };
    });
    known.memory = begun!;
    known.lookAt = undefined;
    if (!memory) return undefined;
    const killed = memory.running?.run as SessionId | undefined;
    const gate = new Gate();
    let current: CurrentRun | undefined;
    const { promise: ended, resolve: tellEnd } = Promise.withResolvers<RunEnd | undefined>();
    const watch = (state: RunWatch): void => {
      if (current) current.onChange?.();
      else {
        current = {
          run,
          plan,
          memory: memory!,
          trigger,
          startedAt,
          gate,
          ended,
          watch: state,
          isHeld: false,
          onChange: undefined,
        };
        this.#current = current;
        this.#holdUp(startedAt);
        this.#options.onRun?.(current);
      }
    };
    onEvent({ type: "run-started", vault: this.vault, plan: name, run, trigger });
    try {
      const request = { vault: this.vault, place, plan, run, killed, memory, trigger, env, timers, gate, signal };
      const end = await performRun({ ...request, watch }, backUp);
      const told = await this.#ended(name, end, order);
      tellEnd(told);
      return told;
    } finally {
      this.#current = undefined;
      tellEnd(undefined);
    }
  }

  async #ended(name: string, end: RunEnd, order: RunOrder): Promise<RunEnd> {
    const { memories, timers, random, onEvent } = this.#options;
    const known = this.#known.get(name);
    const now = timers.clock.now();
    const outcome = outcomeOf(end, order, { rules: known?.plan.retries, isStopping: this.#isStopping, now, random });
    const { last } = outcome;
    // A plan that was removed meanwhile stays so.
    const memory = await memories.update(this.vault, name, (stored) => stored && remembered(stored, outcome));
    if (known && memory) {
      known.memory = memory;
      known.lookAt = undefined;
    }
    onEvent({ type: "run-ended", vault: this.vault, plan: name, last, error: end.error, retryAt: memory?.retry?.at });
    return { ...end, last };
  }

  #setPauses(pauses: Pauses): void {
    this.#pauses = pauses;
    for (const known of this.#known.values()) known.lookAt = undefined;
    this.#holdUp(this.#options.timers.clock.now());
    this.#options.poke();
  }

  /** Holds what runs up while it is paused; answers when that ends. */
  #holdUp(now: number): number | undefined {
    const current = this.#current;
    if (!current) return undefined;
    const until = pausedUntil(this.#pauses, current.plan.name, now);
    const wasOpen = current.gate.isOpen;
    if (until === undefined && !current.isHeld) current.gate.open();
    else current.gate.close();
    if (current.gate.isOpen !== wasOpen) current.onChange?.();
    return until;
  }

  #newId(): string {
    return toHex(this.#options.random.bytes(16));
  }
}

const NEVER = openCalendar({ kind: "manual" }, "UTC");
