// A device in simulated time: its disk outlives its agents, which sleep, are killed and are started again. Backups take time and fail as the
// test says. Everything that happened is written down for the test to judge.

import { Agent, type AgentOptions, type Link } from "../../src/client/agent/agent.ts";
import type { AgentEvent } from "../../src/client/agent/agent-event.ts";
import type { BackUp } from "../../src/client/agent/perform.ts";
import { memoryStore } from "../../src/client/agent/plan-memory.ts";
import type { Timers } from "../../src/client/agent/timers.ts";
import type { VaultAgent } from "../../src/client/agent/vault-agent.ts";
import type { ErrorCode } from "../../src/core/errors.ts";
import { AppError, throwIfAborted } from "../../src/core/errors.ts";
import type { SessionId, SnapshotId, VaultId } from "../../src/core/ids.ts";
import { pseudoRandomBytes } from "../pseudo-random.ts";
import { MemoryStores } from "./memory-stores.ts";
import { SimTimers, settled } from "./sim-timers.ts";

export type Attempt = {
  readonly plan: string;
  readonly vault: VaultId;
  readonly run: string;
  readonly moment: number | null;
  readonly trigger: string;
  readonly startedAt: number;
  endedAt: number;
  outcome: "ok" | ErrorCode | "killed";
};

export type SimSnapshot = {
  readonly id: SnapshotId;
  readonly plan: string;
  readonly run: SessionId;
  readonly receivedAt: number;
};

export type SimOptions = {
  readonly startAt: number;
  readonly timeZone: string;
  readonly seed: number;
  /** How long a backup takes. */
  readonly lastsMs: (plan: string) => number;
  /** What keeps a backup from going on, at this time. */
  readonly trouble: (vault: VaultId, now: number) => ErrorCode | undefined;
  /** After each good run. */
  readonly onSnapshot?: (vault: VaultId, plan: string, now: number) => void;
  readonly openLink?: (agent: VaultAgent, options: AgentOptions) => Promise<Link | undefined>;
};

type Life = { isOver: boolean; readonly stop: AbortController; ended: Promise<void> };

export class SimDevice {
  readonly timers: SimTimers;
  readonly stores = new MemoryStores();
  readonly attempts: Attempt[] = [];
  readonly snapshots = new Map<VaultId, SimSnapshot[]>();
  readonly events: AgentEvent[] = [];
  /** Spans in which no agent was awake. */
  readonly away: { readonly from: number; readonly to: number }[] = [];
  agent: Agent | undefined;
  readonly #options: SimOptions;
  #life: Life | undefined;
  #count = 0;

  constructor(options: SimOptions) {
    this.#options = options;
    this.timers = new SimTimers(options.startAt);
  }

  get now(): number {
    return this.timers.clock.now();
  }

  async start(): Promise<void> {
    const life: Life = { isOver: false, stop: new AbortController(), ended: Promise.resolve() };
    this.#life = life;
    this.agent = new Agent(this.#agentOptions(life));
    life.ended = this.agent.run(life.stop.signal);
    await settled();
  }

  /** The process is gone in the middle of whatever it did. */
  kill(): void {
    this.#life!.isOver = true;
    this.agent = undefined;
    for (const attempt of this.attempts) {
      if (attempt.endedAt > 0) continue;
      attempt.endedAt = this.now;
      attempt.outcome = "killed";
    }
  }

  async stop(): Promise<void> {
    this.#life!.stop.abort();
    await this.timers.advanceTo(this.now + 60_000);
    await this.#life!.ended;
    this.agent = undefined;
  }

  sleepUntil(time: number): void {
    this.away.push({ from: this.now, to: time });
    this.timers.jump(time - this.now);
  }

  #agentOptions(life: { readonly isOver: boolean }): AgentOptions {
    const timers: Timers = {
      clock: this.timers.clock,
      sleep: async (ms, signal) => {
        await this.timers.sleep(ms, signal);
        if (life.isOver) await never();
      },
    };
    const options: AgentOptions = {
      plans: this.stores.plans,
      memories: memoryStore(mortal(this.stores, life)),
      pauses: mortal(this.stores, life),
      timers,
      random: { bytes: (length) => pseudoRandomBytes(this.#options.seed * 1_000_000 + this.#count++, length) },
      backUp: this.#backUp(timers),
      takeHold: () => ({ release: () => undefined }),
      env: {},
      timeZone: this.#options.timeZone,
      isOnBattery: async () => false,
      onEvent: (event) => {
        if (!life.isOver) this.events.push(event);
      },
      openLink: async (agent) => this.#options.openLink?.(agent, options),
      watchFiles: () => () => undefined,
    };
    return options;
  }

  #backUp(timers: Timers): BackUp {
    const { lastsMs, trouble, onSnapshot } = this.#options;
    return async ({ vault, plan, run, killed, gate, signal }) => {
      const memory = (await this.stores.read(vault, plan.name))!;
      const { moment, trigger } = memory.running!;
      const attempt: Attempt = {
        ...{ plan: plan.name, vault, run, moment, trigger, startedAt: this.now, endedAt: 0, outcome: "ok" },
      };
      this.attempts.push(attempt);
      const snapshots = this.snapshots.get(vault) ?? [];
      this.snapshots.set(vault, snapshots);
      try {
        throwIfTrouble(trouble(vault, this.now));
        const found = snapshots.find((row) => row.run === killed);
        if (found) return { snapshot: found.id, wasThere: true, problems: [], problemCount: 0 };
        await timers.sleep(lastsMs(plan.name), signal);
        await gate.pass(signal);
        throwIfAborted(signal);
        throwIfTrouble(trouble(vault, this.now));
        const id = `snapshot-${snapshots.length}` as SnapshotId;
        snapshots.push({ id, plan: plan.name, run, receivedAt: this.now });
        onSnapshot?.(vault, plan.name, this.now);
        return { snapshot: id, wasThere: false, problems: [], problemCount: 0 };
      } catch (error) {
        attempt.outcome = (error as AppError).code;
        throw error;
      } finally {
        if (attempt.endedAt === 0) attempt.endedAt = this.now;
      }
    };
  }
}

function throwIfTrouble(code: ErrorCode | undefined): void {
  if (code !== undefined) throw new AppError(code, { context: { address: "sim", detail: "as the test says" } });
}

/** Calls of an agent that was killed never come back, and change nothing. */
function mortal(stores: MemoryStores, life: { readonly isOver: boolean }): MemoryStores {
  return new Proxy(stores, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...given: unknown[]) => (life.isOver ? never() : value.apply(target, given));
    },
  });
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
