// Runs, newest first: a table where there is room, cards where there is not. A row opens its run.

import { Anchor, Group, Table, Text } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { Link, useNavigate } from "@tanstack/react-router";
import type { Run } from "../../../wire/v4/api/run-routes.ts";
import { formatBytes, formatCount, formatDuration, formatTime } from "../../format/numbers.ts";
import { Time, useNow } from "../../parts/Time.tsx";
import { RUNS } from "../../strings/runs.ts";
import { useLiveRun } from "./live-runs.ts";
import type { Names } from "./names.ts";
import { badgeOf } from "./RunBadge.tsx";
import classes from "./runs.module.css";

const WORDS = RUNS.columns;
const DAY_MS = 86_400_000;

type Props = { readonly runs: readonly Run[]; readonly names: Names; readonly hasDevice?: boolean };

export function RunsTable({ runs, names, hasDevice = true }: Props) {
  const isNarrow = useMediaQuery("(max-width: 62em)", undefined, { getInitialValueInEffect: false });
  if (isNarrow) {
    return (
      <div>
        {runs.map((run) => (
          <RunCard key={run.vault + run.run} run={run} names={names} hasDevice={hasDevice} />
        ))}
      </div>
    );
  }
  return (
    <Table.ScrollContainer minWidth={820}>
      <Table className={classes.table} verticalSpacing="sm" horizontalSpacing="md">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{WORDS.started}</Table.Th>
            {hasDevice && <Table.Th>{WORDS.device}</Table.Th>}
            <Table.Th>{WORDS.state}</Table.Th>
            <Table.Th className={classes.number}>{WORDS.files}</Table.Th>
            <Table.Th className={classes.number}>{WORDS.changed}</Table.Th>
            <Table.Th className={classes.number}>{WORDS.size}</Table.Th>
            <Table.Th className={classes.number}>{WORDS.stored}</Table.Th>
            <Table.Th className={classes.number}>{WORDS.took}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {runs.map((run) => (
            <Row key={run.vault + run.run} run={run} names={names} hasDevice={hasDevice} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

type RowProps = { readonly run: Run; readonly names: Names; readonly hasDevice: boolean };

function Row({ run: given, names, hasDevice }: RowProps) {
  const run = useLiveRun(given);
  const navigate = useNavigate();
  const to = `/runs/${run.vault}/${run.run}`;
  const { isReported, counts, bytes } = run;
  return (
    <Table.Tr className={classes.row} onClick={() => void navigate({ to })}>
      <Table.Td style={{ whiteSpace: "nowrap" }}>
        <Anchor component={Link} to={to} c="inherit" fz="sm" onClick={(event) => event.stopPropagation()}>
          <Started at={run.startedAt} />
        </Anchor>
      </Table.Td>
      {hasDevice && (
        <Table.Td>
          <Text fw={500} size="sm">
            {names.device(run.vault, run.device)}
          </Text>
          {run.kind !== "backup" && (
            <Text size="xs" c="dimmed">
              {RUNS.kinds[run.kind]}
            </Text>
          )}
        </Table.Td>
      )}
      <Table.Td>{badgeOf(run)}</Table.Td>
      <Table.Td className={classes.number}>{isReported ? formatCount(counts.files) : "–"}</Table.Td>
      <Table.Td className={classes.number}>
        {isReported ? formatCount(counts.newFiles + counts.changedFiles) : "–"}
      </Table.Td>
      <Table.Td className={classes.number}>{isReported ? formatBytes(bytes.done) : "–"}</Table.Td>
      <Table.Td className={classes.number}>{formatBytes(bytes.added)}</Table.Td>
      <Table.Td className={classes.number}>{tookOf(run)}</Table.Td>
    </Table.Tr>
  );
}

/** "2 weeks ago" is too little to find a run by. */
function Started({ at }: { readonly at: number }) {
  return useNow() - at > DAY_MS ? (
    <time dateTime={new Date(at).toISOString()}>{formatTime(at)}</time>
  ) : (
    <Time at={at} />
  );
}

function RunCard({ run: given, names, hasDevice }: RowProps) {
  const run = useLiveRun(given);
  const about = run.isReported
    ? `${formatCount(run.counts.files)} ${WORDS.files.toLowerCase()} · ${formatBytes(run.bytes.done)} · ${tookOf(run)}`
    : `${formatBytes(run.bytes.added)} · ${tookOf(run)}`;
  return (
    <Link to={`/runs/${run.vault}/${run.run}`} className={classes.card}>
      <Group justify="space-between" wrap="nowrap" gap="sm">
        <Text fw={600} size="sm" truncate>
          {hasDevice ? names.device(run.vault, run.device) : <Started at={run.startedAt} />}
        </Text>
        {badgeOf(run)}
      </Group>
      <Group justify="space-between" gap="sm" mt={6}>
        <Text size="sm" c="dimmed">
          {about}
        </Text>
        {hasDevice && (
          <Text size="sm" c="dimmed">
            <Started at={run.startedAt} />
          </Text>
        )}
      </Group>
    </Link>
  );
}

export function tookOf({ isReported, elapsedMs, startedAt, endedAt, heardAt }: Run): string {
  const ms = isReported ? elapsedMs : (endedAt ?? heardAt) - startedAt;
  return ms > 0 ? formatDuration(ms) : "–";
}
