// The snapshots of a device on a line through time. The newest few hundred: a line has only so many places.

import { Anchor, Group, Text, Tooltip } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { z } from "zod";
import { DEVICE_ROUTES } from "../../../wire/v4/api/device-routes.ts";
import type { DeviceState } from "../../../wire/v4/api/overview-routes.ts";
import { useApi } from "../../api/use-api.ts";
import { formatDay, formatTime, plural } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { QueryStates } from "../../parts/QueryStates.tsx";
import { DEVICES } from "../../strings/devices.ts";
import classes from "./devices.module.css";

const WORDS = DEVICES.timeline;
const MARKS = 200;

export function SnapshotRail({ item: { vault, device } }: { readonly item: DeviceState }) {
  const query = useApi(DEVICE_ROUTES.snapshots, { params: { vault } });
  return (
    <Card
      title={WORDS.title}
      text={WORDS.text}
      actions={
        <Anchor component={Link} to={`/files/${vault}`} search={{ device } as never} size="sm">
          {WORDS.browse}
        </Anchor>
      }
    >
      <QueryStates query={query}>
        {({ snapshots }) => {
          const own = snapshots.filter((row) => row.device === device).sort((a, b) => a.receivedAt - b.receivedAt);
          if (own.length === 0) {
            return (
              <Text size="sm" c="dimmed">
                {WORDS.empty}
              </Text>
            );
          }
          return <Rail vault={vault} snapshots={own.slice(-MARKS)} count={own.length} />;
        }}
      </QueryStates>
    </Card>
  );
}

type Snapshots = z.output<typeof DEVICE_ROUTES.snapshots.answer.schema>["snapshots"];

function Rail(props: { readonly vault: string; readonly snapshots: Snapshots; readonly count: number }) {
  const { vault, snapshots, count } = props;
  const [first, last] = [snapshots[0]!, snapshots.at(-1)!];
  const span = Math.max(1, last.receivedAt - first.receivedAt);
  const place = (at: number): string => (snapshots.length === 1 ? "50%" : `${((at - first.receivedAt) / span) * 100}%`);
  return (
    <div>
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          {plural(count, WORDS.summary.one, WORDS.summary.many)}
        </Text>
      </Group>
      <div className={classes.rail}>
        {snapshots.map(({ id, receivedAt, state, pinnedUntil }) => {
          const more = [...(pinnedUntil === null ? [] : [WORDS.pinned]), ...(state === "trash" ? [WORDS.trashed] : [])];
          const label = WORDS.mark(formatTime(receivedAt), more.length === 0 ? "" : ` (${more.join(", ")})`);
          return (
            <Tooltip key={id} label={label}>
              {/* Without the tab key: by keyboard one goes to the files of the device, where they are listed. */}
              <Link
                to={`/files/${vault}`}
                search={{ snapshot: id } as never}
                tabIndex={-1}
                className={classes.mark!}
                data-state={state}
                data-pinned={pinnedUntil !== null}
                style={{ left: place(receivedAt) }}
                aria-label={label}
              />
            </Tooltip>
          );
        })}
        <span className={classes.ends} style={{ left: 0 }}>
          {formatDay(first.receivedAt)}
        </span>
        {snapshots.length > 1 && (
          <span className={classes.ends} style={{ right: 0 }}>
            {formatDay(last.receivedAt)}
          </span>
        )}
      </div>
    </div>
  );
}
