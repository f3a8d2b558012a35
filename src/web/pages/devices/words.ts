// Facts about a device in a few words.

import type { DeviceState } from "../../../wire/v4/api/overview-routes.ts";
import { formatAge } from "../../format/numbers.ts";
import { DEVICES } from "../../strings/devices.ts";

const SYSTEMS: Readonly<Record<string, string>> = {
  linux: "Linux",
  darwin: "macOS",
  win32: "Windows",
  browser: "Browser",
  freebsd: "FreeBSD",
  android: "Android",
};

export function systemOf({ about }: DeviceState): string {
  return about === null ? DEVICES.unknown : `${SYSTEMS[about.os] ?? about.os} · ${about.arch}`;
}

export function nextOf({ nextDueAt, pausedUntil }: DeviceState, now: number): string {
  if (pausedUntil !== null && pausedUntil > now) return DEVICES.paused;
  return nextDueAt === null ? DEVICES.notPlanned : formatAge(nextDueAt, now);
}
