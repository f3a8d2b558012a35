// Runs, newest first: a table where there is room, cards where there is not. A row opens its run. Of thousands only those in sight are drawn.

import { Anchor, Group, Table, Text } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { Link, useNavigate } from "@tanstack/react-router";
import { type RefCallback, useRef } from "react";
import type { Run } from "../../../wire/v4/api/run-routes.ts";
import { formatBytes, formatCount, formatDuration, formatTime } from "../../format/numbers.ts";
import { Time, useNow } from "../../parts/Time.tsx";
import { useRowsInSight } from "../../parts/use-rows-in-sight.ts";
import { RUNS } from "../../strings/runs.ts";
import { useVault } from "../../unlock/vault-store.ts";
import { useLiveRun } from "./live-runs.ts";
import type { Names } from "./names.ts";
import { usePlanNames } from "./plan-names.ts";
import { badgeOf } from "./RunBadge.tsx";
import classes from "./runs.module.css";

const WORDS = RUNS.columns;
const DAY_MS = 86_400_000;

/** Before they are measured. */
const CARD_PX = 78;
const ROW_PX = 60;
const COLUMNS = 7;

type Props = {
  readonly runs: readonly Run[];
  readonly names: Names;
  readonly hasDevice?: boolean;
  /** Names by token, as far as they are known. */
  readonly plans: ReadonlyMap<string, string>;
  /** Whoever scrolls is near the end. */
  readonly onEnd?: () => void;
};

export function RunsTable(given: Omit<Props, "plans">) {
  const open = useVault().open?.id;
  const plans = usePlanNames(open ?? "");
  const props = { ...given, plans };
  const isNarrow = useMediaQuery("(max-width: 62em)", undefined, { getInitialValueInEffect: false });
  return isNarrow ? <Cards {...props} /> : <Rows {...props} />;
}

function Cards({ runs, names, plans, hasDevice = true, onEnd }: Props) {
  const list = useRef<HTMLDivElement>(null);
  const { from, to, beforePx, afterPx, measure } = useRowsInSight(list, { count: runs.length, rowPx: CARD_PX, onEnd });
  return (
    <div ref={list}>
      <div style={{ height: beforePx }} />
      {runs.slice(from, to).map((run, i) => (
        <div key={run.vault + run.run} ref={measure} data-index={from + i} className={classes.slot}>
          <RunCard run={run} names={names} plan={planOf(run, plans)} hasDevice={hasDevice} />
        </div>
      ))}
      <div style={{ height: afterPx }} />
    </div>
  );
}

function Rows({ runs, names, plans, hasDevice = true, onEnd }: Props) {
  const list = useRef<HTMLTableSectionElement>(null);
  const { from, to, beforePx, afterPx, measure } = useRowsInSight(list, { count: runs.length, rowPx: ROW_PX, onEnd });
  const columns = COLUMNS + (hasDevice ? 1 : 0);
  return (
    <Table.ScrollContainer minWidth={820}>
      <Table
        className={classes.table}
        verticalSpacing="sm"
        horizontalSpacing="md"
        {...(measure && { "aria-rowcount": runs.length + 1 })}
      >
        <Table.Thead>
          <Table.Tr {...(measure && { "aria-rowindex": 1 })}>
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
        <Table.Tbody ref={list}>
          {beforePx > 0 && <Gap px={beforePx} columns={columns} />}
          {runs.slice(from, to).map((run, i) => (
            <Row
              key={run.vault + run.run}
              run={run}
              names={names}
              plan={planOf(run, plans)}
              hasDevice={hasDevice}
              {...(measure && { place: { "data-index": from + i, "aria-rowindex": from + i + 2, ref: measure } })}
            />
          ))}
          {afterPx > 0 && <Gap px={afterPx} columns={columns} />}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

/** In place of rows that are not in sight. */
function Gap({ px, columns }: { readonly px: number; readonly columns: number }) {
  return (
    <tr aria-hidden>
      <td colSpan={columns} style={{ height: px, padding: 0 }} />
    </tr>
  );
}

type RowProps = {
  readonly run: Run;
  readonly names: Names;
  /** Its name, while the vault is unlocked. */
  readonly plan: string | undefined;
  readonly hasDevice: boolean;
};
/** Of a row in a list of which not all is drawn. */
type RowPlace = {
  readonly place?: {
    readonly "data-index": number;
    readonly "aria-rowindex": number;
    readonly ref: RefCallback<HTMLElement>;
  };
};

function Row({ run: given, names, plan, hasDevice, place }: RowProps & RowPlace) {
  const run = useLiveRun(given);
  const navigate = useNavigate();
  const to = `/runs/${run.vault}/${run.run}`;
  const { isReported, counts, bytes } = run;
  return (
    <Table.Tr {...place} className={classes.row} onClick={() => void navigate({ to })}>
      <Table.Td style={{ whiteSpace: "nowrap" }}>
        <Anchor component={Link} to={to} c="inherit" fz="sm" onClick={(event) => event.stopPropagation()}>
          <Started at={run.startedAt} />
        </Anchor>
        {!hasDevice && <Aside words={[plan]} />}
      </Table.Td>
      {hasDevice && (
        <Table.Td>
          <Text fw={500} size="sm">
            {names.device(run.vault, run.device)}
          </Text>
          <Aside words={[run.kind === "backup" ? undefined : RUNS.kinds[run.kind], plan]} />
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

function Aside({ words }: { readonly words: readonly (string | undefined)[] }) {
  const said = words.filter((word) => word !== undefined).join(" · ");
  if (said === "") return null;
  return (
    <Text size="xs" c="dimmed">
      {said}
    </Text>
  );
}

function planOf({ plan }: Run, plans: ReadonlyMap<string, string>): string | undefined {
  return plan === null ? undefined : plans.get(plan);
}

/** "2 weeks ago" is too little to find a run by. */
function Started({ at }: { readonly at: number }) {
  return useNow() - at > DAY_MS ? (
    <time dateTime={new Date(at).toISOString()}>{formatTime(at)}</time>
  ) : (
    <Time at={at} />
  );
}

function RunCard({ run: given, names, plan, hasDevice }: RowProps) {
  const run = useLiveRun(given);
  const about = run.isReported
    ? `${formatCount(run.counts.files)} ${WORDS.files.toLowerCase()} · ${formatBytes(run.bytes.done)} · ${tookOf(run)}`
    : `${formatBytes(run.bytes.added)} · ${tookOf(run)}`;
  return (
    <Link to={`/runs/${run.vault}/${run.run}`} className={classes.card}>
      <Group justify="space-between" wrap="nowrap" gap="sm">
        <Group gap="xs" wrap="nowrap" miw={0}>
          {hasDevice && (
            <Text fw={600} size="sm" truncate>
              {names.device(run.vault, run.device)}
            </Text>
          )}
          <Text size="sm" flex="none" {...(hasDevice ? { c: "dimmed" } : { fw: 600 })}>
            <Started at={run.startedAt} />
          </Text>
        </Group>
        {badgeOf(run)}
      </Group>
      <Text size="sm" c="dimmed" mt={6}>
        {plan === undefined ? about : `${plan} · ${about}`}
      </Text>
    </Link>
  );
}

export function tookOf({ isReported, elapsedMs, startedAt, endedAt, heardAt }: Run): string {
  const ms = isReported ? elapsedMs : (endedAt ?? heardAt) - startedAt;
  return ms > 0 ? formatDuration(ms) : "–";
}
