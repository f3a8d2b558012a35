// What the server does by itself in a vault: when, what it would do, what came of it, and the button that does it now.

import { Badge, Button, Group, Paper, Progress, SimpleGrid, Stack, Table, Text, Title } from "@mantine/core";
import { IconHistory } from "@tabler/icons-react";
import { useState } from "react";
import { JOB_ROUTES, type Job, type JobKind, type ShownSchedule } from "../../../wire/v4/api/job-routes.ts";
import { useRights } from "../../api/session.ts";
import { useAction, useApi } from "../../api/use-api.ts";
import { Card } from "../../parts/Card.tsx";
import { Dialogue } from "../../parts/Dialogue.tsx";
import { EmptyNote, QueryStates } from "../../parts/QueryStates.tsx";
import { Time } from "../../parts/Time.tsx";
import { toastDone } from "../../parts/toast.tsx";
import { CARE } from "../../strings/vaults.ts";
import type { SectionProps } from "./detail.tsx";
import { JobResult } from "./JobResult.tsx";
import { ScheduleForm } from "./ScheduleForm.tsx";

const KINDS = ["retention", "gc", "scrub", "check"] as const satisfies readonly JobKind[];
/** Those of which a dry run says what they would do. */
const PLANNED: readonly JobKind[] = ["retention", "gc"];
const COLORS: Readonly<Record<Job["state"], string>> = {
  waiting: "gray",
  running: "",
  done: "green",
  failed: "red",
  cancelled: "orange",
};
const REFRESH_MS = 1500;

export function Care({ vault }: SectionProps) {
  const jobs = useApi(
    JOB_ROUTES.jobs,
    { query: { vault } },
    { refetchInterval: ({ state }) => (state.data?.items.some(isAtWork) ? REFRESH_MS : false) },
  );
  const schedules = useApi(JOB_ROUTES.schedules);
  const [shown, setShown] = useState<string | undefined>();
  const job = jobs.data?.items.find(({ id }) => id === shown);
  const scheduleOf = (kind: JobKind): ShownSchedule | undefined => {
    const items = schedules.data?.items.filter((each) => each.kind === kind) ?? [];
    return items.find((each) => each.vault === vault) ?? items.find((each) => each.vault === null);
  };
  return (
    <Stack gap="lg">
      <Card title={CARE.title} text={CARE.text}>
        <SimpleGrid cols={{ base: 1, lg: 2 }}>
          {KINDS.map((kind) => (
            <Deed
              key={kind}
              vault={vault}
              kind={kind}
              schedule={scheduleOf(kind)}
              last={jobs.data?.items.find((each) => each.kind === kind && !each.dryRun)}
              onShow={setShown}
            />
          ))}
        </SimpleGrid>
      </Card>
      <Card title={CARE.history} isFlush>
        <QueryStates
          query={jobs}
          isEmpty={({ items }) => items.length === 0}
          empty={<EmptyNote isInCard icon={IconHistory} title={CARE.noHistory} />}
        >
          {({ items }) => (
            <Table.ScrollContainer minWidth={300}>
              <Table verticalSpacing="xs" horizontalSpacing="lg" highlightOnHover>
                <Table.Tbody>
                  {items.map((each) => (
                    <Table.Tr key={each.id}>
                      <Table.Td>
                        <Button variant="transparent" size="compact-sm" p={0} onClick={() => setShown(each.id)}>
                          {CARE.kinds[each.kind]}
                          {each.dryRun ? ` (${CARE.dryRun})` : ""}
                        </Button>
                      </Table.Td>
                      <Table.Td>
                        <State job={each} />
                      </Table.Td>
                      <Table.Td>
                        <Time at={each.startedAt ?? each.createdAt} />
                        <Text size="xs" c="dimmed" hiddenFrom="sm">
                          {CARE.startedBy(each.startedBy)}
                        </Text>
                      </Table.Td>
                      <Table.Td visibleFrom="sm">
                        <Text size="sm" c="dimmed">
                          {CARE.startedBy(each.startedBy)}
                        </Text>
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </Table.ScrollContainer>
          )}
        </QueryStates>
      </Card>
      <Dialogue
        opened={job !== undefined}
        onClose={() => setShown(undefined)}
        title={
          job === undefined ? "" : job.dryRun ? `${CARE.kinds[job.kind]}: ${CARE.planTitle}` : CARE.kinds[job.kind]
        }
      >
        {job !== undefined && <JobResult job={job} />}
      </Dialogue>
    </Stack>
  );
}

function Deed({
  vault,
  kind,
  schedule,
  last,
  onShow,
}: {
  readonly vault: string;
  readonly kind: (typeof KINDS)[number];
  readonly schedule: ShownSchedule | undefined;
  readonly last: Job | undefined;
  readonly onShow: (job: string) => void;
}) {
  const { may } = useRights();
  const [isScheduling, setScheduling] = useState(false);
  const refreshes = [JOB_ROUTES.jobs];
  const plan = useAction(JOB_ROUTES.startJob, { refreshes, onDone: ({ id }) => onShow(id) });
  const run = useAction(JOB_ROUTES.startJob, { refreshes, onDone: () => toastDone(CARE.started) });
  const cancel = useAction(JOB_ROUTES.cancelJob, { refreshes });
  const isRunning = last !== undefined && isAtWork(last);
  const mayRun = may("operator", vault);
  return (
    <Paper withBorder radius="md" p="md" component="section" aria-label={CARE.kinds[kind]}>
      <Stack gap="sm" h="100%">
        <Group justify="space-between" wrap="nowrap" align="flex-start">
          <div>
            <Title order={3} size="h5">
              {CARE.kinds[kind]}
            </Title>
            <Text size="sm" c="dimmed">
              {CARE.help[kind]}
            </Text>
          </div>
          {last !== undefined && <State job={last} />}
        </Group>
        {isRunning && <JobProgress job={last} />}
        <Group gap="lg" mt="auto">
          <Text size="sm">
            <Text span c="dimmed" inherit>
              {CARE.last}:{" "}
            </Text>
            {last === undefined ? CARE.notYet : <Time at={last.endedAt ?? last.createdAt} />}
          </Text>
          <Text size="sm">
            <Text span c="dimmed" inherit>
              {CARE.next}:{" "}
            </Text>
            {schedule?.isEnabled && schedule.nextAt !== null ? <Time at={schedule.nextAt} /> : CARE.never}
          </Text>
        </Group>
        <Group gap="xs">
          {PLANNED.includes(kind) && (
            <Button
              size="xs"
              variant="default"
              loading={plan.isPending}
              onClick={() => plan.mutate({ body: { kind, vault, dryRun: true } })}
            >
              {CARE.plan}
            </Button>
          )}
          {mayRun && !isRunning && (
            <Button
              size="xs"
              variant="light"
              loading={run.isPending}
              onClick={() => run.mutate({ body: { kind, vault } })}
            >
              {CARE.run}
            </Button>
          )}
          {mayRun && isRunning && (
            <Button size="xs" variant="default" onClick={() => cancel.mutate({ params: { id: last.id } })}>
              {CARE.cancel}
            </Button>
          )}
          {may("owner", vault) && schedule !== undefined && (
            <Button size="xs" variant="subtle" onClick={() => setScheduling(true)}>
              {CARE.schedule}
            </Button>
          )}
        </Group>
      </Stack>
      <Dialogue
        opened={isScheduling}
        onClose={() => setScheduling(false)}
        title={`${CARE.schedule}: ${CARE.kinds[kind]}`}
      >
        {schedule !== undefined && (
          <ScheduleForm vault={vault} schedule={schedule} onDone={() => setScheduling(false)} />
        )}
      </Dialogue>
    </Paper>
  );
}

export function JobProgress({ job }: { readonly job: Job }) {
  const { progress } = job;
  const share = progress === null || progress.total === 0 ? 0 : progress.done / progress.total;
  return <Progress value={share * 100} animated aria-label={CARE.kinds[job.kind]} />;
}

function State({ job }: { readonly job: Job }) {
  return (
    <Badge variant="light" tt="none" color={COLORS[job.state]} flex="none">
      {CARE.states[job.state]}
    </Badge>
  );
}

function isAtWork({ state }: Job): boolean {
  return state === "waiting" || state === "running";
}
