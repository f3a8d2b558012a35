// How a device is, as a badge.

import { Badge, type MantineColor, Tooltip } from "@mantine/core";
import {
  IconAlertTriangle,
  IconBan,
  IconCloudUpload,
  IconInfoCircle,
  IconShieldCheck,
  IconSparkles,
} from "@tabler/icons-react";
import type { ComponentType } from "react";
import type { DeviceState } from "../../../wire/v4/api/overview-routes.ts";
import { DEVICES } from "../../strings/devices.ts";
import runs from "../runs/runs.module.css";
import classes from "./devices.module.css";

type Look = { readonly color: MantineColor; readonly icon: ComponentType<{ size?: number }> };

const LOOKS: Readonly<Record<DeviceState["state"], Look>> = {
  protected: { color: "green", icon: IconShieldCheck },
  running: { color: "blue", icon: IconCloudUpload },
  attention: { color: "yellow", icon: IconInfoCircle },
  danger: { color: "red", icon: IconAlertTriangle },
  new: { color: "gray", icon: IconSparkles },
  revoked: { color: "gray", icon: IconBan },
};

export function StateBadge({ state }: { readonly state: DeviceState["state"] }) {
  const { color, icon: Icon } = LOOKS[state];
  return (
    <Badge
      color={color}
      variant="light"
      radius="sm"
      className={runs.badge}
      leftSection={<Icon size={14} aria-hidden />}
    >
      {DEVICES.states[state]}
    </Badge>
  );
}

/** Whether its agent listens. */
export function Presence({ isConnected }: { readonly isConnected: boolean }) {
  const label = isConnected ? DEVICES.connected : DEVICES.away;
  return (
    <Tooltip label={isConnected ? DEVICES.connectedHelp : DEVICES.awayHelp} multiline maw={260}>
      <span className={classes.dot} data-on={isConnected} role="img" aria-label={label} />
    </Tooltip>
  );
}
