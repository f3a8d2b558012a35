// Parameters in the paths of routes, by name: how each one must look. What does not fit is `request_invalid` before anything is
// looked up, so that no path of a file is ever made from what a caller wrote.

import { z } from "zod";
import {
  type DeviceId,
  ID_BYTES,
  type KeyslotId,
  type PackId,
  type SessionId,
  type SnapshotId,
} from "../../../core/ids.ts";
import { checkMessage, hexId } from "./coding.ts";

export const PARAMETERS = {
  /** A name or an id. */
  vault: z.string().min(1).max(255),
  session: hexId<SessionId>(ID_BYTES.session),
  snapshot: hexId<SnapshotId>(ID_BYTES.snapshot),
  keyslot: hexId<KeyslotId>(ID_BYTES.keyslot),
  pack: hexId<PackId>(ID_BYTES.pack),
  device: hexId<DeviceId>(ID_BYTES.device),
  /** Id of its session, if it has one. */
  run: hexId<SessionId>(ID_BYTES.session),
  /** Id of a plan at the server. */
  plan: hexId<string>(16),
  /** `lookup` of an invitation. */
  invite: hexId<string>(16),
  n: z
    .string()
    .regex(/^(?:0|[1-9]\d{0,8})$/, "not a whole number")
    .transform(Number),
  /** Ids that the server gives out by itself: of people, jobs, keys. */
  id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "not an id"),
} as const;

type ParameterName = keyof typeof PARAMETERS;

/** `/vaults/{vault}/packs/{pack}` → `{ vault: string; pack: PackId }`. */
export type ParamsOf<Path extends string> = {
  readonly [Name in NamesIn<Path>]: Name extends ParameterName ? z.output<(typeof PARAMETERS)[Name]> : never;
};

type NamesIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never;

/** Throws `request_invalid`. */
export function checkParameters(raw: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(raw).map(([name, value]) => [name, checkMessage(PARAMETERS[name as ParameterName], value)]),
  );
}
