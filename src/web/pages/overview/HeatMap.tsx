// Devices and days: a square for each, coloured by how the backups of that day went. A table for whoever hears it; a square leads to its runs.

import { Group, Text, Tooltip, VisuallyHidden } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { Link } from "@tanstack/react-router";
import type { DeviceState } from "../../../wire/v4/api/overview-routes.ts";
import { RUN_ROUTES, type RunDay } from "../../../wire/v4/api/run-routes.ts";
import { useApi } from "../../api/use-api.ts";
import { formatBytes, formatCount } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { QueryStates } from "../../parts/QueryStates.tsx";
import { OVERVIEW } from "../../strings/overview.ts";
import classes from "./overview.module.css";

const WORDS = OVERVIEW.heat;
type Look = keyof typeof WORDS.legend;
const LOOKS: readonly Look[] = ["none", "good", "partly", "failed", "running"];
const DAY_MS = 86_400_000;

export function HeatMap({ devices }: { readonly devices: readonly DeviceState[] }) {
  const isNarrow = useMediaQuery("(max-width: 48em)", undefined, { getInitialValueInEffect: false });
  const isWide = useMediaQuery("(min-width: 100em)", undefined, { getInitialValueInEffect: false });
  const count = isNarrow ? 10 : isWide ? 60 : 30;
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  const query = useApi(RUN_ROUTES.runDays, { query: { days: count, timeZone } });
  return (
    <Card title={WORDS.title} text={WORDS.text} actions={<Legend />}>
      {devices.length === 0 ? (
        <Text size="sm" c="dimmed">
          {WORDS.empty}
        </Text>
      ) : (
        <QueryStates query={query}>
          {({ days, items }) => <Squares devices={devices} days={days} items={items} />}
        </QueryStates>
      )}
    </Card>
  );
}

function Squares({
  devices,
  days,
  items,
}: {
  readonly devices: readonly DeviceState[];
  readonly days: readonly string[];
  readonly items: readonly RunDay[];
}) {
  const byKey = new Map(items.map((item) => [`${item.vault} ${item.device} ${item.day}`, item]));
  const most = Math.max(1, ...items.map(({ addedBytes }) => addedBytes));
  const month = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
  const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeZone: "UTC" });
  return (
    <table className={classes.heat}>
      <thead>
        <tr>
          <th scope="row">
            <VisuallyHidden>{WORDS.device}</VisuallyHidden>
          </th>
          {days.map((day, i) => (
            <th key={day} scope="col">
              {(days.length - 1 - i) % 7 === 6 ? (
                month.format(new Date(day))
              ) : (
                <VisuallyHidden>{month.format(new Date(day))}</VisuallyHidden>
              )}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {devices.map((device) => (
          <tr key={device.vault + device.device}>
            <th scope="row" title={device.name}>
              {device.name}
            </th>
            {days.map((day) => (
              <td key={day}>
                <Square
                  item={byKey.get(`${device.vault} ${device.device} ${day}`)}
                  device={device}
                  day={day}
                  title={full.format(new Date(day))}
                  most={most}
                />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Square({
  item,
  device,
  day,
  title,
  most,
}: {
  readonly item: RunDay | undefined;
  readonly device: DeviceState;
  readonly day: string;
  readonly title: string;
  readonly most: number;
}) {
  const look = lookOf(item);
  if (item === undefined) {
    return (
      <span className={classes.cell} data-look={look}>
        <VisuallyHidden>{WORDS.none}</VisuallyHidden>
      </span>
    );
  }
  const words = [
    WORDS.summary(formatCount(item.done), formatCount(item.failed)),
    ...(item.withProblems > 0 ? [WORDS.partly(formatCount(item.withProblems))] : []),
    ...(item.addedBytes > 0 ? [formatBytes(item.addedBytes)] : []),
  ].join(", ");
  const from = startOfDay(day);
  // More stored is a deeper green; the eye sees the order, not the number.
  const much = item.addedBytes > 0 ? Math.log1p(item.addedBytes) / Math.log1p(most) : 0;
  return (
    <Tooltip label={`${title}: ${words}`} events={{ hover: true, focus: true, touch: true }}>
      <Link
        to="/runs"
        search={{ vault: device.vault, device: device.device, from, to: from + DAY_MS } as never}
        className={classes.cell!}
        data-look={look}
        // The keyboard has the filters of the runs; hundreds of stops help nobody.
        tabIndex={-1}
        aria-label={`${title}: ${WORDS.legend[look]}, ${words}`}
        style={{ "--much": much } as never}
      />
    </Tooltip>
  );
}

function Legend() {
  return (
    <Group gap="sm" aria-hidden>
      {LOOKS.map((look) => (
        <Text key={look} size="xs" c="dimmed" className={classes.legend!} component="span">
          <span className={classes.cell} data-look={look} style={{ "--much": 0.7 } as never} />
          {WORDS.legend[look]}
        </Text>
      ))}
    </Group>
  );
}

function lookOf(item: RunDay | undefined): Look {
  if (item === undefined) return "none";
  if (item.running > 0) return "running";
  if (item.done > 0) return item.withProblems > 0 && item.withProblems === item.done ? "partly" : "good";
  return item.failed > 0 ? "failed" : "none";
}

/** Where the reader's day begins. */
function startOfDay(day: string): number {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return new Date(year, month - 1, date).getTime();
}
