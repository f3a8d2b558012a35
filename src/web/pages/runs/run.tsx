// One run: how it went in figures, what could not be read in words, and what to do about it.

import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { IconFolder } from "@tabler/icons-react";
import { Link, useParams } from "@tanstack/react-router";
import { RUN_ROUTES, type Run } from "../../../wire/v4/api/run-routes.ts";
import { useApi } from "../../api/use-api.ts";
import { formatAge, formatBytes, formatCount, formatShare, formatTime } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { Facts } from "../../parts/Facts.tsx";
import { PageFrame } from "../../parts/PageFrame.tsx";
import { QueryStates } from "../../parts/QueryStates.tsx";
import { saveJson } from "../../parts/save-file.ts";
import { useNow } from "../../parts/Time.tsx";
import { RUNS } from "../../strings/runs.ts";
import { VaultLock } from "../../unlock/LockMenu.tsx";
import { errorOf } from "./error-words.ts";
import { useLiveRun, useRunTurns } from "./live-runs.ts";
import { type Names, useNames } from "./names.ts";
import { usePlanName } from "./plan-names.ts";
import { badgeOf } from "./RunBadge.tsx";
import { RunProblems } from "./RunProblems.tsx";
import { RunProgress } from "./RunProgress.tsx";
import { tookOf } from "./RunsTable.tsx";

export function Page() {
  useRunTurns();
  const { vault = "", run = "" } = useParams({ strict: false }) as { vault?: string; run?: string };
  const query = useApi(RUN_ROUTES.run, { params: { vault, run } });
  const names = useNames();
  return <QueryStates query={query}>{(given) => <OneRun key={given.run} given={given} names={names} />}</QueryStates>;
}

function OneRun({ given, names }: { readonly given: Run; readonly names: Names }) {
  const run = useLiveRun(given);
  const now = useNow();
  const device = names.device(run.vault, run.device);
  return (
    <PageFrame
      title={RUNS.one(formatTime(run.startedAt))}
      crumbs={[
        { label: RUNS.title, to: "/runs" },
        { label: device, to: `/devices/${run.vault}/${run.device}` },
      ]}
      lead={
        <Group gap="sm" component="span">
          {badgeOf(run)}
          <span>
            {RUNS.kinds[run.kind]} · {device} · {formatAge(run.endedAt ?? run.startedAt, now)}
          </span>
        </Group>
      }
      actions={
        <>
          <Button variant="default" onClick={() => saveJson(`cyberbackup-run-${run.run.slice(0, 8)}.json`, run)}>
            {RUNS.download}
          </Button>
          {run.snapshot !== null && (
            <Button
              component={Link}
              to={`/files/${run.vault}`}
              search={{ snapshot: run.snapshot } as never}
              leftSection={<IconFolder size={18} aria-hidden />}
              variant="light"
            >
              {RUNS.browse}
            </Button>
          )}
          <VaultLock vault={run.vault} />
        </>
      }
    >
      {run.endedAt === null && (
        <Card>
          <RunProgress run={run} />
        </Card>
      )}
      {run.error !== null && <ErrorWords run={run} />}
      <Figures run={run} />
      <RunProblems run={run} />
    </PageFrame>
  );
}

/** The code of the table, in its words: what happened, and what to do next. */
function ErrorWords({ run }: { readonly run: Run }) {
  const error = errorOf(run.error ?? "internal");
  return (
    <Alert color={run.state === "cancelled" ? "gray" : "red"} variant="light" title={RUNS.error}>
      <Stack gap={6}>
        <Text size="sm">{error.message}</Text>
        <Text size="sm">
          <strong>{RUNS.nextStep}:</strong> {error.hint}
        </Text>
      </Stack>
    </Alert>
  );
}

function Figures({ run }: { readonly run: Run }) {
  const words = RUNS.figures;
  const plan = usePlanName(run.vault, run.plan);
  const { counts, bytes } = run;
  const dedup = Math.max(0, bytes.read - bytes.new);
  const compressed = Math.max(0, bytes.new - bytes.added);
  const share = (part: number, whole: number): string => (whole > 0 ? ` (${formatShare(part / whole)})` : "");
  const told: readonly (readonly [string, string])[] = run.isReported
    ? [
        [words.files, formatCount(counts.files)],
        [words.new, formatCount(counts.newFiles)],
        [words.changed, formatCount(counts.changedFiles)],
        [words.unchanged, formatCount(counts.unchangedFiles)],
        [words.folders, formatCount(counts.directories)],
        ...(counts.others > 0 ? [[words.others, formatCount(counts.others)] as const] : []),
        ...(counts.changedWhileRead > 0
          ? [[words.changedWhileRead, formatCount(counts.changedWhileRead)] as const]
          : []),
        [words.done, formatBytes(bytes.done)],
        [words.read, formatBytes(bytes.read)],
        [words.dedup, formatBytes(dedup) + share(dedup, bytes.read)],
        [words.compression, formatBytes(compressed) + share(compressed, bytes.new)],
      ]
    : [];
  const rows: readonly (readonly [string, string])[] = [
    ...told,
    [words.added, formatBytes(bytes.added)],
    [words.sent, formatBytes(bytes.sent)],
    [words.took, tookOf(run)],
    [words.started, formatTime(run.startedAt)],
    [words.ended, run.endedAt === null ? words.none : formatTime(run.endedAt)],
    [words.trigger, RUNS.triggers[run.trigger]],
    [words.plan, plan],
  ];
  return (
    <Card title={words.title} {...(run.isReported ? {} : { text: RUNS.notTold })}>
      <Facts rows={rows} />
      {run.snapshot !== null && (
        <Text size="xs" c="dimmed" ff="monospace" style={{ overflowWrap: "anywhere" }}>
          {words.snapshot} {run.snapshot}
        </Text>
      )}
    </Card>
  );
}
