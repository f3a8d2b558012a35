// One thing that `doctor` has looked at.

import type { LogFields } from "../core/log.ts";
import type { FindingJson } from "./json-schema.ts";

export type Finding = FindingJson & {
  /** Exit code of a run that finds this. */
  readonly exit?: number;
  /** What of it may go into a support bundle: as little as into a log. */
  readonly facts?: LogFields;
};
