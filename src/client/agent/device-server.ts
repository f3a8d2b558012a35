// The server as a device's agent knows it: one stream of what is asked, and the few calls that answer (docs/protocol-v4.md, Plans and commands). Tests
// give one in memory.

import { z } from "zod";
import { AppError } from "../../core/errors.ts";
import { ID_BYTES, type SessionId, type VaultId } from "../../core/ids.ts";
import type { ApiClient } from "../../engine/remote/api-client.ts";
import { readEvents } from "../../engine/remote/event-stream.ts";
import { hexId, whole } from "../../wire/v4/api/coding.ts";
import { PLAN_ROUTES, type PlanChange, type PlanStatus, type StoredPlan } from "../../wire/v4/api/plan-routes.ts";
import { RUN_ROUTES, type RunReport } from "../../wire/v4/api/run-routes.ts";

/** Data of the event `command`. */
const deliveredCommand = z.looseObject({
  id: z.string().max(64),
  kind: z.string().max(32),
  plan: hexId<string>(16).nullable(),
  run: hexId<SessionId>(ID_BYTES.session).nullable(),
  untilMs: whole.nullable(),
});
export type DeliveredCommand = z.output<typeof deliveredCommand>;

export type DeviceEvent =
  | { readonly type: "hello" }
  | { readonly type: "plans" }
  | { readonly type: "command"; readonly command: DeliveredCommand };

export type CommandOutcome = "taken" | "done" | "refused";

export interface DeviceServer {
  /** Until the connection ends; then it returns or throws. */
  events(signal: AbortSignal): AsyncIterable<DeviceEvent>;
  acknowledge(command: string, outcome: CommandOutcome, error: string | null): Promise<void>;
  ownPlans(): Promise<readonly StoredPlan[]>;
  putPlan(plan: string, change: PlanChange): Promise<StoredPlan>;
  dropPlan(plan: string, base: number): Promise<void>;
  planStatus(plans: readonly PlanStatus[]): Promise<void>;
  report(run: SessionId, report: RunReport): Promise<void>;
}

/** Each call tries once: the link has its own patience. */
export function remoteDeviceServer(client: ApiClient, vault: VaultId): DeviceServer {
  const params = { vault };
  return {
    async *events(signal) {
      const answer = await client.stream(PLAN_ROUTES.deviceEvents, { params, signal });
      for await (const { event, data } of readEvents(answer.body)) {
        if (event === "hello") yield { type: "hello" };
        else if (event === "plans") yield { type: "plans" };
        else if (event === "command") {
          const command = deliveredCommand.safeParse(data);
          if (!command.success) throw invalid();
          yield { type: "command", command: command.data };
        }
        // A newer server may tell what this device does not know.
      }
    },
    acknowledge: async (id, outcome, error) => {
      await client.once(PLAN_ROUTES.commandOutcome, { params: { ...params, id }, body: { outcome, error } });
    },
    ownPlans: async () => (await client.once(PLAN_ROUTES.ownPlans, { params })).value.plans,
    putPlan: async (plan, body) =>
      (await client.once(PLAN_ROUTES.putOwnPlan, { params: { ...params, plan }, body })).value,
    dropPlan: async (plan, base) => {
      await client.once(PLAN_ROUTES.dropOwnPlan, { params: { ...params, plan }, query: { base } });
    },
    planStatus: async (plans) => {
      await client.once(PLAN_ROUTES.planStatus, { params, body: { plans: [...plans] } });
    },
    report: async (run, body) => {
      await client.once(RUN_ROUTES.reportRun, { params: { ...params, run }, body });
    },
  };
}

function invalid(): AppError {
  return new AppError("answer_invalid", { context: { address: "the other end", detail: "a command is not one." } });
}
