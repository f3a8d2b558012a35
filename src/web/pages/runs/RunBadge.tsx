// How a run went, as a badge: a word, an icon and a colour.

import { Badge, type MantineColor } from "@mantine/core";
import {
  IconAlertTriangle,
  IconBan,
  IconCheck,
  IconCircleX,
  IconHandStop,
  IconLoader2,
  IconPlayerPause,
  IconPlugConnectedX,
} from "@tabler/icons-react";
import type { ComponentType } from "react";
import type { Run, RunState } from "../../../wire/v4/api/run-routes.ts";
import { RUNS } from "../../strings/runs.ts";
import classes from "./runs.module.css";

type Look = { readonly color: MantineColor; readonly icon: ComponentType<{ size?: number; className?: string }> };

const LOOKS: Readonly<Record<RunState, Look>> = {
  running: { color: "blue", icon: IconLoader2 },
  paused: { color: "gray", icon: IconPlayerPause },
  done: { color: "green", icon: IconCheck },
  failed: { color: "red", icon: IconCircleX },
  cancelled: { color: "gray", icon: IconHandStop },
  interrupted: { color: "orange", icon: IconPlugConnectedX },
  refused: { color: "red", icon: IconBan },
};
const PARTLY: Look = { color: "yellow", icon: IconAlertTriangle };

export function RunBadge({ state, problems }: { readonly state: RunState; readonly problems: number }) {
  const isPartly = state === "done" && problems > 0;
  const { color, icon: Icon } = isPartly ? PARTLY : LOOKS[state];
  return (
    <Badge
      className={classes.badge}
      data-color={color}
      variant="light"
      color={color}
      size="md"
      radius="sm"
      leftSection={<Icon size={14} className={state === "running" ? classes.turning! : ""} aria-hidden />}
    >
      {isPartly ? RUNS.doneWithProblems : RUNS.states[state]}
    </Badge>
  );
}

export function badgeOf(run: Run) {
  return <RunBadge state={run.state} problems={run.counts.problems} />;
}
