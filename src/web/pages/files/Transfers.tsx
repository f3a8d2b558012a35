// What is being downloaded or restored, in the corner of the page: how far, how fast, how long still, and what came of it.

import { ActionIcon, Alert, Box, Button, Group, List, Paper, Progress, Spoiler, Stack, Text } from "@mantine/core";
import { IconCheck, IconX } from "@tabler/icons-react";
import { useSyncExternalStore } from "react";
import { isAppError } from "../../../core/errors.ts";
import { lineStore } from "../../api/live.ts";
import type { TransferResult } from "../../engine/reader-api.ts";
import { formatBytes, formatCount, formatDuration, formatSpeed, plural } from "../../format/numbers.ts";
import { ErrorNote } from "../../parts/ErrorNote.tsx";
import { FILES } from "../../strings/files.ts";
import { SHELL } from "../../strings/shell.ts";
import classes from "./Transfers.module.css";
import { dismiss, type Transfer, useTransfers } from "./transfers.ts";

const WORDS = FILES.transfer;
const NOTES_SHOWN = 50;

export function Transfers() {
  const transfers = useTransfers();
  if (transfers.length === 0) return null;
  return (
    <Box className={classes.corner} component="section" aria-label={FILES.transfers}>
      <Stack gap="xs">
        {transfers.map((transfer) => (
          <One key={transfer.id} transfer={transfer} />
        ))}
      </Stack>
    </Box>
  );
}

function One({ transfer }: { readonly transfer: Transfer }) {
  const { id, title, result, error } = transfer;
  const isOver = result !== undefined || error !== undefined;
  return (
    <Paper withBorder shadow="md" radius="md" p="md">
      <Stack gap={8}>
        <Group justify="space-between" wrap="nowrap" gap="xs">
          <Text fw={600} size="sm" truncate title={title}>
            {title}
          </Text>
          {isOver ? (
            <ActionIcon variant="subtle" color="gray" size="sm" aria-label={WORDS.dismiss} onClick={() => dismiss(id)}>
              <IconX size={16} aria-hidden />
            </ActionIcon>
          ) : (
            <Button size="compact-xs" variant="default" onClick={transfer.cancel}>
              {WORDS.cancel}
            </Button>
          )}
        </Group>
        {!isOver && <Going transfer={transfer} />}
        {result && <Done transfer={transfer} result={result} />}
        {error &&
          (isAppError(error, "interrupted") ? (
            <Text size="sm" c="dimmed" role="status">
              {WORDS.cancelled}
            </Text>
          ) : (
            <ErrorNote error={error} onRetry={transfer.again} />
          ))}
      </Stack>
    </Paper>
  );
}

function Going({ transfer: { title, progress, speed, isWaiting } }: { readonly transfer: Transfer }) {
  const line = useSyncExternalStore(lineStore.subscribe, () => lineStore.current().state);
  const isAway = isWaiting || line === "waiting";
  const { bytes = 0, totalBytes, current = "" } = progress ?? {};
  const share = totalBytes ? Math.min(1, bytes / totalBytes) : 0;
  const leftMs = totalBytes !== undefined && speed > 0 ? ((totalBytes - bytes) / speed) * 1000 : undefined;
  return (
    <>
      <Progress value={share * 100} aria-label={title} transitionDuration={0} striped={share === 0} />
      <Group justify="space-between" gap="xs">
        <Text size="xs" c="dimmed" ff="text">
          {progress === undefined
            ? WORDS.starting
            : totalBytes === undefined
              ? formatBytes(bytes)
              : WORDS.progress(formatBytes(bytes), formatBytes(totalBytes))}
        </Text>
        <Text size="xs" c="dimmed">
          {speed > 0 && formatSpeed(speed)}
          {leftMs !== undefined && leftMs > 1000 && ` · ${WORDS.eta(formatDuration(leftMs))}`}
        </Text>
      </Group>
      {isAway ? (
        <Text size="xs" c="var(--cb-warn)" role="status">
          {WORDS.away}
        </Text>
      ) : (
        <Text size="xs" c="dimmed" truncate="start" title={current}>
          {current || "\u00a0"}
        </Text>
      )}
    </>
  );
}

function Done({ transfer: { kind, again }, result }: { readonly transfer: Transfer; readonly result: TransferResult }) {
  const { files, bytes, notes, noteCount } = result;
  return (
    <>
      <Group gap={6} wrap="nowrap" align="flex-start" role="status">
        <IconCheck size={18} color="var(--cb-good)" aria-hidden />
        <Stack gap={0}>
          <Text size="sm">
            {files === 0 && noteCount > 0
              ? WORDS.nothing
              : WORDS.done(plural(files, FILES.file, FILES.files), formatBytes(bytes))}
          </Text>
          {kind !== "archive" && files > 0 && (
            <Text size="xs" c="dimmed">
              {WORDS.checked}
            </Text>
          )}
        </Stack>
      </Group>
      {noteCount > 0 && (
        <Alert color="orange" p="xs" title={plural(noteCount, WORDS.noteOne, WORDS.notes)}>
          <Spoiler maxHeight={72} showLabel={FILES.transfer.more(formatCount(noteCount))} hideLabel="–">
            <List size="xs" spacing={2} withPadding={false}>
              {notes.slice(0, NOTES_SHOWN).map((note) => (
                <List.Item key={`${note.kind} ${note.path}`}>
                  <b>{note.path}</b> {WORDS.kinds[note.kind]}: {note.detail}
                </List.Item>
              ))}
            </List>
            {noteCount > NOTES_SHOWN && <Text size="xs">{WORDS.more(formatCount(noteCount - NOTES_SHOWN))}</Text>}
          </Spoiler>
          {notes.some((note) => note.kind === "failed") && (
            <Button size="compact-xs" variant="default" mt="xs" onClick={again}>
              {SHELL.tryAgain}
            </Button>
          )}
        </Alert>
      )}
    </>
  );
}
