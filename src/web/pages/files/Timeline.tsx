// The snapshots of a vault, day by day, oldest to newest: a dot each, and the one that is looked at in words.

import {
  ActionIcon,
  Alert,
  Badge,
  Box,
  Group,
  NativeSelect,
  Paper,
  Stack,
  Text,
  Tooltip,
  UnstyledButton,
} from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { type KeyboardEvent, useEffect, useMemo, useRef } from "react";
import type { SnapshotId } from "../../../core/ids.ts";
import type { SnapshotView } from "../../engine/reader-api.ts";
import { formatBytes, formatCount, formatTime, plural } from "../../format/numbers.ts";
import { Time } from "../../parts/Time.tsx";
import { FILES } from "../../strings/files.ts";
import classes from "./Timeline.module.css";

/** More would make the strip slow; older ones are in the list beside it. */
const DOTS_MAX = 400;

export function Timeline({
  snapshots,
  current,
  device,
  onDevice,
  onPick,
}: {
  /** Newest first. */
  readonly snapshots: readonly SnapshotView[];
  readonly current: SnapshotView;
  /** Undefined: of all devices. */
  readonly device: string | undefined;
  onDevice(device: string | undefined): void;
  onPick(snapshot: SnapshotView): void;
}) {
  const devices = useMemo(
    () => new Map(snapshots.map((each) => [each.device as string, each.deviceName])),
    [snapshots],
  );
  const shown = useMemo(
    () => snapshots.filter((each) => device === undefined || each.device === device),
    [snapshots, device],
  );
  const at = shown.findIndex(({ id }) => id === current.id);
  const older = shown[at + 1];
  const newer = at > 0 ? shown[at - 1] : undefined;
  return (
    <Paper withBorder radius="lg" p="md">
      <Stack gap="xs">
        <Group gap="sm" justify="space-between" align="flex-end">
          <Group gap="xs" wrap="nowrap" flex="1 1 300px" miw={0}>
            <ActionIcon
              variant="default"
              aria-label={FILES.older}
              disabled={!older}
              onClick={() => older && onPick(older)}
            >
              <IconChevronLeft size={18} aria-hidden />
            </ActionIcon>
            <NativeSelect
              aria-label={FILES.pickSnapshot}
              flex={1}
              maw={340}
              value={current.id}
              onChange={(event) => {
                const found = shown.find(({ id }) => id === (event.currentTarget.value as SnapshotId));
                if (found) onPick(found);
              }}
              data={shown.map((each) => ({
                value: each.id,
                label: optionOf(each, device === undefined && devices.size > 1),
              }))}
            />
            <ActionIcon
              variant="default"
              aria-label={FILES.newer}
              disabled={!newer}
              onClick={() => newer && onPick(newer)}
            >
              <IconChevronRight size={18} aria-hidden />
            </ActionIcon>
          </Group>
          {devices.size > 1 && (
            <NativeSelect
              aria-label={FILES.device}
              value={device ?? ""}
              onChange={(event) => onDevice(event.currentTarget.value || undefined)}
              data={[
                { value: "", label: FILES.allDevices },
                ...[...devices].map(([value, label]) => ({ value, label })),
              ]}
            />
          )}
        </Group>
        <Strip shown={shown} current={current} onPick={onPick} />
        <About snapshot={current} />
      </Stack>
    </Paper>
  );
}

function Strip({
  shown,
  current,
  onPick,
}: {
  readonly shown: readonly SnapshotView[];
  readonly current: SnapshotView;
  onPick(snapshot: SnapshotView): void;
}) {
  const strip = useRef<HTMLDivElement>(null);
  const days = useMemo(() => daysOf(shown.slice(0, DOTS_MAX)), [shown]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the one that is looked at is to be seen
  useEffect(() => {
    const dot = strip.current?.querySelector("[aria-checked=true]");
    dot?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [current.id, days.length]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: 1, ArrowDown: 1, ArrowRight: -1, ArrowUp: -1 }[event.key];
    const next = step === undefined ? undefined : shown[shown.findIndex(({ id }) => id === current.id) + step];
    if (!next) return;
    event.preventDefault();
    onPick(next);
    requestAnimationFrame(() => strip.current?.querySelector<HTMLElement>("[aria-checked=true]")?.focus());
  };
  return (
    <div ref={strip} className={classes.strip} role="radiogroup" aria-label={FILES.timeline} onKeyDown={onKeyDown}>
      {days.map(({ day, label, month, snapshots }) => (
        <div key={day} className={classes.day}>
          <div className={classes.dots}>
            {snapshots.map((each) => (
              <Tooltip key={each.id} label={FILES.snapshotAt(formatTime(each.receivedAt), each.deviceName)}>
                <UnstyledButton
                  role="radio"
                  aria-checked={each.id === current.id}
                  aria-label={FILES.snapshotAt(formatTime(each.receivedAt), each.deviceName)}
                  tabIndex={each.id === current.id ? 0 : -1}
                  className={classes.dot ?? ""}
                  {...(each.problem !== undefined && { "data-problem": true })}
                  {...(each.isPinned && { "data-pinned": true })}
                  onClick={() => onPick(each)}
                />
              </Tooltip>
            ))}
          </div>
          <span className={classes.label}>{label}</span>
          <span className={`${classes.label} ${classes.month}`}>{month ?? "\u00a0"}</span>
        </div>
      ))}
    </div>
  );
}

function About({ snapshot }: { readonly snapshot: SnapshotView }) {
  const { info, problem } = snapshot;
  if (problem !== undefined) {
    return (
      <Alert color="red" title={FILES.cannotOpen} role="alert">
        {problem}
      </Alert>
    );
  }
  return (
    <Group gap="xs" mih={26}>
      <Text size="sm" fw={600}>
        {snapshot.deviceName}
      </Text>
      <Text size="sm" c="dimmed" component="span">
        <Time at={snapshot.receivedAt} />
      </Text>
      {info ? (
        <>
          <Badge variant="light" tt="none">
            {info.plan}
          </Badge>
          {info.tags.map((tag) => (
            <Badge key={tag} variant="outline" color="gray" tt="none">
              {tag}
            </Badge>
          ))}
          <Text size="sm" c="dimmed">
            {FILES.snapshotFiles(plural(info.stats.files, FILES.file, FILES.files), formatBytes(info.stats.bytes))}
          </Text>
          {info.errors.count > 0 && (
            <Tooltip
              multiline
              maw={420}
              label={info.errors.first
                .slice(0, 8)
                .map(({ path, reason }) => `${path}: ${reason}`)
                .join("\n")}
            >
              <Badge color="amber" variant="light" tt="none" tabIndex={0}>
                {FILES.errorsIn(formatCount(info.errors.count))}
              </Badge>
            </Tooltip>
          )}
        </>
      ) : (
        <Text size="sm" c="dimmed">
          {FILES.opening}
        </Text>
      )}
      {snapshot.isPinned && (
        <Badge color="amber" variant="light" tt="none">
          {FILES.pinned}
        </Badge>
      )}
      <Box flex={1} />
    </Group>
  );
}

type Day = {
  readonly day: string;
  readonly label: string;
  /** Where a month begins. */
  readonly month: string | undefined;
  readonly snapshots: readonly SnapshotView[];
};

function daysOf(newestFirst: readonly SnapshotView[]): Day[] {
  const byDay = Map.groupBy(newestFirst.toReversed(), ({ receivedAt }) => new Date(receivedAt).toDateString());
  let before = "";
  return [...byDay].map(([day, snapshots]) => {
    const date = new Date(snapshots[0]!.receivedAt);
    const month = new Intl.DateTimeFormat(undefined, { month: "short", year: "2-digit" }).format(date);
    const isNew = month !== before;
    before = month;
    return { day, label: String(date.getDate()), month: isNew ? month : undefined, snapshots };
  });
}

function optionOf({ receivedAt, deviceName }: SnapshotView, withDevice: boolean): string {
  return withDevice ? `${formatTime(receivedAt)} · ${deviceName}` : formatTime(receivedAt);
}
