// How good the connection is, in a word and a colour: by how long the server takes to answer, and by how often it had to be waited for.

import { Badge, Tooltip } from "@mantine/core";
import type { Figures } from "../../backup/figures.ts";
import { formatDuration, plural } from "../../format/numbers.ts";
import { BACKUP } from "../../strings/backup.ts";

const WORDS = BACKUP.line;
const SLOW_MS = 400;

export function LineState({ figures }: { readonly figures: Figures }) {
  const { latencyMs, waits } = figures;
  const [label, color] =
    latencyMs === undefined
      ? ([WORDS.none, "gray"] as const)
      : waits > 2
        ? ([WORDS.bad, "orange"] as const)
        : latencyMs > SLOW_MS
          ? ([WORDS.slow, "yellow"] as const)
          : ([WORDS.good, "green"] as const);
  const detail = WORDS.detail(formatDuration(latencyMs ?? 0), plural(waits, ...WORDS.times));
  return (
    <Tooltip label={detail} events={{ hover: true, focus: true, touch: true }}>
      <Badge variant="dot" color={color} tabIndex={0} aria-label={`${WORDS.title}: ${label}. ${detail}`} role="img">
        {WORDS.title}: {label}
      </Badge>
    </Tooltip>
  );
}
