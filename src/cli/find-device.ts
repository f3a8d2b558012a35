// A machine from what a person calls it: its name, if only one that may still back up has it, or the beginning of its id.

import type { DeviceRow } from "../wire/v4/vault-port.ts";
import { findById } from "./find-by-id.ts";

/** Throws `not_found` or `ambiguous_id`. */
export function findDevice(devices: readonly DeviceRow[], expression: string): DeviceRow {
  const named = devices.filter(({ name, revoked }) => name === expression && !revoked);
  if (named.length === 1) return named[0]!;
  const ids = devices.map(({ device }) => device);
  const id = findById(ids, expression, "device");
  return devices.find(({ device }) => device === id)!;
}
