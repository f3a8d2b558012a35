// The plans of a device: when each is due, and, once the vault is unlocked in this tab, what it backs up.

import { Badge, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { DeviceState } from "../../../wire/v4/api/overview-routes.ts";
import { PLAN_ROUTES, type StoredPlan } from "../../../wire/v4/api/plan-routes.ts";
import type { Plan } from "../../../wire/v4/plan-body.ts";
import { useApi } from "../../api/use-api.ts";
import { formatAge, formatDuration } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { QueryStates } from "../../parts/QueryStates.tsx";
import { useNow } from "../../parts/Time.tsx";
import { DEVICES } from "../../strings/devices.ts";
import { useVault } from "../files/vault-store.ts";
import { errorOf } from "../runs/error-words.ts";
import runs from "../runs/runs.module.css";

const WORDS = DEVICES.plans;

export function Plans({ item: { vault, device } }: { readonly item: DeviceState }) {
  const query = useApi(PLAN_ROUTES.devicePlans, { params: { vault, device } });
  const { open } = useVault();
  const client = open?.id === vault ? open.client : undefined;
  const versions = query.data?.plans.map(({ plan, version }) => `${plan}/${version}`).join(" ") ?? "";
  const bodies = useQuery({
    queryKey: ["plan-bodies", vault, device, versions],
    queryFn: () => client!.call("planBodies", { device }),
    enabled: client !== undefined && versions !== "",
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const bodyOf = (plan: string): Plan | undefined => bodies.data?.find((each) => each.plan === plan)?.body ?? undefined;
  return (
    <Card title={WORDS.title} text={client === undefined && versions !== "" ? WORDS.locked : WORDS.text}>
      <QueryStates query={query}>
        {({ plans }) => {
          const there = plans.filter(({ deleted }) => !deleted);
          if (there.length === 0) {
            return (
              <Text size="sm" c="dimmed">
                {WORDS.empty}
              </Text>
            );
          }
          return (
            <Stack gap="md">
              {there.map((plan) => (
                <OnePlan key={plan.plan} plan={plan} body={bodyOf(plan.plan)} />
              ))}
            </Stack>
          );
        }}
      </QueryStates>
    </Card>
  );
}

function OnePlan({ plan, body }: { readonly plan: StoredPlan; readonly body: Plan | undefined }) {
  const now = useNow();
  const { nextDueAt, pausedUntil, overdueAfterMs, enabled, seenVersion, version, error } = plan;
  const isPaused = pausedUntil !== null && pausedUntil > now;
  const facts = [
    `${WORDS.next}: ${isPaused ? DEVICES.paused : nextDueAt === null ? WORDS.never : formatAge(nextDueAt, now)}`,
    ...(overdueAfterMs === null ? [] : [`${WORDS.overdue}: ${formatDuration(overdueAfterMs)}`]),
    ...(body === undefined ? [] : [`${WORDS.schedule}: ${body.schedule}`]),
  ];
  return (
    <div>
      <Group gap="sm">
        <Text fw={600}>{body?.name ?? WORDS.unnamed(plan.plan.slice(0, 8))}</Text>
        <Badge variant="light" color={enabled ? "green" : "gray"} className={runs.badge} radius="sm">
          {enabled ? WORDS.enabled : WORDS.disabled}
        </Badge>
      </Group>
      <Text size="sm" c="dimmed">
        {facts.join(" · ")}
      </Text>
      {body !== undefined && (
        <Text size="sm" className={runs.path!}>
          {body.command === undefined ? body.sources.join("  ") : body.command.argv.join(" ")}
        </Text>
      )}
      {seenVersion < version && (
        <Text size="sm" c="dimmed">
          {WORDS.pending}
        </Text>
      )}
      {error !== null && (
        <Text size="sm" c="var(--cb-bad)">
          {WORDS.problem(errorOf(error).message)}
        </Text>
      )}
    </div>
  );
}
