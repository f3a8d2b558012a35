// Bytes a day as small bars, oldest first.

import { formatBytes } from "../../format/numbers.ts";
import { DEVICES } from "../../strings/devices.ts";
import classes from "./devices.module.css";

const BAR = 10;
const GAP = 3;
const HEIGHT = 60;

export function Sparkline({ days, isWide = false }: { readonly days: readonly number[]; readonly isWide?: boolean }) {
  const top = Math.max(1, ...days);
  const total = days.reduce((sum, bytes) => sum + bytes, 0);
  const width = days.length * (BAR + GAP) - GAP;
  return (
    <svg
      viewBox={`0 0 ${width} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={DEVICES.trend(formatBytes(total))}
      className={isWide ? `${classes.wide} ${classes.spark}` : classes.spark}
    >
      {days.map((bytes, day) => {
        // Small days stay visible beside a great one.
        const height = bytes === 0 ? 3 : Math.max(6, Math.sqrt(bytes / top) * HEIGHT);
        return (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: a day has no other name
            key={day}
            x={day * (BAR + GAP)}
            y={HEIGHT - height}
            width={BAR}
            height={height}
            rx="2"
            {...(bytes === 0 ? { "data-none": true } : {})}
          />
        );
      })}
    </svg>
  );
}
