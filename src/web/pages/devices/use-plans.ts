// A device's plans as this tab knows them: what the server tells of each, what is in it while the vault is unlocked, and how one is changed.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { AppError } from "../../../core/errors.ts";
import type { DeviceId } from "../../../core/ids.ts";
import { JOB_ROUTES } from "../../../wire/v4/api/job-routes.ts";
import { OVERVIEW_ROUTES } from "../../../wire/v4/api/overview-routes.ts";
import { PLAN_ROUTES, type StoredPlan } from "../../../wire/v4/api/plan-routes.ts";
import type { Plan, PlanInput } from "../../../wire/v4/plan-body.ts";
import { call } from "../../api/call.ts";
import { guarded, refresh, useApi } from "../../api/use-api.ts";
import { useOpenVault } from "../../unlock/vault-store.ts";
import { type RetentionWish, saveRetention } from "./plan-retention.ts";

/** `body`: undefined while it is not known, null for one that cannot be opened. */
export type KnownPlan = { readonly stored: StoredPlan; readonly body: Plan | null | undefined };

export function usePlans(vault: string, device: string) {
  const query = useApi(PLAN_ROUTES.devicePlans, { params: { vault, device } });
  const client = useOpenVault(vault)?.client;
  const stored = query.data?.plans.filter(({ deleted }) => !deleted) ?? [];
  const versions = stored.map(({ plan, version }) => `${plan}/${version}`).join(" ");
  const bodies = useQuery<readonly { readonly plan: string; readonly body: Plan | null }[], AppError>({
    queryKey: ["plan-bodies", vault, device, versions],
    queryFn: () => client!.call("planBodies", { device: device as DeviceId }),
    enabled: client !== undefined && versions !== "",
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  // What was opened before is not shown once the vault is locked.
  const bodyOf = (id: string) => client && bodies.data?.find(({ plan }) => plan === id)?.body;
  const plans = stored.map((each): KnownPlan => ({ stored: each, body: bodyOf(each.plan) }));
  return { query, client, plans, areBodiesKnown: versions === "" || bodies.isSuccess };
}

export type PlanWish = {
  readonly id: string;
  readonly base: number;
  readonly body: PlanInput;
  /** What the server is to keep of its snapshots; undefined leaves that as it is. */
  readonly retention?: RetentionWish | undefined;
};

/** Seals the plan in the worker and puts it to the server. With `showsError` the page shows `error` itself. Fails with `plan_conflict` when `base` is not the version there. */
export function useSavePlan(
  { vault, device }: { readonly vault: string; readonly device: string },
  { showsError, onDone }: { readonly showsError: boolean; readonly onDone: (stored: StoredPlan) => void },
) {
  const queries = useQueryClient();
  const client = useOpenVault(vault)?.client;
  return useMutation<StoredPlan, AppError, PlanWish>({
    meta: { isShown: showsError },
    async mutationFn({ id, base, body, retention }) {
      // First: whoever is asked for the second factor and gives none has changed nothing.
      if (retention !== undefined) {
        const [token = ""] = await client!.call("planTokens", { names: [body.name] });
        await saveRetention(vault, token, retention);
      }
      const change = await client!.call("planChange", { device: device as DeviceId, id, base, body });
      const params = { vault, device, plan: id };
      return guarded(() => call(PLAN_ROUTES.putDevicePlan, { params, body: change }));
    },
    onSuccess: (stored) => onDone(stored),
    // After a conflict too: what is there now is what to decide by.
    onSettled: () => refresh(queries, PLAN_ROUTES.devicePlans, OVERVIEW_ROUTES.deviceStates, JOB_ROUTES.vaultSettings),
  });
}

export function newPlanId(): string {
  return crypto.getRandomValues(new Uint8Array(16)).toHex();
}
