// A run that goes on: how far it is, how fast, how long it will take, and how to end it.

import { Anchor, Button, Group, Progress, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Link } from "@tanstack/react-router";
import { RUN_ROUTES, type Run } from "../../../wire/v4/api/run-routes.ts";
import { useRights } from "../../api/session.ts";
import { useAction } from "../../api/use-api.ts";
import { formatBytes, formatCount, formatDuration, formatSpeed, plural } from "../../format/numbers.ts";
import { Dialogue } from "../../parts/Dialogue.tsx";
import { useNow } from "../../parts/Time.tsx";
import { RUNS } from "../../strings/runs.ts";
import { useLiveRun, useSpeed } from "./live-runs.ts";
import type { Names } from "./names.ts";
import { badgeOf } from "./RunBadge.tsx";

const SILENT_MS = 60_000;

export function RunProgress({ run: given, names }: { readonly run: Run; readonly names?: Names }) {
  const run = useLiveRun(given);
  const now = useNow();
  const speed = useSpeed(run);
  const share = shareOf(run);
  const saved = Math.max(0, run.bytes.read - run.bytes.new);
  const isSilent = now - run.heardAt > SILENT_MS;
  const name = names?.device(run.vault, run.device);
  return (
    <Stack gap={8}>
      <Group justify="space-between" gap="sm" wrap="nowrap" align="flex-start">
        <Group gap="sm" miw={0}>
          {name !== undefined && (
            <Anchor component={Link} to={`/runs/${run.vault}/${run.run}`} fw={600} c="inherit">
              {name}
            </Anchor>
          )}
          {badgeOf(run)}
          <Text size="sm" c="dimmed">
            {isSilent ? RUNS.silent : RUNS.phases[run.phase]}
          </Text>
        </Group>
        <CancelButton run={run} />
      </Group>
      <Progress.Root size={10} radius="xl">
        <Progress.Section
          value={share === undefined ? 100 : share * 100}
          striped={share === undefined}
          animated={share === undefined}
          aria-label={name ?? RUNS.states.running}
          {...(share === undefined ? { "aria-valuetext": RUNS.phases[run.phase] } : {})}
        />
      </Progress.Root>
      <Group gap="md" justify="space-between">
        <Text size="sm" style={{ fontVariantNumeric: "tabular-nums" }}>
          {run.expected === null
            ? formatBytes(run.bytes.done)
            : RUNS.progress(formatBytes(run.bytes.done), formatBytes(Math.max(run.expected.bytes, run.bytes.done)))}
          {" · "}
          {plural(run.counts.files, "{n} file", "{n} files")}
        </Text>
        <Text size="sm" c="dimmed" style={{ fontVariantNumeric: "tabular-nums" }}>
          {wordsOf(run, speed, saved).join(" · ")}
        </Text>
      </Group>
    </Stack>
  );
}

function wordsOf(run: Run, speed: number | undefined, saved: number): string[] {
  const left = run.expected === null ? undefined : run.expected.bytes - run.bytes.done;
  const eta = speed !== undefined && speed > 0 && left !== undefined && left > 0 ? (left / speed) * 1000 : undefined;
  return [
    ...(run.counts.problems > 0 ? [`${RUNS.columns.problems}: ${formatCount(run.counts.problems)}`] : []),
    ...(saved > 0 ? [RUNS.savedSoFar(formatBytes(saved))] : []),
    ...(speed === undefined ? [] : [formatSpeed(speed)]),
    ...(eta === undefined ? [] : [RUNS.eta(formatDuration(Math.max(1000, eta)))]),
  ];
}

/** undefined where nobody knows how much there is to do. */
function shareOf({ expected, bytes, phase }: Run): number | undefined {
  if (phase === "finishing" || phase === "after") return 1;
  if (expected === null || expected.bytes === 0 || bytes.done > expected.bytes) return undefined;
  return bytes.done / expected.bytes;
}

function CancelButton({ run }: { readonly run: Run }) {
  const rights = useRights();
  const [isAsking, asking] = useDisclosure(false);
  const want = useAction(RUN_ROUTES.wantOfRun, { onDone: asking.close });
  if (!rights.may("operator", run.vault) || run.endedAt !== null || !run.isReported) return null;
  if (run.wanted === "cancel") {
    return (
      <Text size="sm" c="dimmed">
        {RUNS.cancelling}
      </Text>
    );
  }
  const cancel = (): void => want.mutate({ params: { vault: run.vault, run: run.run }, body: { wanted: "cancel" } });
  return (
    <>
      <Button size="compact-sm" variant="default" onClick={asking.open}>
        {RUNS.cancel}
      </Button>
      <Dialogue opened={isAsking} onClose={asking.close} title={RUNS.cancelTitle} centered>
        <Stack>
          <Text size="sm">{RUNS.cancelText}</Text>
          <Group justify="flex-end">
            <Button variant="default" onClick={asking.close}>
              {RUNS.keepGoing}
            </Button>
            <Button color="red" onClick={cancel} loading={want.isPending}>
              {RUNS.cancel}
            </Button>
          </Group>
        </Stack>
      </Dialogue>
    </>
  );
}
