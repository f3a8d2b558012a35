// The agent: one loop that begins what is due in any vault, and a connection to each server (docs/agent.md). It looks at the clock anew at least twice a
// minute, so that a device which slept notices; whatever happens elsewhere pokes it. Nothing here knows what a backup is.

import type { RandomSource } from "../../core/clock.ts";
import type { VaultId } from "../../core/ids.ts";
import type { AgentEvent } from "./agent-event.ts";
import type { TakeHold } from "./lane.ts";
import type { PauseStore } from "./pauses.ts";
import type { BackUp } from "./perform.ts";
import type { PlanStore } from "./plan-files.ts";
import type { MemoryStore } from "./plan-memory.ts";
import type { Timers } from "./timers.ts";
import { type CurrentRun, VaultAgent } from "./vault-agent.ts";

/** A vault's connection to its server, as the agent drives it. */
export interface Link {
  /** Until the signal fires. Never throws. */
  run(signal: AbortSignal): Promise<void>;
  /** The device woke up: connections from before may be dead without knowing. */
  renew(): void;
  /** A run begins; it is to be reported. */
  watch(run: CurrentRun): void;
  /** Plans or when they are due have changed. */
  plansChanged(): void;
  /** Resolves when what runs reported is delivered or kept. */
  settled(): Promise<void>;
}

export type AgentOptions = {
  readonly plans: PlanStore;
  readonly memories: MemoryStore;
  readonly pauses: PauseStore;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly backUp: BackUp;
  readonly takeHold: (vault: VaultId) => ReturnType<TakeHold>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeZone: string;
  readonly isOnBattery: () => Promise<boolean>;
  readonly onEvent: (event: AgentEvent) => void;
  /** undefined for vaults that are on no server. */
  readonly openLink: (vault: VaultAgent) => Promise<Link | undefined>;
  /** Calls back when files of plans or pauses may have changed; answers how to end that. */
  readonly watchFiles: (onChange: () => void) => () => void;
};

/** Timers stand still while a device sleeps: none is longer. */
const SLICE_MS = 30_000;
const SLEPT_MS = 120_000;

type Served = { readonly agent: VaultAgent; readonly link: Link | undefined; readonly linked: Promise<void> };

export class Agent {
  readonly #options: AgentOptions;
  readonly #served = new Map<VaultId, Served>();
  #wake = new AbortController();
  #isStale = true;

  constructor(options: AgentOptions) {
    this.#options = options;
  }

  /** The vaults that it works for. */
  get vaults(): VaultAgent[] {
    return [...this.#served.values()].map(({ agent }) => agent);
  }

  /** Works until the signal fires, then ends what runs where nothing is lost. */
  async run(signal: AbortSignal): Promise<void> {
    const { watchFiles, onEvent } = this.#options;
    const unwatch = watchFiles(() => {
      this.#isStale = true;
      this.#poke();
    });
    const onAbort = (): void => this.#poke();
    signal.addEventListener("abort", onAbort);
    try {
      await this.#refresh(signal);
      const plans = this.vaults.reduce((sum, { plans }) => sum + plans.size, 0);
      onEvent({ type: "started", vaults: this.#served.size, plans });
      while (!signal.aborted) await this.#turn(signal);
    } finally {
      unwatch();
      signal.removeEventListener("abort", onAbort);
      await Promise.all([...this.#served.values()].map(({ agent }) => agent.stop()));
      await Promise.all([...this.#served.values()].map(({ link }) => link?.settled()));
      await Promise.all([...this.#served.values()].map(({ linked }) => linked));
      onEvent({ type: "stopped" });
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { timers, onEvent } = this.#options;
    this.#wake = new AbortController();
    if (this.#isStale) await this.#refresh(signal);
    const now = timers.clock.now();
    let next = now + SLICE_MS;
    for (const { agent } of this.#served.values()) next = Math.min(next, (await agent.tick(now)) ?? next);
    if (signal.aborted) return;
    const startedAt = timers.clock.now();
    await timers.sleep(Math.max(0, Math.min(next, now + SLICE_MS) - startedAt), this.#wake.signal);
    const away = timers.clock.now() - startedAt;
    if (away < SLEPT_MS) return;
    onEvent({ type: "slept", ms: away });
    for (const { link } of this.#served.values()) link?.renew();
  }

  /** Reads what is on the disk. A vault that is new gets its link, one that is gone loses it with the process. */
  async #refresh(signal: AbortSignal): Promise<void> {
    const { plans, openLink, onEvent } = this.#options;
    this.#isStale = false;
    for (const vault of await plans.vaults()) {
      try {
        const served = this.#served.get(vault);
        if (served) {
          await served.agent.load();
          served.link?.plansChanged();
          continue;
        }
        const agent = this.#newVault(vault);
        await agent.load();
        const link = await openLink(agent);
        this.#served.set(vault, { agent, link, linked: link?.run(signal) ?? Promise.resolve() });
      } catch (error) {
        onEvent({ type: "trouble", vault, plan: undefined, error });
      }
    }
  }

  #newVault(vault: VaultId): VaultAgent {
    const { takeHold, onEvent, ...shared } = this.#options;
    return new VaultAgent({
      ...shared,
      vault,
      takeHold: () => takeHold(vault),
      poke: () => this.#poke(),
      onEvent: (event) => {
        onEvent(event);
        if (event.type === "run-ended") this.#served.get(vault)?.link?.plansChanged();
      },
      onRun: (run) => this.#served.get(vault)?.link?.watch(run),
    });
  }

  #poke(): void {
    this.#wake.abort();
  }
}
