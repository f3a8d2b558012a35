// How the line to the server is: a dot and a word, with the time of an answer behind it.

import { Badge, Box, Tooltip } from "@mantine/core";
import { useSyncExternalStore } from "react";
import { type LineState, lineStore } from "../api/live.ts";
import { formatDuration } from "../format/numbers.ts";
import { SHELL } from "../strings/shell.ts";
import classes from "./LineBadge.module.css";

const COLORS: Readonly<Record<LineState, string>> = {
  connecting: "gray",
  live: "green",
  waiting: "red",
  paused: "gray",
};

export function LineBadge() {
  const { state, latencyMs } = useSyncExternalStore(lineStore.subscribe, lineStore.current);
  const latency =
    state === "live" && latencyMs !== undefined ? ` ${SHELL.latency(formatDuration(Math.max(1, latencyMs)))}` : "";
  return (
    <Tooltip label={SHELL.lineHelp[state] + latency} multiline maw={280}>
      <Badge
        variant="default"
        size="lg"
        radius="xl"
        tt="none"
        fw={500}
        role="status"
        tabIndex={0}
        data-state={state}
        aria-label={SHELL.line[state]}
        leftSection={<span className={classes.dot} data-state={state} data-color={COLORS[state]} />}
        className={classes.badge}
      >
        <Box component="span" visibleFrom="xs">
          {SHELL.line[state]}
        </Box>
      </Badge>
    </Tooltip>
  );
}
