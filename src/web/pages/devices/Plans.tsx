// The plans of a device: when each is due, and, once the vault is unlocked in this tab, what it backs up and what may be done with it.

import { ActionIcon, Anchor, Badge, Button, Group, Menu, Stack, Text } from "@mantine/core";
import { IconCloudUpload, IconDots, IconEdit, IconPlayerPause, IconPlayerPlay, IconPlus } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { DeviceState } from "../../../wire/v4/api/overview-routes.ts";
import { PLAN_ROUTES } from "../../../wire/v4/api/plan-routes.ts";
import { useRights } from "../../api/session.ts";
import { useAction } from "../../api/use-api.ts";
import { formatAge, formatDuration } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { CopyLine } from "../../parts/CopyLine.tsx";
import { QueryStates } from "../../parts/QueryStates.tsx";
import { RemoveItem } from "../../parts/RemoveButton.tsx";
import { useNow } from "../../parts/Time.tsx";
import { toastDone } from "../../parts/toast.tsx";
import { DEVICES } from "../../strings/devices.ts";
import { PLANS } from "../../strings/plans.ts";
import { SHELL } from "../../strings/shell.ts";
import { UnlockNote } from "../../unlock/UnlockNote.tsx";
import { errorOf } from "../runs/error-words.ts";
import runs from "../runs/runs.module.css";
import { type KnownPlan, usePlans, useSavePlan } from "./use-plans.ts";

const NEEDS_LEAVE = "plan_programs_refused";

export function Plans({ item }: { readonly item: DeviceState }) {
  const { vault, device, revoked, about } = item;
  const rights = useRights();
  const { query, client, plans } = usePlans(vault, device);
  const follows = about?.os !== "browser";
  const mayChange = rights.may("operator", vault) && !revoked && follows;
  const isLocked = client === undefined;
  return (
    <Card
      title={PLANS.title}
      text={PLANS.text}
      actions={
        mayChange && (
          <Button
            component={Link}
            to={`/devices/${vault}/${device}/plans/new`}
            variant="default"
            leftSection={<IconPlus size={18} aria-hidden />}
          >
            {PLANS.add}
          </Button>
        )
      }
    >
      <QueryStates query={query}>
        {() =>
          plans.length === 0 ? (
            <Text size="sm" c="dimmed">
              {follows ? PLANS.empty : PLANS.browser}
            </Text>
          ) : (
            <Stack gap="lg">
              {isLocked && <UnlockNote vault={vault} text={PLANS.locked} />}
              {plans.map((known) => (
                <OnePlan key={known.stored.plan} item={item} known={known} mayChange={mayChange} />
              ))}
            </Stack>
          )
        }
      </QueryStates>
    </Card>
  );
}

type PlanProps = { readonly item: DeviceState; readonly known: KnownPlan; readonly mayChange: boolean };

function OnePlan({ item, known, mayChange }: PlanProps) {
  const { stored, body } = known;
  const now = useNow();
  const { nextDueAt, pausedUntil, overdueAfterMs, enabled, seenVersion, version, error } = stored;
  const isPaused = pausedUntil !== null && pausedUntil > now;
  const name = body?.name ?? PLANS.unnamed(stored.plan.slice(0, 8));
  const facts = [
    `${PLANS.next}: ${isPaused ? DEVICES.paused : nextDueAt === null ? PLANS.never : formatAge(nextDueAt, now)}`,
    ...(overdueAfterMs === null ? [] : [`${PLANS.overdue}: ${formatDuration(overdueAfterMs)}`]),
    ...(body ? [`${PLANS.schedule}: ${body.schedule}`] : []),
  ];
  return (
    <Group justify="space-between" align="flex-start" wrap="nowrap" gap="sm">
      <Stack gap={2} miw={0} flex={1}>
        <Group gap="sm">
          {body && mayChange ? (
            <Anchor
              component={Link}
              to={addressOf(item, stored.plan)}
              fw={600}
              c="inherit"
              aria-label={PLANS.editNamed(name)}
            >
              {name}
            </Anchor>
          ) : (
            <Text fw={600}>{name}</Text>
          )}
          <Badge variant="light" color={enabled ? "green" : "gray"} className={runs.badge} radius="sm">
            {enabled ? PLANS.enabled : PLANS.disabled}
          </Badge>
        </Group>
        <Text size="sm" c="dimmed">
          {facts.join(" · ")}
        </Text>
        {body &&
          (body.command === undefined ? body.sources : [body.command.argv.join(" ")]).map((what) => (
            <Text key={what} size="sm" className={runs.path!}>
              {what}
            </Text>
          ))}
        {body === null && (
          <Text size="sm" c="var(--cb-warn)">
            {PLANS.unreadable}
          </Text>
        )}
        {error === null && seenVersion < version && (
          <Text size="sm" c="dimmed">
            {item.isConnected ? PLANS.pending : PLANS.pendingAway}
          </Text>
        )}
        {error !== null && (
          <Text size="sm" c="var(--cb-bad)">
            {PLANS.problem(errorOf(error).message)}
          </Text>
        )}
        {error === NEEDS_LEAVE && (
          <Stack gap={4} mt={4} maw={520}>
            <Text size="sm">{PLANS.allowPrograms}</Text>
            <CopyLine value={PLANS.allowCommand} />
          </Stack>
        )}
      </Stack>
      {mayChange && <PlanMenu item={item} known={known} name={name} />}
    </Group>
  );
}

function PlanMenu({ item, known: { stored, body }, name }: Omit<PlanProps, "mayChange"> & { readonly name: string }) {
  const { vault, device } = item;
  const { plan, version, enabled } = stored;
  const save = useSavePlan(item, {
    showsError: false,
    onDone: ({ enabled: isOn }) => toastDone(isOn ? PLANS.turnedOn : PLANS.turnedOff),
  });
  const remove = useAction(PLAN_ROUTES.dropDevicePlan, {
    refreshes: [PLAN_ROUTES.devicePlans],
    onDone: () => toastDone(PLANS.removed),
  });
  const ask = useAction(PLAN_ROUTES.command, {
    refreshes: [PLAN_ROUTES.commands],
    onDone: () => toastDone(item.isConnected ? DEVICES.asked.backup : `${DEVICES.asked.backup} ${DEVICES.waits}`),
  });
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="default" size="lg" aria-label={PLANS.actions(name)} loading={save.isPending}>
          <IconDots size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<IconCloudUpload size={16} aria-hidden />}
          onClick={() => ask.mutate({ params: { vault, device }, body: { kind: "backup", plan } })}
        >
          {PLANS.runNow}
        </Menu.Item>
        {body && (
          <>
            <Menu.Item component={Link} to={addressOf(item, plan)} leftSection={<IconEdit size={16} aria-hidden />}>
              {PLANS.edit}
            </Menu.Item>
            <Menu.Item
              leftSection={
                enabled ? <IconPlayerPause size={16} aria-hidden /> : <IconPlayerPlay size={16} aria-hidden />
              }
              onClick={() => save.mutate({ id: plan, base: version, body: { ...body, enabled: !enabled } })}
            >
              {enabled ? PLANS.turnOff : PLANS.turnOn}
            </Menu.Item>
          </>
        )}
        <RemoveItem
          title={PLANS.removeTitle(name)}
          text={PLANS.removeText}
          action={SHELL.remove}
          onConfirm={() => remove.mutate({ params: { vault, device, plan }, query: { base: version } })}
        />
      </Menu.Dropdown>
    </Menu>
  );
}

function addressOf({ vault, device }: DeviceState, plan: string): string {
  return `/devices/${vault}/${device}/plans/${plan}`;
}
