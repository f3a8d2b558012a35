// The server's own log, live: the newest line on top.

import { Badge, Button, Group, NativeSelect, Switch, Text, TextInput } from "@mantine/core";
import { IconDownload, IconFileText, IconSearch } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { AppError } from "../../../core/errors.ts";
import { type LogLine, logLine, OVERVIEW_ROUTES } from "../../../wire/v4/api/overview-routes.ts";
import { call } from "../../api/call.ts";
import { hearEvent } from "../../api/live.ts";
import { formatCount } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { ErrorNote } from "../../parts/ErrorNote.tsx";
import { EmptyNote, Lines } from "../../parts/QueryStates.tsx";
import { saveJson } from "../../parts/save-file.ts";
import { RUNS } from "../../strings/runs.ts";
import classes from "./runs.module.css";

const WORDS = RUNS.log;
const LEVELS = ["info", "warn", "error"] as const;
type Level = (typeof LEVELS)[number];
const KEPT = 2000;
const time = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "medium" });

export function ServerLog() {
  const [level, setLevel] = useState<Level>("info");
  const [find, setFind] = useState("");
  const [isLive, setLive] = useState(true);
  const fresh = useFreshLines(isLive);
  const query = useInfiniteQuery<Awaited<ReturnType<typeof pageOf>>, AppError>({
    queryKey: [OVERVIEW_ROUTES.serverLog.path, level],
    queryFn: ({ pageParam, signal }) => pageOf(level, pageParam as string | null, signal),
    initialPageParam: null,
    getNextPageParam: ({ next }) => next,
  });
  const lines = merged(fresh, query.data?.pages.flatMap(({ items }) => items) ?? []).filter(
    (line) => LEVELS.indexOf(line.level as Level) >= LEVELS.indexOf(level) && fits(line, find),
  );
  return (
    <Card
      isFlush
      title={WORDS.title}
      text={WORDS.text}
      actions={
        <Button
          variant="default"
          leftSection={<IconDownload size={18} aria-hidden />}
          onClick={() => saveJson("cyberbackup-server-log.json", lines)}
          disabled={lines.length === 0}
        >
          {WORDS.download}
        </Button>
      }
    >
      <Group px="lg" gap="sm" align="flex-end">
        <NativeSelect
          label={WORDS.level}
          value={level}
          onChange={({ currentTarget: { value } }) => setLevel(value as Level)}
          data={LEVELS.map((value) => ({ value, label: WORDS.levels[value] }))}
        />
        <TextInput
          label={WORDS.find}
          value={find}
          onChange={({ currentTarget: { value } }) => setFind(value)}
          leftSection={<IconSearch size={16} aria-hidden />}
          flex="1 1 180px"
        />
        <Switch
          label={WORDS.follow}
          description={WORDS.followHelp}
          checked={isLive}
          onChange={({ currentTarget: { checked } }) => setLive(checked)}
        />
      </Group>
      {query.isPending && !query.isError && <Lines count={6} />}
      {query.isError && <ErrorNote error={query.error} onRetry={() => void query.refetch()} />}
      {query.isSuccess && lines.length === 0 && (
        <EmptyNote
          icon={IconFileText}
          title={find === "" ? WORDS.empty : WORDS.none}
          {...(find === "" ? { text: WORDS.emptyText } : {})}
        />
      )}
      <div role="log" aria-live="off" aria-label={WORDS.title}>
        {lines.map((line) => (
          <Line key={line.seq} line={line} />
        ))}
      </div>
      {lines.length > 0 && (
        <Group justify="space-between" px="lg" pb="md">
          <Text size="sm" c="dimmed">
            {RUNS.all(formatCount(lines.length))}
          </Text>
          {query.hasNextPage && (
            <Button variant="default" onClick={() => void query.fetchNextPage()} loading={query.isFetchingNextPage}>
              {WORDS.more}
            </Button>
          )}
        </Group>
      )}
    </Card>
  );
}

function Line({ line: { at, level, message, fields } }: { readonly line: LogLine }) {
  const more = Object.entries(fields);
  return (
    <div className={classes.line} data-level={level}>
      <Text size="sm" c="dimmed" component="time" style={{ whiteSpace: "nowrap" }}>
        {time.format(at)}
      </Text>
      <span className={classes.level} data-level={level}>
        {level === "error" || level === "warn" ? (
          <Badge variant="outline" color={level === "error" ? "red" : "yellow"} size="sm" className={classes.badge}>
            {level}
          </Badge>
        ) : (
          level
        )}
      </span>
      <span>
        {message}
        {more.length > 0 && (
          <span className={classes.fields}> {more.map(([name, value]) => `${name}=${shown(value)}`).join("  ")}</span>
        )}
      </span>
    </div>
  );
}

/** Newest first. */
function useFreshLines(isLive: boolean): readonly LogLine[] {
  const [lines, setLines] = useState<readonly LogLine[]>([]);
  useEffect(() => {
    if (!isLive) return;
    return hearEvent("log", ({ data }) => {
      const judged = logLine.safeParse(data.line);
      if (judged.success) setLines((before) => [judged.data, ...before].slice(0, KEPT));
    });
  }, [isLive]);
  return lines;
}

function merged(fresh: readonly LogLine[], answered: readonly LogLine[]): LogLine[] {
  const all = new Map([...answered, ...fresh].map((line) => [`${line.seq} ${line.at}`, line]));
  return [...all.values()].sort((a, b) => b.at - a.at || b.seq - a.seq);
}

/** Durations come as exactly as they were measured. */
function shown(value: LogLine["fields"][string]): string {
  return typeof value === "number" ? String(Math.round(value * 10) / 10) : String(value);
}

function fits({ message, fields }: LogLine, find: string): boolean {
  const wanted = find.trim().toLowerCase();
  return wanted === "" || `${message} ${Object.entries(fields).flat().join(" ")}`.toLowerCase().includes(wanted);
}

function pageOf(level: Level, after: string | null, signal: AbortSignal) {
  const query = { level, limit: 200, ...(after === null ? {} : { after: Number(after) }) };
  return call(OVERVIEW_ROUTES.serverLog, { query, signal });
}
