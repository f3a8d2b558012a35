// One device: what it is, what it did, what comes next, and what people may ask of it.

import { Anchor, Badge, Group, Stack, Text } from "@mantine/core";
import { IconDeviceLaptop } from "@tabler/icons-react";
import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { type DeviceState, OVERVIEW_ROUTES } from "../../../wire/v4/api/overview-routes.ts";
import { PLAN_ROUTES } from "../../../wire/v4/api/plan-routes.ts";
import { RUN_ROUTES } from "../../../wire/v4/api/run-routes.ts";
import { useApi } from "../../api/use-api.ts";
import { formatBytes, formatCount, formatDay } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { Facts } from "../../parts/Facts.tsx";
import { PageFrame } from "../../parts/PageFrame.tsx";
import { EmptyNote, QueryStates } from "../../parts/QueryStates.tsx";
import { Time, useNow } from "../../parts/Time.tsx";
import { DEVICES, TRUST } from "../../strings/devices.ts";
import { VaultLock } from "../../unlock/LockMenu.tsx";
import { AlertList } from "../overview/AlertList.tsx";
import { useRunning, useRunTurns } from "../runs/live-runs.ts";
import { type Names, useNames } from "../runs/names.ts";
import { RunProgress } from "../runs/RunProgress.tsx";
import { RunsTable } from "../runs/RunsTable.tsx";
import runClasses from "../runs/runs.module.css";
import { DeviceActions } from "./DeviceActions.tsx";
import { Plans } from "./Plans.tsx";
import { SnapshotRail } from "./SnapshotRail.tsx";
import { Sparkline } from "./Sparkline.tsx";
import { Presence, StateBadge } from "./StateBadge.tsx";
import { TrustBadge, trustWords } from "./Trust.tsx";
import { nextOf, systemOf } from "./words.ts";

export function Page() {
  useRunTurns();
  const { vault = "", device = "" } = useParams({ strict: false }) as { vault?: string; device?: string };
  const query = useApi(OVERVIEW_ROUTES.deviceStates, { query: {} });
  const names = useNames();
  return (
    <QueryStates query={query}>
      {({ items }) => {
        const item = items.find((each) => each.vault === vault && each.device === device);
        if (item !== undefined) return <OneDevice key={device} item={item} names={names} />;
        return (
          <PageFrame title={DEVICES.gone} crumbs={[{ label: DEVICES.title, to: "/devices" }]}>
            <EmptyNote icon={IconDeviceLaptop} title={DEVICES.gone} text={DEVICES.goneText} />
          </PageFrame>
        );
      }}
    </QueryStates>
  );
}

function OneDevice({ item, names }: { readonly item: DeviceState; readonly names: Names }) {
  const { vault, device } = item;
  const query = useApi(RUN_ROUTES.runs, { query: { vault, device, limit: 20 } });
  const overview = useApi(OVERVIEW_ROUTES.overview).data;
  const alerts = overview?.alerts.filter((alert) => alert.device === device) ?? [];
  const running = useRunning(overview?.running ?? [], overview?.at ?? 0).filter(
    (run) => run.device === device && run.vault === vault,
  );
  const vaultName = names.vault(vault);
  return (
    <PageFrame
      title={item.name}
      crumbs={[{ label: DEVICES.title, to: "/devices" }]}
      lead={
        <Group gap="sm" component="span">
          <Presence isConnected={item.isConnected} />
          <StateBadge state={item.state} />
          <TrustBadge group={item.group} />
          <span>{systemOf(item)}</span>
        </Group>
      }
      actions={
        <>
          <DeviceActions item={item} vaultName={vaultName} />
          <VaultLock vault={vault} />
        </>
      }
    >
      {alerts.length > 0 && (
        <Card isFlush>
          <AlertList alerts={alerts} names={names} />
        </Card>
      )}
      {running.map((run) => (
        <Card key={run.run}>
          <RunProgress run={run} />
        </Card>
      ))}
      <About item={item} vaultName={vaultName} />
      <Plans item={item} />
      <SnapshotRail item={item} />
      <Card
        isFlush
        title={DEVICES.runs.title}
        actions={
          <Anchor component={Link} to="/runs" search={{ vault, device } as never} size="sm">
            {DEVICES.runs.all}
          </Anchor>
        }
      >
        <QueryStates query={query}>
          {({ items }) =>
            items.length === 0 ? (
              <Text size="sm" c="dimmed" px="lg" pb="lg">
                {DEVICES.runs.empty}
              </Text>
            ) : (
              <RunsTable runs={items} names={names} hasDevice={false} />
            )
          }
        </QueryStates>
      </Card>
      <Asked item={item} />
    </PageFrame>
  );
}

function About({ item, vaultName }: { readonly item: DeviceState; readonly vaultName: string }) {
  const now = useNow();
  const words = DEVICES.facts;
  const rows: readonly (readonly [string, ReactNode])[] = [
    [words.last, item.lastSuccessAt === null ? DEVICES.never : <Time key="last" at={item.lastSuccessAt} />],
    [words.next, nextOf(item, now)],
    [words.seen, item.lastSeenAt === null ? DEVICES.never : <Time key="seen" at={item.lastSeenAt} />],
    [words.protected, formatBytes(item.protectedBytes)],
    [words.stored, formatBytes(item.storedBytes)],
    [words.snapshots, formatCount(item.snapshots)],
    [words.vault, vaultName],
    [TRUST.fact, trustWords(item.group)],
    [words.version, item.about?.version ?? DEVICES.unknown],
    [words.system, item.about === null ? DEVICES.unknown : `${systemOf(item)} · ${item.about.release}`],
    [words.address, item.lastAddress ?? DEVICES.unknown],
    [words.enrolled, formatDay(item.enrolledAt)],
  ];
  return (
    <Card title={words.title}>
      <Facts rows={rows} />
      <div>
        <Text size="xs" c="dimmed" mb={6}>
          {DEVICES.daily}
        </Text>
        <Sparkline days={item.addedByDay} isWide />
      </div>
    </Card>
  );
}

/** What people asked of it lately, and what became of that. */
function Asked({ item: { vault, device } }: { readonly item: DeviceState }) {
  const { data } = useApi(PLAN_ROUTES.commands, { params: { vault, device } });
  if (data === undefined || data.items.length === 0) return null;
  return (
    <Card title={DEVICES.commands}>
      <Stack gap={8}>
        {data.items.slice(0, 8).map(({ id, kind, state, createdAt, by }) => (
          <Group key={id} gap="sm" justify="space-between">
            <Text size="sm">
              {DEVICES.commandKinds[kind]}{" "}
              <Text span c="dimmed" size="sm">
                {DEVICES.by(by)} · <Time at={createdAt} />
              </Text>
            </Text>
            <Badge
              variant="light"
              radius="sm"
              className={runClasses.badge}
              color={state === "done" ? "green" : state === "refused" || state === "expired" ? "red" : "gray"}
            >
              {DEVICES.commandStates[state]}
            </Badge>
          </Group>
        ))}
      </Stack>
    </Card>
  );
}
