// Details of a run as its device seals them (docs/format.md, Sealed for the people of a vault): the map inside.

import { z } from "zod";
import type { Bytes } from "../../core/bytes.ts";

const path = z.custom<Bytes>((value) => value instanceof Uint8Array);

export const runDetailsSchema = z.strictObject({
  /** Name of its plan. */
  plan: z.string(),
  host: z.string(),
  /** What was to be backed up. */
  paths: z.array(path),
  /** The error that ended it, in words; empty where there was none. */
  message: z.string(),
  problems: z.array(z.strictObject({ path, code: z.string() })),
  /** Problems that are not listed. */
  more: z.number(),
});
export type RunDetails = z.output<typeof runDetailsSchema>;
