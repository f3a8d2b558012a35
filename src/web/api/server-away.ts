// Tells what only a server that went away has cut off. Workers need no more of the API than this.

import { type ErrorCode, isAppError } from "../../core/errors.ts";

const AWAY: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["server_unreachable", "server_stopping"]);

/** Whether it is over as soon as the server is back. */
export function isServerAway(error: unknown): boolean {
  return isAppError(error) && AWAY.has(error.code);
}
