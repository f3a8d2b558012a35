// A backup that runs, or that has just ended: where it is, how fast, how much is left and what was saved, and the buttons that steer it.

import { Alert, Button, Group, Progress, SimpleGrid, Stack, Text } from "@mantine/core";
import {
  IconCircleCheck,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerStop,
  IconPlugConnectedX,
} from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { isAppError } from "../../../core/errors.ts";
import { backups, type RunView } from "../../backup/controller.ts";
import { type Figures, RUN_PHASES } from "../../backup/figures.ts";
import { etaMs, shareDone, speedOf } from "../../backup/speed.ts";
import { formatBytes, formatCount, formatDuration, formatShare, formatSpeed, plural } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { Dialogue } from "../../parts/Dialogue.tsx";
import { ErrorNote } from "../../parts/ErrorNote.tsx";
import { toastError } from "../../parts/toast.tsx";
import { BACKUP } from "../../strings/backup.ts";
import classes from "./backup.module.css";
import { LineState } from "./LineState.tsx";
import { SpeedChart } from "./SpeedChart.tsx";

const WORDS = BACKUP.run;

export function RunPart({ run }: { readonly run: RunView }) {
  const { figures, samples, state } = run;
  const isRunning = state === "running";
  const place = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: when it appears, so that whoever started it sees and hears it
  useEffect(() => {
    if (!isRunning) return;
    place.current?.scrollIntoView({ block: "start" });
    place.current?.focus({ preventScroll: true });
  }, []);
  return (
    <div ref={place} tabIndex={-1} className={classes.run}>
      <Card title={`${WORDS.title} “${run.plan}”`} actions={isRunning ? <Steering figures={figures} /> : <Again />}>
        <Outcome run={run} />
        {isRunning && <Phases figures={figures} />}
        <Bar figures={figures} isRunning={isRunning} />
        <FigureGrid run={run} />
        {isRunning && samples.length > 1 && <SpeedChart samples={samples} />}
        {isRunning && (
          <Group justify="space-between" align="flex-start" gap="sm">
            <Text size="xs" c="dimmed" className={classes.current ?? ""}>
              {figures.current === "" ? WORDS.keepOpen : `${WORDS.now}: ${figures.current}`}
            </Text>
            <LineState figures={figures} />
          </Group>
        )}
      </Card>
    </div>
  );
}

function Steering({ figures }: { readonly figures: Figures }) {
  const [isAsking, setAsking] = useState(false);
  const { isPaused } = figures;
  const Icon = isPaused ? IconPlayerPlay : IconPlayerPause;
  return (
    <>
      <Button
        variant="default"
        leftSection={<Icon size={18} aria-hidden />}
        onClick={() => backups.pause(!isPaused).catch(toastError)}
      >
        {isPaused ? WORDS.resume : WORDS.pause}
      </Button>
      <Button
        variant="light"
        color="red"
        leftSection={<IconPlayerStop size={18} aria-hidden />}
        onClick={() => setAsking(true)}
      >
        {WORDS.cancel}
      </Button>
      <Dialogue opened={isAsking} onClose={() => setAsking(false)} title={WORDS.cancelTitle} centered>
        <Stack>
          <Text size="sm">{WORDS.cancelText}</Text>
          <Group justify="flex-end">
            <Button variant="default" onClick={() => setAsking(false)} data-autofocus>
              {WORDS.cancelKeep}
            </Button>
            <Button
              color="red"
              onClick={() => {
                setAsking(false);
                backups.cancel();
              }}
            >
              {WORDS.cancelYes}
            </Button>
          </Group>
        </Stack>
      </Dialogue>
    </>
  );
}

function Again() {
  return (
    <Button variant="default" onClick={() => backups.dismiss()}>
      {WORDS.another}
    </Button>
  );
}

function Outcome({ run }: { readonly run: RunView }) {
  const { state, end, error, figures, wish } = run;
  if (state === "running" && figures.isWaiting) {
    return (
      <Alert color="yellow" variant="light" icon={<IconPlugConnectedX aria-hidden />} title={WORDS.away} role="status">
        {WORDS.awayText}
      </Alert>
    );
  }
  if (state === "failed") {
    const onRetry = (): void => void backups.start(wish);
    return <ErrorNote error={error} {...(!isAppError(error, "device_revoked") && { onRetry })} />;
  }
  if (state === "cancelled") {
    return (
      <Alert color="gray" variant="light" title={WORDS.cancelled} role="status">
        {WORDS.cancelText}
      </Alert>
    );
  }
  if (state !== "done" || !end) return null;
  const hasProblems = figures.problems > 0;
  return (
    <Alert
      color={hasProblems ? "orange" : "green"}
      variant="light"
      icon={<IconCircleCheck aria-hidden />}
      title={
        hasProblems
          ? WORDS.doneWithProblems(plural(figures.problems, ...WORDS.problems))
          : WORDS.done(formatDuration(figures.elapsedMs))
      }
      role="status"
      styles={{ title: { color: "var(--mantine-color-text)" } }}
    >
      <Text size="sm" ff="monospace">
        {WORDS.snapshot(end.snapshot.slice(0, 12))}
      </Text>
    </Alert>
  );
}

/** Where the run is, as steps; the words of the present one are read aloud when they change. */
function Phases({ figures }: { readonly figures: Figures }) {
  const { phase, isPaused } = figures;
  const now = RUN_PHASES.indexOf(phase);
  return (
    <Stack gap={6}>
      <Text fw={600} role="status" aria-live="polite">
        {isPaused ? `${WORDS.paused}. ${WORDS.pausedText}` : WORDS.phases[phase]}
      </Text>
      <ol className={classes.steps}>
        {RUN_PHASES.map((step, i) => (
          <li key={step} data-done={i < now || undefined} {...(i === now && { "aria-current": "step" as const })}>
            {WORDS.steps[step]}
          </li>
        ))}
      </ol>
    </Stack>
  );
}

function Bar({ figures, isRunning }: { readonly figures: Figures; readonly isRunning: boolean }) {
  const share = shareDone(figures);
  if (!isRunning && share === undefined) return null;
  return (
    <Progress.Root size="lg" transitionDuration={0}>
      <Progress.Section
        value={(share ?? 1) * 100}
        aria-label={WORDS.progress}
        {...(share === undefined ? {} : { "aria-valuetext": formatShare(share) })}
      />
    </Progress.Root>
  );
}

function FigureGrid({ run }: { readonly run: RunView }) {
  const { figures, samples, state } = run;
  const { files, bytes, newBytes, addedBytes, problems, elapsedMs, expected } = figures;
  const saved = Math.max(0, bytes - newBytes);
  const eta = etaMs(figures, samples);
  const isRunning = state === "running";
  return (
    <SimpleGrid component="dl" cols={{ base: 2, sm: 3, lg: 6 }} spacing="md" m={0}>
      {isRunning && <Figure name={WORDS.speed} value={formatSpeed(speedOf(samples))} />}
      {isRunning && <Figure name={WORDS.left} value={eta === undefined ? WORDS.leftUnknown : formatDuration(eta)} />}
      {!isRunning && <Figure name={WORDS.elapsed} value={formatDuration(elapsedMs)} />}
      <Figure
        name={WORDS.files}
        value={formatCount(files)}
        note={isRunning && expected ? WORDS.filesOf("", formatCount(expected.files)).trim() : undefined}
      />
      <Figure
        name={WORDS.data}
        value={formatBytes(bytes)}
        note={isRunning && expected ? WORDS.dataOf("", formatBytes(expected.bytes)).trim() : undefined}
      />
      <Figure name={WORDS.saved} value={formatBytes(saved)} note={WORDS.savedHelp} />
      <Figure name={WORDS.stored} value={formatBytes(addedBytes)} note={WORDS.storedHelp(formatBytes(newBytes))} />
      {problems > 0 && <Figure name={WORDS.couldNot} value={formatCount(problems)} isBad />}
    </SimpleGrid>
  );
}

function Figure(props: {
  readonly name: string;
  readonly value: string;
  readonly note?: string | undefined;
  readonly isBad?: boolean;
}) {
  const { name, value, note, isBad = false } = props;
  return (
    <div>
      <Text component="dt" size="xs" c="dimmed">
        {name}
      </Text>
      <Text
        component="dd"
        m={0}
        fw={650}
        size="lg"
        className={classes.figure ?? ""}
        {...(isBad && { c: "var(--cb-bad)" })}
      >
        {value}
      </Text>
      {note !== undefined && (
        <Text component="dd" m={0} size="xs" c="dimmed">
          {note}
        </Text>
      )}
    </div>
  );
}
