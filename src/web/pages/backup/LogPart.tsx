// The activity of the present run: filtered, searched, followed, saved.

import { Button, Group, Select, Switch, Text, TextInput } from "@mantine/core";
import { IconDownload, IconSearch } from "@tabler/icons-react";
import { memo, useEffect, useMemo, useRef, useState } from "react";
import type { LogLevel, LogLine } from "../../backup/figures.ts";
import { formatBytes, formatClock, formatCount } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { saveText } from "../../parts/save-file.ts";
import { BACKUP, logWords } from "../../strings/backup.ts";
import classes from "./backup.module.css";

const WORDS = BACKUP.log;
const FORMAT = { bytes: formatBytes, count: formatCount };
const RANK: Record<LogLevel, number> = { info: 0, warning: 1, error: 2 };
/** More lines would only be scrolled past; all of them are in the saved file. */
const SHOWN = 500;
type Least = "all" | "warning" | "error";

export const LogPart = memo(function LogPart({ lines }: { readonly lines: readonly LogLine[] }) {
  const [least, setLeast] = useState<Least>("all");
  const [search, setSearch] = useState("");
  const [isFollowing, setFollowing] = useState(true);
  const list = useRef<HTMLDivElement>(null);
  const found = useMemo(() => {
    const wanted = search.trim().toLowerCase();
    return lines
      .map((line, i) => ({ line, key: i, words: logWords(line, FORMAT) }))
      .filter(
        ({ line, words }) =>
          RANK[line.level] >= (least === "all" ? 0 : RANK[least]) && words.toLowerCase().includes(wanted),
      );
  }, [lines, least, search]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: new lines are why it scrolls
  useEffect(() => {
    if (isFollowing) list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [found, isFollowing]);
  return (
    <Card
      title={WORDS.title}
      actions={
        <Button
          size="xs"
          variant="default"
          disabled={lines.length === 0}
          leftSection={<IconDownload size={16} aria-hidden />}
          onClick={() => save(lines)}
        >
          {WORDS.save}
        </Button>
      }
    >
      <Controls {...{ least, setLeast, search, setSearch, isFollowing, setFollowing }} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard (WCAG 2.1.1) */}
      <div ref={list} className={classes.log} role="log" tabIndex={0} aria-label={WORDS.title}>
        {found.length === 0 && (
          <Text size="sm" c="dimmed" p="sm">
            {lines.length === 0 ? WORDS.empty : WORDS.nothing}
          </Text>
        )}
        {found.slice(-SHOWN).map(({ line, key, words }) => (
          <Line key={key} line={line} words={words} />
        ))}
      </div>
    </Card>
  );
});

/** Drawn once: hundreds of them stay while one comes. */
const Line = memo(function Line({ line, words }: { readonly line: LogLine; readonly words: string }) {
  return (
    <div className={classes.logLine} data-level={line.level}>
      <time dateTime={new Date(line.at).toISOString()}>{formatClock(line.at)}</time>
      <span className={classes.level}>{WORDS.names[line.level]}</span>
      <span>{words}</span>
    </div>
  );
});

const Controls = memo(function Controls(props: {
  readonly least: Least;
  setLeast(least: Least): void;
  readonly search: string;
  setSearch(search: string): void;
  readonly isFollowing: boolean;
  setFollowing(isFollowing: boolean): void;
}) {
  const { least, setLeast, search, setSearch, isFollowing, setFollowing } = props;
  return (
    <Group gap="sm" align="center">
      <Select
        aria-label={WORDS.level}
        size="xs"
        w={180}
        allowDeselect={false}
        value={least}
        onChange={(value) => setLeast((value ?? "all") as Least)}
        data={Object.entries(WORDS.levels).map(([value, label]) => ({ value, label }))}
      />
      <TextInput
        aria-label={WORDS.search}
        placeholder={WORDS.search}
        size="xs"
        flex="1 1 160px"
        leftSection={<IconSearch size={14} aria-hidden />}
        value={search}
        onChange={({ currentTarget }) => setSearch(currentTarget.value)}
      />
      <Switch
        size="sm"
        label={WORDS.scroll}
        checked={isFollowing}
        onChange={({ currentTarget }) => setFollowing(currentTarget.checked)}
      />
    </Group>
  );
});

function save(lines: readonly LogLine[]): void {
  const text = lines
    .map((line) => `${new Date(line.at).toISOString()} ${line.level} ${logWords(line, FORMAT)}\n`)
    .join("");
  saveText("cyberbackup-activity.txt", text);
}
