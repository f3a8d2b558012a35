// Speed of the last half minute as a small chart: what is read, and what leaves the browser. Drawn by hand: a chart library would cost
// more than the page.

import { Group, Text } from "@mantine/core";
import { memo } from "react";
import { chartOf, type Sample, WINDOW_MS } from "../../backup/speed.ts";
import { formatSpeed } from "../../format/numbers.ts";
import { BACKUP } from "../../strings/backup.ts";
import classes from "./backup.module.css";

const [WIDTH, HEIGHT] = [600, 96];
const WORDS = BACKUP.run;

export const SpeedChart = memo(function SpeedChart({ samples }: { readonly samples: readonly Sample[] }) {
  const read = chartOf(samples, "bytes");
  const sent = chartOf(samples, "sentBytes");
  const top = Math.max(1, ...read.map(({ speed }) => speed), ...sent.map(({ speed }) => speed));
  const points = (line: typeof read): string =>
    line
      .map(({ ageMs, speed }) => `${(1 - ageMs / WINDOW_MS) * WIDTH},${HEIGHT - 2 - (speed / top) * (HEIGHT - 8)}`)
      .join(" ");
  return (
    <figure className={classes.chart}>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${WORDS.speedChart}: ${formatSpeed(read.at(-1)?.speed ?? 0)}`}
      >
        <line x1="0" x2={WIDTH} y1={HEIGHT / 2} y2={HEIGHT / 2} className={classes.grid} />
        <polyline points={points(sent)} className={classes.sent} />
        <polyline points={points(read)} className={classes.read} />
      </svg>
      <Group component="figcaption" justify="space-between" gap="xs">
        <Group gap="md">
          <Text size="xs" c="dimmed">
            <span className={classes.readKey} aria-hidden /> {WORDS.read}
          </Text>
          <Text size="xs" c="dimmed">
            <span className={classes.sentKey} aria-hidden /> {WORDS.sent}
          </Text>
        </Group>
        <Text size="xs" c="dimmed">
          {WORDS.speedChart}, ≤ {formatSpeed(top)}
        </Text>
      </Group>
    </figure>
  );
});
