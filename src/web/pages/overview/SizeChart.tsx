// What is stored here against what it is on the devices, over time. Drawn by hand: two areas and a cross-hair need no library.

import { Group, SegmentedControl, Text } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { type PointerEvent, useState } from "react";
import { OVERVIEW_ROUTES, type VaultSample, type VaultState } from "../../../wire/v4/api/overview-routes.ts";
import { call } from "../../api/call.ts";
import { keyOf } from "../../api/use-api.ts";
import { formatBytes, formatDay, formatTime } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { Lines } from "../../parts/QueryStates.tsx";
import { OVERVIEW } from "../../strings/overview.ts";
import classes from "./overview.module.css";

const WORDS = OVERVIEW.sizes;
const DAY_MS = 86_400_000;
const RANGES = {
  fortnight: { ms: 14 * DAY_MS, step: "hour" },
  quarter: { ms: 91 * DAY_MS, step: "day" },
  year: { ms: 366 * DAY_MS, step: "day" },
  all: { ms: Number.POSITIVE_INFINITY, step: "day" },
} as const;
type Range = keyof typeof RANGES;
const [WIDTH, HEIGHT] = [800, 220];

type Point = { readonly at: number; readonly stored: number; readonly protected: number };

export function SizeChart({ vaults }: { readonly vaults: readonly VaultState[] }) {
  const [range, setRange] = useState<Range>("fortnight");
  const { ms, step } = RANGES[range];
  const from = Number.isFinite(ms) ? Math.floor((Date.now() - ms) / 3_600_000) * 3_600_000 : 0;
  const answers = useQueries({
    queries: vaults.map(({ vault }) => {
      const asked = { params: { vault }, query: { from, step } };
      return {
        queryKey: keyOf(OVERVIEW_ROUTES.history, asked),
        queryFn: () => call(OVERVIEW_ROUTES.history, asked),
        staleTime: 5 * 60_000,
      };
    }),
  });
  const isLoading = answers.some(({ data, isError }) => data === undefined && !isError);
  const points = together(
    answers.map(({ data }) => data?.items ?? []),
    step === "hour" ? 3_600_000 : DAY_MS,
  );
  return (
    <Card
      title={WORDS.title}
      text={WORDS.text}
      actions={
        <SegmentedControl
          size="xs"
          aria-label={WORDS.range}
          value={range}
          onChange={(value) => setRange(value as Range)}
          data={(Object.keys(RANGES) as Range[]).map((value) => ({ value, label: WORDS.ranges[value] }))}
        />
      }
    >
      {isLoading ? (
        <Lines count={4} />
      ) : points.length < 2 ? (
        <Text size="sm" c="dimmed">
          {WORDS.empty}
        </Text>
      ) : (
        <Chart points={points} />
      )}
    </Card>
  );
}

function Chart({ points }: { readonly points: readonly Point[] }) {
  const [at, setAt] = useState<number>();
  const [first, last] = [points[0]!, points.at(-1)!];
  const top = niceTop(Math.max(1, ...points.map((point) => Math.max(point.stored, point.protected))));
  const span = Math.max(1, last.at - first.at);
  const x = (point: Point): number => ((point.at - first.at) / span) * WIDTH;
  const y = (value: number): number => HEIGHT - (value / top) * HEIGHT;
  const line = (kind: "stored" | "protected"): string =>
    points.map((point) => `${x(point).toFixed(1)},${y(point[kind]).toFixed(1)}`).join(" ");
  const shown = at === undefined ? last : points[at]!;
  const move = (event: PointerEvent<SVGSVGElement>): void => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const wanted = first.at + ((event.clientX - left) / width) * span;
    setAt(points.reduce((best, point, i) => (distance(point, wanted) < distance(points[best]!, wanted) ? i : best), 0));
  };
  return (
    <figure className={classes.chart}>
      <Group gap="lg" mb="sm" component="figcaption">
        {(["protected", "stored"] as const).map((kind) => (
          <Text key={kind} size="sm" component="span">
            <span className={classes.key} data-kind={kind} aria-hidden />
            {WORDS[kind]}: <strong>{formatBytes(shown[kind])}</strong>
          </Text>
        ))}
        <Text size="sm" c="dimmed" component="span">
          {formatTime(shown.at)}
        </Text>
      </Group>
      <div style={{ position: "relative" }}>
        {[1, 0.5].map((share) => (
          <span key={share} className={classes.scale} style={{ top: `${(1 - share) * 100}%` }} aria-hidden>
            {formatBytes(top * share)}
          </span>
        ))}
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={WORDS.at(formatDay(last.at), formatBytes(last.stored), formatBytes(last.protected))}
          onPointerMove={move}
          onPointerLeave={() => setAt(undefined)}
        >
          {[0, 0.5, 1].map((share) => (
            <line key={share} x1="0" x2={WIDTH} y1={y(top * share)} y2={y(top * share)} className={classes.grid} />
          ))}
          {(["protected", "stored"] as const).map((kind) => (
            <g key={kind}>
              <polygon
                points={`0,${HEIGHT} ${line(kind)} ${WIDTH},${HEIGHT}`}
                className={classes.area}
                data-kind={kind}
              />
              <polyline points={line(kind)} className={classes.stroke} data-kind={kind} />
            </g>
          ))}
          {at !== undefined && <line x1={x(shown)} x2={x(shown)} y1="0" y2={HEIGHT} className={classes.cross} />}
        </svg>
      </div>
      <Group justify="space-between" mt={6}>
        <Text size="xs" c="dimmed">
          {formatDay(first.at)}
        </Text>
        <Text size="xs" c="dimmed">
          {formatDay(last.at)}
        </Text>
      </Group>
    </figure>
  );
}

function distance({ at }: Point, wanted: number): number {
  return Math.abs(at - wanted);
}

/** Sums of all vaults, at the moments of the samples. */
function together(histories: readonly (readonly VaultSample[])[], stepMs: number): Point[] {
  const sums = new Map<number, Point>();
  for (const history of histories) {
    for (const { at, storedBytes, protectedBytes } of history) {
      const slot = Math.floor(at / stepMs);
      const before = sums.get(slot) ?? { at, stored: 0, protected: 0 };
      sums.set(slot, {
        at: Math.max(at, before.at),
        stored: before.stored + storedBytes,
        protected: before.protected + protectedBytes,
      });
    }
  }
  return [...sums.values()].sort((a, b) => a.at - b.at);
}

/** 1, 2, 2.5, 5 or 10 times a power of ten: what a scale is easily read with. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 2.5, 5, 10].find((each) => each * power >= value) ?? 10;
  return step * power;
}
