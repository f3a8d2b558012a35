// A vault's connection to its server: one stream that the device opens, over which commands come, and the calls that answer them. It connects again
// for as long as the agent runs. Everything that a command does goes through the VaultAgent; nothing that a server says makes it throw.

import type { RandomSource } from "../../core/clock.ts";
import { AppError, isAppError } from "../../core/errors.ts";
import type { PlanStatus } from "../../wire/v4/api/plan-routes.ts";
import type { Link } from "./agent.ts";
import type { AgentEvent } from "./agent-event.ts";
import type { DeliveredCommand, DeviceServer } from "./device-server.ts";
import type { KeptReport, ReportStore } from "./outbox.ts";
import { FOREVER, pausedUntil } from "./pauses.ts";
import { type PlanSyncOptions, syncPlans } from "./plan-sync.ts";
import type { Timers } from "./timers.ts";
import type { CurrentRun, VaultAgent } from "./vault-agent.ts";

/** Tells a server of one run, from its beginning to its end; answers a last report that could not be delivered. */
export type ReportRun = (run: CurrentRun) => Promise<KeptReport | undefined>;

export type ServerLinkOptions = {
  readonly agent: VaultAgent;
  readonly server: DeviceServer;
  readonly sync: Omit<PlanSyncOptions, "server" | "vault" | "onEvent" | "now">;
  readonly reports: ReportStore;
  readonly reportRun: ReportRun;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly onEvent: (event: AgentEvent) => void;
};

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 5 * 60_000;
/** Commands that are known by their ids when they come again. */
const KNOWN_COMMANDS = 256;

export class ServerLink implements Link {
  readonly #options: ServerLinkOptions;
  readonly #known = new Map<string, { outcome: "taken" | "done" | "refused"; error: string | null }>();
  readonly #work = new Set<Promise<void>>();
  #connection: AbortController | undefined;
  #wake = new AbortController();
  #isConnected = false;
  #toldStatus = "";
  #syncing: Promise<void> | undefined;
  #syncAgain = false;

  constructor(options: ServerLinkOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { timers, agent, onEvent } = this.#options;
    for (let failures = 0; !signal.aborted; failures++) {
      const error = await this.#stay(signal, () => {
        failures = 0;
      });
      this.#isConnected = false;
      if (signal.aborted) return;
      const waitMs = this.#waitMs(failures);
      onEvent({ type: "disconnected", vault: agent.vault, error, waitMs });
      this.#wake = new AbortController();
      const onAbort = (): void => this.#wake.abort();
      signal.addEventListener("abort", onAbort);
      await timers.sleep(waitMs, this.#wake.signal);
      signal.removeEventListener("abort", onAbort);
    }
  }

  renew(): void {
    this.#connection?.abort();
    this.#wake.abort();
  }

  watch(run: CurrentRun): void {
    this.#background(async () => {
      const kept = await this.#options.reportRun(run);
      if (kept) await this.#keep(kept);
    });
  }

  plansChanged(): void {
    if (this.#isConnected) this.#sync();
  }

  async settled(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  /** One connection, until it ends; answers why it did. */
  async #stay(signal: AbortSignal, onHello: () => void): Promise<AppError> {
    const connection = new AbortController();
    const onAbort = (): void => connection.abort();
    signal.addEventListener("abort", onAbort);
    this.#connection = connection;
    try {
      for await (const event of this.#options.server.events(connection.signal)) {
        if (event.type === "hello") {
          onHello();
          this.#hello();
        } else if (event.type === "plans") this.#sync();
        else this.#background(() => this.#obey(event.command));
      }
      return new AppError("server_unreachable", {
        context: { address: "the other end", detail: "it has ended the connection." },
      });
    } catch (error) {
      if (isAppError(error)) return error;
      return new AppError("internal", { cause: error, context: { detail: (error as Error).message } });
    } finally {
      signal.removeEventListener("abort", onAbort);
      connection.abort();
    }
  }

  #hello(): void {
    const { agent, onEvent } = this.#options;
    this.#isConnected = true;
    this.#toldStatus = "";
    onEvent({ type: "connected", vault: agent.vault });
    this.#background(() => agent.retryNow());
    this.#background(() => this.#sendKept());
  }

  async #obey(command: DeliveredCommand): Promise<void> {
    const { server, agent, onEvent } = this.#options;
    const { id, kind } = command;
    const before = this.#known.get(id);
    if (before) return server.acknowledge(id, before.outcome, before.error);
    const told = async (outcome: "taken" | "done" | "refused", error: string | null = null): Promise<void> => {
      this.#known.set(id, { outcome, error });
      for (const [oldest] of this.#known) if (this.#known.size > KNOWN_COMMANDS) this.#known.delete(oldest);
      await server.acknowledge(id, outcome, error);
    };
    const plan = command.plan === null ? undefined : this.#nameOf(command.plan);
    onEvent({ type: "command", vault: agent.vault, kind, plan });
    if (command.plan !== null && plan === undefined) return told("refused", "plan_unknown");
    switch (kind) {
      case "backup": {
        // Asked first: the answer must not hold the run up.
        const ends = (plan === undefined ? [...agent.plans.keys()] : [plan]).map((name) => agent.ask(name));
        await told("taken").catch(() => undefined);
        const failed = (await Promise.all(ends)).find((end) => end?.error);
        return failed ? told("refused", failed.error!.code) : told("done");
      }
      case "cancel": {
        const count =
          command.run === null && plan !== undefined ? agent.cancelPlan(plan) : agent.cancel(command.run ?? undefined);
        return count > 0 ? told("done") : told("refused", "not_found");
      }
      case "pause":
      case "resume": {
        const isPause = kind === "pause";
        if (command.run !== null) {
          return agent.hold(command.run, isPause) ? told("done") : told("refused", "not_found");
        }
        await agent.pause(plan, isPause ? (command.untilMs ?? FOREVER) : undefined);
        this.#sync();
        return told("done");
      }
      default:
        return told("refused", "unsupported");
    }
  }

  /** By the id that the server knows the plan by. */
  #nameOf(id: string): string | undefined {
    for (const [name, { memory }] of this.#options.agent.plans) if (memory.id === id) return name;
    return undefined;
  }

  /** One at a time; asked while one runs, another follows. */
  #sync(): void {
    this.#syncAgain = true;
    if (this.#syncing) return;
    this.#syncing = (async () => {
      while (this.#syncAgain) {
        this.#syncAgain = false;
        await this.#syncOnce();
      }
    })().finally(() => {
      this.#syncing = undefined;
    });
    this.#background(() => this.#syncing ?? Promise.resolve());
  }

  async #syncOnce(): Promise<void> {
    const { agent, sync, server, timers, onEvent } = this.#options;
    const now = (): number => timers.clock.now();
    const { hasChanged, strange } = await syncPlans({ ...sync, vault: agent.vault, server, now, onEvent });
    if (hasChanged) await agent.load();
    else await agent.reread();
    const never = { version: 0, nextDueAt: null, pausedUntil: null };
    const plans = [...this.#statuses(now()), ...strange.map(({ plan, error }) => ({ plan, ...never, error }))];
    const text = JSON.stringify(plans);
    if (text === this.#toldStatus) return;
    await server.planStatus(plans);
    this.#toldStatus = text;
  }

  #statuses(now: number): PlanStatus[] {
    const { agent } = this.#options;
    return [...agent.plans.values()].flatMap((known) => {
      const { id, synced, refused } = known.memory;
      if (!synced) return [];
      const until = pausedUntil(agent.pauses, known.plan.name, now);
      const nextDueAt = agent.nextDueAt(known, now) ?? null;
      return [
        { plan: id, version: synced.version, nextDueAt, pausedUntil: until ?? null, error: refused?.error ?? null },
      ];
    });
  }

  async #keep(report: KeptReport): Promise<void> {
    const { reports, agent } = this.#options;
    await reports.write(agent.vault, [...(await reports.read(agent.vault)), report]);
  }

  async #sendKept(): Promise<void> {
    const { reports, agent, server } = this.#options;
    let kept = await reports.read(agent.vault);
    for (let first = kept[0]; first; first = kept[0]) {
      const { run, report } = first;
      try {
        await server.report(run, report);
      } catch (error) {
        // What a server will never take must not keep the others back.
        if (!isAppError(error) || error.retry) throw error;
      }
      kept = (await reports.read(agent.vault)).filter((each) => each.run !== run);
      await reports.write(agent.vault, kept);
    }
  }

  /** Whatever goes wrong there is tried again when the connection is made anew, or does not matter. */
  #background(work: () => Promise<void>): void {
    const done = work()
      .catch((error: unknown) => {
        const { agent, onEvent } = this.#options;
        if (!isAppError(error)) onEvent({ type: "trouble", vault: agent.vault, plan: undefined, error });
        else if (error.code !== "interrupted") this.#connection?.abort();
      })
      .finally(() => this.#work.delete(done));
    this.#work.add(done);
  }

  /** Full jitter, so that a server that starts again is not met by all its devices at once. */
  #waitMs(failures: number): number {
    const [a = 0, b = 0] = this.#options.random.bytes(2);
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(20, failures));
    return Math.max(100, ((a * 256 + b) / 65_536) * longest);
  }
}
