// A server as a device's agent knows it, in simulated time: commands and plans in memory, connections that are cut, logins that expire. It keeps
// versions as the real one does.

import type {
  CommandOutcome,
  DeliveredCommand,
  DeviceEvent,
  DeviceServer,
} from "../../src/client/agent/device-server.ts";
import type { KeptReport, ReportStore } from "../../src/client/agent/outbox.ts";
import type { PlanCodec } from "../../src/client/agent/plan-sync.ts";
import { AppError, type ErrorCode } from "../../src/core/errors.ts";
import type { DeviceId, NameToken, SessionId, VaultId } from "../../src/core/ids.ts";
import type { PlanChange, PlanStatus, StoredPlan } from "../../src/wire/v4/api/plan-routes.ts";
import type { RunReport } from "../../src/wire/v4/api/run-routes.ts";
import { type Plan, readPlan } from "../../src/wire/v4/plan-body.ts";

type Stream = { readonly waiting: DeviceEvent[]; wake: () => void; end: ErrorCode | undefined };

export class SimServer implements DeviceServer {
  readonly plans = new Map<string, StoredPlan>();
  readonly outcomes: { readonly id: string; readonly outcome: CommandOutcome; readonly error: string | null }[] = [];
  readonly reports: SessionId[] = [];
  status: readonly PlanStatus[] = [];
  connections = 0;
  /** What keeps calls and connections from getting through. */
  trouble: () => ErrorCode | undefined = () => undefined;
  readonly #open = new Map<string, DeliveredCommand>();
  #stream: Stream | undefined;

  async *events(signal: AbortSignal): AsyncGenerator<DeviceEvent> {
    this.#check();
    this.connections++;
    const stream: Stream = { waiting: [{ type: "hello" }, { type: "plans" }], wake: () => undefined, end: undefined };
    for (const command of this.#open.values()) stream.waiting.push({ type: "command", command });
    this.#stream = stream;
    const onAbort = (): void => stream.wake();
    signal.addEventListener("abort", onAbort);
    try {
      for (;;) {
        for (let event = stream.waiting.shift(); event; event = stream.waiting.shift()) yield event;
        if (signal.aborted) throw failed("interrupted");
        if (stream.end) throw failed(stream.end);
        await new Promise<void>((resolve) => {
          stream.wake = resolve;
        });
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  get isConnected(): boolean {
    return this.#stream !== undefined && this.#stream.end === undefined;
  }

  /** The connection breaks. */
  cut(code: ErrorCode): void {
    if (!this.#stream) return;
    this.#stream.end = code;
    this.#stream.wake();
    this.#stream = undefined;
  }

  ask(command: Partial<DeliveredCommand> & Pick<DeliveredCommand, "id" | "kind">): void {
    const whole = { plan: null, run: null, untilMs: null, ...command };
    this.#open.set(whole.id, whole);
    this.#stream?.waiting.push({ type: "command", command: whole });
    this.#stream?.wake();
  }

  outcomesOf(id: string): CommandOutcome[] {
    return this.outcomes.filter((each) => each.id === id).map(({ outcome }) => outcome);
  }

  async acknowledge(id: string, outcome: CommandOutcome, error: string | null): Promise<void> {
    this.#check();
    this.outcomes.push({ id, outcome, error });
    this.#open.delete(id);
  }

  async ownPlans(): Promise<StoredPlan[]> {
    this.#check();
    return [...this.plans.values()];
  }

  async putPlan(plan: string, change: PlanChange): Promise<StoredPlan> {
    this.#check();
    return this.put(plan, change, "device");
  }

  /** By a person too. */
  put(plan: string, { base, ...rest }: PlanChange, changedBy: "device" | "person"): StoredPlan {
    const known = this.plans.get(plan);
    if ((known?.version ?? 0) !== base)
      throw new AppError("plan_conflict", { context: { version: known?.version ?? 0 } });
    const told = { seenVersion: 0, nextDueAt: null, pausedUntil: null, error: null };
    const stored = {
      ...told,
      ...rest,
      plan,
      device: "d" as DeviceId,
      version: base + 1,
      deleted: false,
      changedAt: 0,
      changedBy,
    };
    this.plans.set(plan, stored);
    this.#stream?.waiting.push({ type: "plans" });
    this.#stream?.wake();
    return stored;
  }

  async dropPlan(plan: string, base: number): Promise<void> {
    this.#check();
    this.drop(plan, base);
  }

  drop(plan: string, base: number): void {
    const known = this.plans.get(plan)!;
    if (known.version !== base) throw new AppError("plan_conflict", { context: { version: known.version } });
    this.plans.set(plan, { ...known, version: base + 1, deleted: true, sealed: new Uint8Array() });
    this.#stream?.waiting.push({ type: "plans" });
    this.#stream?.wake();
  }

  async planStatus(plans: readonly PlanStatus[]): Promise<void> {
    this.#check();
    this.status = plans;
  }

  async report(run: SessionId): Promise<void> {
    this.#check();
    this.reports.push(run);
  }

  #check(): void {
    const code = this.trouble();
    if (code) throw failed(code);
  }
}

function failed(code: ErrorCode): AppError {
  return new AppError(code, { context: { address: "sim", detail: "as the test says" } });
}

/** Bodies in clear, bound to their place as sealed ones are. */
export const clearCodec: PlanCodec = {
  seal: async (plan, id, version) => new TextEncoder().encode(JSON.stringify({ plan, id, version })),
  open: async (sealed, id, version) => {
    const body = JSON.parse(new TextDecoder().decode(sealed)) as { plan: unknown; id: string; version: number };
    if (body.id === id && body.version === version) return readPlan(body.plan);
    throw new AppError("record_corrupt", { context: { what: "A body", detail: "it belongs elsewhere" } });
  },
  token: async () => "00".repeat(16) as NameToken,
};

export function sealedAs(plan: Plan, id: string, version: number): Promise<Uint8Array<ArrayBuffer>> {
  return clearCodec.seal(plan, id, version);
}

export class MemoryReports implements ReportStore {
  kept: readonly KeptReport[] = [];

  async read(_: VaultId): Promise<KeptReport[]> {
    return [...this.kept];
  }

  async write(_: VaultId, reports: readonly KeptReport[]): Promise<void> {
    this.kept = reports;
  }
}

/** A report of a run whose figures do not matter. */
export const ANY_REPORT = {} as RunReport;
